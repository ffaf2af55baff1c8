"""Two runs at once, on one site or on one cache."""

from __future__ import annotations

import random
import time
from pathlib import Path

from tests.campaign import Campaign, Result, Tally
from tests.runs import contents, leftovers, run, start, write_config


def pair(folder: Path, same_site: bool, delay: float) -> bool:
    """Start two runs that compute everything, one `delay` seconds after the other; whether one waited for the other.

    Raises:
        AssertionError: one failed, or a site isn't what one run alone gives.
    """
    write_config(folder, "first")
    outs = ("site", "site" if same_site else "other")
    processes = []
    for out in outs:
        processes.append(start(folder, "config.yaml", "--out", out))
        time.sleep(delay)
    told = [process.communicate(timeout=600)[1] for process in processes]
    for process, stderr in zip(processes, told, strict=True):
        assert process.returncode == 0 and "Traceback" not in stderr, stderr
        assert "damaged" not in stderr, stderr
    expected = contents(folder / outs[0])
    assert expected == contents(folder / outs[1])
    assert not leftovers(folder)
    alone = run(folder, "config.yaml", "--out", "alone", "--fresh")
    assert alone.returncode == 0 and contents(folder / "alone") == expected, alone.stderr
    return any("another run is at work on" in stderr for stderr in told)


def killed_before(folder: Path) -> None:
    """Kill a run while another waits for its turn: that one goes on at once.

    Raises:
        AssertionError: it didn't wait, or doesn't end well.
    """
    write_config(folder, "first")
    first = start(folder, "config.yaml")
    assert first.stderr is not None
    _ = first.stderr.readline()
    second = start(folder, "config.yaml")
    assert second.stderr is not None
    said = second.stderr.readline()
    first.kill()
    _ = first.communicate(timeout=60)
    _, stderr = second.communicate(timeout=600)
    assert "another run is at work on" in said, said + stderr
    assert second.returncode == 0 and "Traceback" not in stderr, stderr
    assert (folder / "site" / "index.html").is_file()
    assert not leftovers(folder)


def campaign(cases: int = 12, seed: int = 0) -> Result:
    """So many pairs, on one site and on two in turn; then one whose first is killed."""
    draw, tally, waited = random.Random(seed), Tally(), 0
    for case in range(cases):
        with tally.case_in_folder(f"case {case}") as folder:
            waited += pair(folder, case % 2 == 0, draw.choice([0.0, draw.uniform(0, 3)]))
    with tally.case_in_folder("the first killed") as folder:
        killed_before(folder)
    return tally.result(
        f"all runs ended well; in {waited} of {cases} pairs the second waited and said so",
        "where the first was killed, the second went on",
    )


PAIRS = Campaign(
    "Two runs at once never mix: on one site the second waits and says so, on one cache both may write.",
    "Pairs of real runs with an empty cache, together or some seconds apart, on one site and on two; every file is "
    "compared with that of a run alone",
    campaign,
)
