"""Memory that runs short: batches are halved and the pictures are the same; where even that isn't enough, a message."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.campaign import Campaign, Case
from tests.places import REPOSITORY
from tests.runs import built, contents, environment, leftovers, limited, run, write_config

# One process makes the pictures of a layer twice: freely, and with so many more bytes than it had by then.
_TWICE = """
import logging, resource, sys
import numpy as np, psutil
from tests.tiny import tiny_architecture, tiny_weights
from vizengine.errors import VizengineError
from vizengine.network.model import Network, make_deterministic, use_threads
from vizengine.pictures.result import PhotoBest, Settings
from vizengine.pictures.search import Job, visualize

logging.basicConfig(level="INFO", format="%(message)s")
make_deterministic()
use_threads(1)
network = Network(tiny_architecture(), tiny_weights())
settings = Settings(size=512, steps=2, attempts=1, seed=0, precision="float32")


def pictures():
    job = Job("last", {channel: PhotoBest(0.0, "none") for channel in range(7)}, settings)
    return np.stack([result.image.astype(int) for _, result in sorted(visualize(network, job).items())])


free = pictures()
logging.info("now short")
used = psutil.Process().memory_info().vms
resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[1]), resource.RLIM_INFINITY))
try:
    short = pictures()
except VizengineError as error:
    sys.exit(f"error: {error}")
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print("furthest", np.abs(short - free).max())
"""
# Batches of other widths are added up in another order: of 255, so far may a picture's values be apart.
_ROUNDING = 2


def halve(spare: int) -> str:
    """Make seven pictures with `spare` megabytes of memory beyond those that the process has by then.

    Raises:
        AssertionError: a picture is another than with memory enough, or what is said isn't of memory.
    """
    done = subprocess.run(
        [sys.executable, "-c", _TWICE, str(spare * 1_000_000)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        env=environment(TF_CPP_MIN_LOG_LEVEL="3"),
    )
    if done.returncode < 0:
        return "batches ended by the system"
    said = done.stderr.partition("now short")[2]
    if done.returncode:
        assert "There isn't enough memory for one picture of last" in said, done.stderr
        return "batches refused"
    word, furthest = done.stdout.split()[-2:]
    assert word == "furthest" and int(furthest) <= _ROUNDING, done.stdout
    return "batches halved" if "memory is short" in said else "batches whole"


def run_short(folder: Path, megabytes: int, expected: dict[str, str]) -> str:
    """Run in so much address space, libraries and their threads included; then freely.

    Args:
        folder: with a finished site under the title `first`.
        megabytes: of address space.
        expected: contents of the site under the title `second`.

    Raises:
        AssertionError: the site isn't whole, what is said isn't of memory, or the free run doesn't end well.
    """
    before = contents(folder / "site")
    write_config(folder, "second")
    done = limited(f"-v {megabytes * 1000}", folder, "config.yaml", "--fresh")
    end = {0: "runs with the same site", 1: "runs with a message"}.get(done.returncode, "runs ended by the system")
    if done.returncode and not done.stderr:
        # TensorFlow's library has ended the process by itself while it was loaded; nobody can catch that.
        end = "runs ended by a library"
    assert contents(folder / "site") == (before if done.returncode else expected), "the site isn't whole"
    if end == "runs with a message":
        last = done.stderr.splitlines()[-1]
        assert last.startswith(("error: memory ran out", "error: There isn't enough memory")), done.stderr
        assert "Traceback" not in done.stderr, done.stderr
    run(folder, "config.yaml", code=0)
    assert contents(folder / "site") == expected and not leftovers(folder)
    write_config(folder, "first")
    run(folder, "config.yaml", code=0)
    assert contents(folder / "site") == before
    return end


def prepare(folder: Path) -> dict[str, str]:
    """A finished site under the title `first`; contents of the one under the title `second`."""
    built(folder)
    write_config(folder, "second")
    run(folder, "config.yaml", "--out", "second", code=0)
    write_config(folder, "first")
    return contents(folder / "second")


def _cases(folder: Path) -> Iterator[Case]:
    expected = prepare(folder)
    for megabytes in range(600, 3001, 200):
        yield f"a run in {megabytes} MB", partial(run_short, folder, megabytes, expected)
    for spare in (400, 150, 100, 80, 60, 40, 30):
        yield f"{spare} MB to spare", partial(halve, spare)


MEMORY = Campaign(
    "Where memory runs short, batches of pictures are halved and the run goes on; where that isn't enough, it says so.",
    "Real runs in less and less address space, and batches of pictures with less and less to spare; every file of the "
    "site is compared by its hash, every picture by its values",
    "the site stood each time, and a run with memory enough then gave the same bytes; pictures of halved batches "
    f"differ by {_ROUNDING} of 255 at most",
    _cases,
)
