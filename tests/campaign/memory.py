"""Memory that runs short: batches are halved and the pictures are the same; where even that isn't enough, a message."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.campaign import Campaign, Result, Tally
from tests.places import REPOSITORY
from tests.runs import built, contents, environment, leftovers, limited, run, write_config

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


def short_of_memory(folder: Path, megabytes: int, expected: dict[str, str]) -> str:
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
    done = limited(f"-v {megabytes * 1000}", folder, "config.yaml", "--fresh")
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
    built(folder)
    write_config(folder, "second")
    run(folder, "config.yaml", code=0)
    expected = contents(folder / "site")
    write_config(folder, "first")
    run(folder, "config.yaml", code=0)
    return expected


def campaign() -> Result:
    """Runs in less and less address space, and batches with less and less to spare."""
    outcomes, tally = Counter[str](), Tally()
    with tempfile.TemporaryDirectory() as temporary:
        expected = prepared(Path(temporary))
        for megabytes in range(600, 3001, 200):
            with tally.case(f"a run in {megabytes} MB"):
                outcomes[f"run {short_of_memory(Path(temporary), megabytes, expected)}"] += 1
    for spare in (400, 150, 100, 80, 60, 40, 30):
        with tally.case(f"{spare} MB to spare"):
            outcomes[f"batch {halved(512, spare)}"] += 1
    return tally.result(
        ", ".join(f"{kind} {count}" for kind, count in sorted(outcomes.items())),
        "the site stood each time, a run with memory enough then gave the same bytes",
        f"pictures of halved batches differ by {_ROUNDING} of 255 at most",
    )


MEMORY = Campaign(
    "Where memory runs short, batches of pictures are halved and the run goes on; where that isn't enough, it says so.",
    "Real runs in less and less address space, and batches of pictures with less and less to spare; every file of the "
    "site is compared by its hash, every picture by its values",
    campaign,
)
