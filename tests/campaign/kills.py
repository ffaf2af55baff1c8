"""Runs that are killed at random moments: the site stays whole, and the next run ends as if nothing had been."""

from __future__ import annotations

import random
import signal
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.campaign import Campaign, Result, Tally
from tests.runs import built, contents, leftovers, run, start, write_config

SIGNALS = {"SIGKILL": (signal.SIGKILL,), "SIGTERM": (signal.SIGTERM,), "Ctrl-C twice": (signal.SIGINT, signal.SIGINT)}
_EXIT_CODES = {"SIGKILL": -signal.SIGKILL, "SIGTERM": 143, "Ctrl-C twice": 130}
# A process that is struck before Python has taken its signals in hand ends as the system says.
_AT_ONCE = {"SIGTERM": -signal.SIGTERM, "Ctrl-C twice": -signal.SIGINT}


@dataclass(frozen=True)
class Subject:
    """A folder with a finished site, and what its sites must hold.

    Attributes:
        folder: with the config, the cache and the site.
        expected: contents of the site by the config's title.
        seconds: what a run that computes everything takes.
    """

    folder: Path
    expected: dict[str, dict[str, str]]
    seconds: float


def subject(folder: Path) -> Subject:
    """The site under both titles, undisturbed; the first one stands at the end."""
    expected = {"first": built(folder)}
    write_config(folder, "second")
    started = time.monotonic()
    run(folder, "config.yaml", "--fresh", code=0)
    seconds = time.monotonic() - started
    expected["second"] = contents(folder / "site")
    assert expected["first"] != expected["second"]
    write_config(folder, "first")
    run(folder, "config.yaml", code=0)
    return Subject(folder, expected, seconds)


def strike(given: Subject, how: str, writing: bool, draw: random.Random) -> str:
    """Kill one run that would replace the first site by the second, look at what stands, and let the next run end.

    Args:
        given: the folder.
        how: a key of `SIGNALS`.
        writing: whether to wait until the site is being written; else any moment of a run that computes everything.
        draw: when.

    Returns:
        Where the run was struck: `computing`, `writing`, `swapping`, or `done` where it had ended.

    Raises:
        AssertionError: a promise was broken.
    """
    folder, site = given.folder, given.folder / "site"
    write_config(folder, "second")
    arguments = ["config.yaml"] if writing else ["config.yaml", "--fresh"]
    process = start(folder, *arguments)
    if writing:
        while process.poll() is None and not any(folder.glob(".site.vizengine-new-*")):
            time.sleep(0.0005)
        time.sleep(draw.uniform(0, 0.03))
    else:
        time.sleep(draw.uniform(0, given.seconds))
    _send(process, how, draw)
    _, stderr = process.communicate(timeout=120)
    assert "Traceback" not in stderr, stderr
    place = _place(given, process.returncode)
    allowed = {_EXIT_CODES[how], _AT_ONCE.get(how, _EXIT_CODES[how]), 0}
    assert process.returncode in allowed, (process.returncode, stderr)
    after = run(folder, "config.yaml")
    assert after.returncode == 0, after.stderr
    assert contents(site) == given.expected["second"], "the next run's site is another"
    assert not leftovers(folder), leftovers(folder)
    write_config(folder, "first")
    assert run(folder, "config.yaml").returncode == 0
    assert contents(site) == given.expected["first"]
    return place


def _send(process: subprocess.Popen[str], how: str, draw: random.Random) -> None:
    for number in SIGNALS[how]:
        if process.poll() is None:
            process.send_signal(number)
            time.sleep(draw.uniform(0, 0.05) if len(SIGNALS[how]) > 1 else 0)


def _place(given: Subject, code: int) -> str:
    """Where a run was struck, by what it left; the site must be one of the two, whole, or set aside, whole."""
    folder = given.folder
    found = contents(folder / "site")
    if not found:
        found = contents(folder / ".site.vizengine-previous")
        assert found == given.expected["first"], "the site that was set aside isn't whole"
        return "swapping"
    assert found in given.expected.values(), "the site isn't whole"
    if found == given.expected["second"]:
        return "done" if code == 0 else "swapping"
    return "writing" if any(folder.glob(".site.vizengine-new-*")) else "computing"


def campaign(cases: int = 90, seed: int = 0) -> Result:
    """Strike so many runs, by every signal in turn, every second one while it writes."""
    draw, tally, places = random.Random(seed), Tally(), Counter[str]()
    with tempfile.TemporaryDirectory() as temporary:
        given = subject(Path(temporary))
        for case in range(cases):
            how = list(SIGNALS)[case % len(SIGNALS)]
            with tally.case(f"case {case} ({how})"):
                places[strike(given, how, writing=case // len(SIGNALS) % 2 == 1, draw=draw)] += 1
            if len(tally.broken) > 0 and not contents(Path(temporary) / "site"):
                given = subject(Path(temporary))
    told = ", ".join(f"{count} {place}" for place, count in sorted(places.items()))
    return tally.result(f"struck while {told}; the site was whole each time and the next run gave the same bytes")


KILLS = Campaign(
    "A run that is killed leaves the site that stood before, whole, and the next run ends as if nothing had been.",
    "Real processes that would replace a site, ended by SIGKILL, SIGTERM or Ctrl-C twice at random moments, half of "
    "them while they write; every file of the site is compared by its hash",
    campaign,
)
