"""Runs that are killed at random moments, and two at once: the site stays whole, and the next run ends well."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.campaign import Campaign, Case
from tests.runs import built, contents, leftovers, run, start, write_config

SIGNALS = {"SIGKILL": (signal.SIGKILL,), "SIGTERM": (signal.SIGTERM,), "Ctrl-C twice": (signal.SIGINT, signal.SIGINT)}
# A process that is struck before Python has taken its signals in hand ends as the system says; one may end before.
_EXIT_CODES = {
    "SIGKILL": (-signal.SIGKILL, 0),
    "SIGTERM": (143, -signal.SIGTERM, 0),
    "Ctrl-C twice": (130, -signal.SIGINT, 0),
}


@dataclass(frozen=True)
class Subject:
    """A folder with a config, its cache and its site.

    Attributes:
        folder: the folder.
        expected: contents of the site by the config's title.
        seconds: what a run that computes everything takes.
    """

    folder: Path
    expected: dict[str, dict[str, str]]
    seconds: float


def subject(folder: Path) -> Subject:
    """The site under both titles, undisturbed; the first one stands at the end."""
    expected = {"first": built(folder)}
    started = time.monotonic()
    expected["second"] = _build(folder, "second", "--fresh")
    seconds = time.monotonic() - started
    assert expected["first"] != expected["second"]
    _build(folder, "first")
    return Subject(folder, expected, seconds)


def _build(folder: Path, title: str, *options: str) -> dict[str, str]:
    write_config(folder, title)
    run(folder, "config.yaml", *options, code=0)
    return contents(folder / "site")


def strike(given: Subject, how: str, while_writing: bool, draw: random.Random) -> str:
    """Kill one run that would replace the first site by the second, look at what stands, and let the next run end.

    Args:
        given: the folder.
        how: a key of `SIGNALS`.
        while_writing: whether to wait until the site is being written; else any moment of a run that computes all.
        draw: when.

    Raises:
        AssertionError: a promise was broken.
    """
    folder = given.folder
    write_config(folder, "second")
    process = start(folder, "config.yaml", *([] if while_writing else ["--fresh"]))
    if while_writing:
        while process.poll() is None and not any(folder.glob(".site.vizengine-new-*")):
            time.sleep(0.0005)
    time.sleep(draw.uniform(0, 0.03 if while_writing else given.seconds))
    for number in SIGNALS[how]:
        if process.poll() is None:
            process.send_signal(number)
            time.sleep(draw.uniform(0, 0.05) if how == "Ctrl-C twice" else 0)
    _, stderr = process.communicate(timeout=120)
    assert "Traceback" not in stderr and process.returncode in _EXIT_CODES[how], (process.returncode, stderr)
    end = _end(given, process)
    assert _build(folder, "second") == given.expected["second"], "the next run's site is another"
    assert not leftovers(folder), leftovers(folder)
    assert _build(folder, "first") == given.expected["first"]
    return end


def _end(given: Subject, process: subprocess.Popen[str]) -> str:
    """Where a run was struck, by what it left; the site must be one of the two, whole, or set aside, whole."""
    site = contents(given.folder / "site")
    if not site:
        site = contents(given.folder / ".site.vizengine-previous")
        assert site == given.expected["first"], "the site that was set aside isn't whole"
        return "while swapping"
    assert site in given.expected.values(), "the site isn't whole"
    if site == given.expected["second"]:
        return "while swapping" if process.returncode else "after the end"
    return "while writing" if any(given.folder.glob(".site.vizengine-new-*")) else "while computing"


def pair(folder: Path, same_site: bool, delay: float) -> str:
    """Start two runs that compute everything, one `delay` seconds after the other.

    Raises:
        AssertionError: one failed, or a site isn't what one run alone gives.
    """
    folder.mkdir()
    write_config(folder, "first")
    outs = ("site", "site" if same_site else "other")
    processes = []
    for out in outs:
        processes.append(start(folder, "config.yaml", "--out", out))
        time.sleep(delay)
    said = [process.communicate(timeout=600)[1] for process in processes]
    for process, stderr in zip(processes, said, strict=True):
        assert process.returncode == 0 and "Traceback" not in stderr and "damaged" not in stderr, stderr
    assert not leftovers(folder)
    run(folder, "config.yaml", "--out", "alone", "--fresh", code=0)
    assert contents(folder / outs[0]) == contents(folder / outs[1]) == contents(folder / "alone")
    waited = any("another run is at work on" in stderr for stderr in said)
    return "where the second waited and said so" if waited else "without waiting"


def kill_the_first(folder: Path) -> str:
    """Kill a run while another waits for it: that one goes on at once.

    Raises:
        AssertionError: it didn't wait, or doesn't end well.
    """
    folder.mkdir(exist_ok=True)
    write_config(folder, "first")
    first = start(folder, "config.yaml")
    assert first.stderr is not None
    first.stderr.readline()
    second = start(folder, "config.yaml")
    assert second.stderr is not None
    said = second.stderr.readline()
    first.kill()
    first.communicate(timeout=60)
    _, stderr = second.communicate(timeout=600)
    assert "another run is at work on" in said, said + stderr
    assert second.returncode == 0 and "Traceback" not in stderr, stderr
    assert (folder / "site" / "index.html").is_file() and not leftovers(folder)
    return "where the first was killed and the second went on"


def _kill_cases(folder: Path) -> Iterator[Case]:
    draw, given = random.Random(0), subject(folder)
    for number in range(90):
        how = list(SIGNALS)[number % len(SIGNALS)]
        yield f"{number} ({how})", partial(strike, given, how, number // len(SIGNALS) % 2 == 1, draw)


def _pair_cases(folder: Path) -> Iterator[Case]:
    draw = random.Random(0)
    yield "the first killed", partial(kill_the_first, folder / "killed")
    for number in range(12):
        delay = draw.choice([0.0, draw.uniform(0, 3)])
        yield f"{number} ({delay:.1f} s)", partial(pair, folder / str(number), number % 2 == 0, delay)


KILLS = Campaign(
    "A run that is killed leaves the site that stood before, whole, and the next run ends as if nothing had been.",
    "Real processes that would replace a site, ended by SIGKILL, SIGTERM or Ctrl-C twice at random moments, half of "
    "them while they write; every file of the site is compared by its hash",
    "the site was whole each time and the next run gave the same bytes",
    _kill_cases,
)
PAIRS = Campaign(
    "Two runs at once never mix: on one site the second waits and says so, on one cache both may write.",
    "Pairs of real runs with an empty cache, together or some seconds apart, on one site and on two; every file is "
    "compared with that of a run alone",
    "all runs ended well",
    _pair_cases,
)
