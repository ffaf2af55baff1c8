"""Kept results that are damaged on disk: each is computed again with a warning, and the site is the same."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.campaign import Campaign, Result, Tally
from tests.runs import built, contents, run


def _truncated(path: Path, draw: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: draw.randrange(len(content))])


def _flipped(path: Path, draw: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    path.write_bytes(content)


def _of_another_version(path: Path, draw: random.Random) -> None:
    structure = path if path.suffix == ".json" else path.with_name(f"{path.name.partition('-')[0]}.json")
    entry = json.loads(structure.read_text())
    structure.write_text(json.dumps(entry | {"format": entry["format"] + draw.randrange(1, 9)}))


def _swapped(path: Path, draw: random.Random) -> None:
    """Another entry's content, sound in itself, under this one's name: of the wrong shape, or about another channel."""
    others = sorted(each for each in path.parent.parent.rglob(f"*{path.suffix}") if each != path)
    path.write_bytes(draw.choice(others).read_bytes())


DAMAGES: dict[str, Callable[[Path, random.Random], None]] = {
    "truncated": _truncated,
    "flipped by a bit": _flipped,
    "written by another version": _of_another_version,
    "another result's": _swapped,
}


def damage(folder: Path, expected: dict[str, str], how: str, count: int, draw: random.Random) -> int:
    """Damage some kept results in one way and build again.

    Returns:
        how many were damaged and read by the run; it says so of each.

    Raises:
        AssertionError: a promise was broken.
    """
    kept = folder / ".vizengine-cache"
    stages = sorted(each for each in kept.iterdir() if each.is_dir() and each.name != "files")
    chosen = [draw.choice(sorted(each.iterdir())) for each in draw.sample(stages, min(count, len(stages)))]
    for path in chosen:
        DAMAGES[how](path, draw)
    done = run(folder, "config.yaml")
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    assert contents(folder / "site") == expected, "the site is another"
    warned = done.stderr.count("is damaged and is computed again")
    assert warned, done.stderr
    again = run(folder, "config.yaml")
    # What the first run needn't read may still be damaged; what it read is whole again.
    assert again.returncode == 0 and again.stderr.count("is damaged") == 0, again.stderr
    return len(chosen)


def campaign(rounds: int = 24, seed: int = 0) -> Result:
    """So many rounds of some damages each, of every kind in turn."""
    draw, tally, damaged = random.Random(seed), Tally(), 0
    with tempfile.TemporaryDirectory() as folder:
        expected = built(Path(folder))
        for number in range(rounds):
            how = list(DAMAGES)[number % len(DAMAGES)]
            with tally.case(f"round {number} ({how})", 0):
                damaged += damage(Path(folder), expected, how, 6, draw)
    tally.cases = damaged
    return tally.result(f"in {rounds} rounds each run warned, computed what it needed again and gave the same bytes")


CACHES = Campaign(
    "A kept result that is damaged is computed again, with a warning, and never gets onto a page.",
    "Files of a finished run's cache are truncated, flipped by a bit, given another version's number or another "
    "result's content, some at a time; then real runs",
    campaign,
)
