"""Memory that runs short: batches are halved and the pictures are the same; where even that isn't enough, a message."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.campaign import Campaign, Result
from tests.campaign.runs import REPOSITORY, command, contents, environment, leftovers, run, write_config

# One process makes the pictures of a layer twice: freely, and with so many more bytes than it had by then.
_TWICE = """
import logging, resource, sys
import numpy as np, psutil
from tests.tiny import tiny_architecture, tiny_weights
from vizengine.errors import VizengineError
from vizengine.pictures.search import Job
from vizengine.pictures.result import PhotoBest, Settings
from vizengine.pictures.search import visualize
from vizengine.network.model import Network, make_deterministic, use_threads

logging.basicConfig(level="INFO", format="%(message)s")
make_deterministic()
use_threads(1)
network = Network(tiny_architecture(), tiny_weights())
settings = Settings(size=SIZE, steps=2, attempts=1, seed=0, precision="float32")


def pictures():
    job = Job("last", {channel: PhotoBest(0.0, "none") for channel in range(7)}, settings)
    return {channel: found.image for channel, found in visualize(network, job).items()}


free = pictures()
logging.info("now short")
used = psutil.Process().memory_info().vms
resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[1]), resource.RLIM_INFINITY))
try:
    short = pictures()
except VizengineError as error:
    sys.exit(f"error: {error}")
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
furthest = max(int(np.abs(short[each].astype(int) - free[each].astype(int)).max()) for each in free)
print("furthest", furthest)
"""


# Batches of other widths are added up in another order: of 255, so far may a picture's values be apart.
_ROUNDING = 2
_MEGABYTE = 1_000_000


def halved(size: int, spare: int) -> str:
    """Make pictures with `spare` megabytes of memory to go; `halved`, `enough`, `refused` or `ended by the system`.

    Args:
        size: side of the pictures in pixels.
        spare: megabytes that the process may take beyond those that it has.

    Raises:
        AssertionError: a picture is another than with memory enough, or what is said isn't of memory.
    """
    done = subprocess.run(
        [sys.executable, "-c", _TWICE.replace("SIZE", str(size)), str(spare * _MEGABYTE)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        env=environment(TF_CPP_MIN_LOG_LEVEL="3"),
        check=False,
    )
    if done.returncode < 0:
        return "ended by the system"
    said = done.stderr.partition("now short")[2]
    if done.returncode:
        assert "There isn't enough memory for one picture of last" in said, done.stderr
        return "refused"
    word, furthest = done.stdout.split()[-2:]
    assert word == "furthest" and int(furthest) <= _ROUNDING, done.stdout
    return "halved" if "memory is short" in said else "enough"


def limited(folder: Path, megabytes: int, expected: dict[str, str]) -> str:
    """Run in so much address space, then freely; `the same site`, `a message`, `ended by the system` or `by a library`.

    Args:
        folder: with a finished site under the title `first`.
        megabytes: of address space, libraries and their threads included.
        expected: contents of the site under the title `second`.

    Raises:
        AssertionError: the site isn't whole, what is said isn't of memory, or the free run doesn't end well.
    """
    before = contents(folder / "site")
    write_config(folder, "second")
    done = subprocess.run(
        ["sh", "-c", f'ulimit -v {megabytes * 1000}; exec "$@"', "sh", *command("config.yaml", "--fresh")],
        cwd=folder,
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    outcome = {0: "the same site", 1: "a message"}.get(done.returncode, "ended by the system")
    if done.returncode and not done.stderr:
        # TensorFlow's library has ended the process by itself while it was loaded; nobody can catch that.
        outcome = "ended by a library"
    assert contents(folder / "site") == (before if done.returncode else expected), "the site isn't whole"
    if outcome == "a message":
        last = done.stderr.splitlines()[-1]
        assert last.startswith(("error: memory ran out", "error: There isn't enough memory")), done.stderr
        assert "Traceback" not in done.stderr, done.stderr
    free = run(folder, "config.yaml")
    assert free.returncode == 0 and contents(folder / "site") == expected, free.stderr
    assert not leftovers(folder)
    write_config(folder, "first")
    assert run(folder, "config.yaml").returncode == 0 and contents(folder / "site") == before
    return outcome


def prepared(folder: Path) -> dict[str, str]:
    """A finished site under the title `first`; contents of the one under the title `second`."""
    for title in ("second", "first"):
        write_config(folder, title)
        done = run(folder, "config.yaml")
        assert done.returncode == 0, done.stderr
        if title == "second":
            expected = contents(folder / "site")
    return expected


def campaign() -> Result:
    """Runs in less and less address space, and batches with less and less to spare."""
    outcomes: Counter[str] = Counter()
    broken, cases = [], 0
    with tempfile.TemporaryDirectory() as temporary:
        expected = prepared(Path(temporary))
        tries: list[tuple[str, Callable[[], str]]] = [
            (f"a run in {megabytes} MB: ", partial(limited, Path(temporary), megabytes, expected))
            for megabytes in range(600, 3001, 200)
        ]
        tries += [(f"{spare} MB to spare: ", partial(halved, 512, spare)) for spare in (400, 150, 100, 80, 60, 40, 30)]
        for what, attempt in tries:
            cases += 1
            try:
                outcomes[(what.split()[1] if what.startswith("a ") else "batch") + " " + attempt()] += 1
            except AssertionError as error:
                broken.append(what + str(error)[-300:])
    told = [", ".join(f"{kind} {count}" for kind, count in sorted(outcomes.items()))]
    told.append("the site stood each time, a run with memory enough then gave the same bytes")
    told.append(f"pictures of halved batches differ by {_ROUNDING} of 255 at most")
    return Result(cases, "; ".join(told + [f"broken: {reason}" for reason in broken]), not broken)


MEMORY = Campaign(
    "Where memory runs short, batches of pictures are halved and the run goes on; where that isn't enough, it says so.",
    "Real runs in less and less address space, and batches of pictures with less and less to spare; every file of the "
    "site is compared by its hash, every picture by its values",
    campaign,
)
