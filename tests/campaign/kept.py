"""Kept results that were damaged or forged: each is computed again with a warning, and the site is the same."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tests.campaign import Campaign, Case
from tests.runs import built, contents, run

Change = Callable[[Path, random.Random], None]
_AUTHENTICATED = ("format", "stage", "name", "arrays", "arrays_sha256", "value")
_DAMAGED = "is damaged and is computed again"
_NOT_BELIEVED = "weren't kept under your key"


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
    """Another entry's content, sound in itself: of the wrong shape, or about another channel."""
    others = sorted(other for other in path.parent.parent.rglob(f"*{path.suffix}") if other != path)
    path.write_bytes(draw.choice(others).read_bytes())


DAMAGES: dict[str, Change] = {
    "truncated": _truncated,
    "flipped by a bit": _flipped,
    "of another version": _of_another_version,
    "another result's": _swapped,
}


def _write(path: Path, entry: dict[str, Any]) -> None:
    """Write an entry with the hash that fits it, as anybody can."""
    content = json.dumps([entry[field] for field in _AUTHENTICATED], separators=(",", ":"))
    entry["sha256"] = hashlib.sha256((content + entry["tag"]).encode()).hexdigest()
    path.write_text(json.dumps(entry, separators=(",", ":")))


def _other_numbers(value: Any, draw: random.Random) -> Any:
    if isinstance(value, dict):
        return {key: _other_numbers(item, draw) for key, item in value.items()}
    if isinstance(value, list):
        return [_other_numbers(item, draw) for item in value]
    return value * draw.uniform(2, 9) if isinstance(value, float) else value


def _with_other_figures(path: Path, draw: random.Random) -> None:
    entry = json.loads(path.read_text())
    _write(path, entry | {"value": _other_numbers(entry["value"], draw)})


def _with_other_arrays(path: Path, draw: random.Random) -> None:
    entry = json.loads(path.read_text())
    if not entry["arrays"]:
        _with_other_figures(path, draw)
        return
    file = path.with_name(entry["arrays"])
    with np.load(file) as archive:
        arrays = {name: np.flip(archive[name]) for name in archive.files}
    np.savez(file, **arrays)
    _write(path, entry | {"arrays_sha256": hashlib.sha256(file.read_bytes()).hexdigest()})


def _under_another_name(path: Path, draw: random.Random) -> None:
    """Another entry of the stage, which says that it is this one."""
    others = sorted(other for other in path.parent.glob("*.json") if other != path)
    if not others:
        _with_other_figures(path, draw)
        return
    entry = json.loads(draw.choice(others).read_text())
    if theirs := entry["arrays"]:
        entry["arrays"] = f"{path.stem}-{theirs.partition('-')[2]}"
        shutil.copyfile(path.with_name(theirs), path.with_name(entry["arrays"]))
    _write(path, entry | {"name": path.stem})


def _under_another_key(path: Path, draw: random.Random) -> None:
    entry = json.loads(path.read_text())
    _write(path, entry | {"value": _other_numbers(entry["value"], draw), "tag": draw.randbytes(32).hex()})


FORGERIES: dict[str, Change] = {
    "with other figures": _with_other_figures,
    "with other arrays": _with_other_arrays,
    "another result's under this name": _under_another_name,
    "under another key": _under_another_key,
}


def _build_again(folder: Path, expected: dict[str, str], **environment: str) -> str:
    """What a run says that must give the same site."""
    done = run(folder, "config.yaml", code=0, **environment)
    assert "Traceback" not in done.stderr, done.stderr
    assert contents(folder / "site") == expected, "the site is another"
    return done.stderr


def damage(folder: Path, expected: dict[str, str], how: str, draw: random.Random, most: int = 6) -> Counter[str]:
    """Damage some kept results in one way and build again, twice.

    Raises:
        AssertionError: the site is another, or no warning came.
    """
    cache = folder / ".vizengine-cache"
    stages = sorted(path for path in cache.iterdir() if path.is_dir() and path.name != "files")
    chosen = [draw.choice(sorted(stage.iterdir())) for stage in draw.sample(stages, min(most, len(stages)))]
    for path in chosen:
        DAMAGES[how](path, draw)
    said = _build_again(folder, expected)
    assert _DAMAGED in said, said
    # What the first run needn't read may still be damaged; what it read is whole again.
    assert _DAMAGED not in _build_again(folder, expected)
    return Counter({how: len(chosen)})


def forge(folder: Path, expected: dict[str, str], how: str, draw: random.Random) -> Counter[str]:
    """Forge every kept result in one way, and build.

    Raises:
        AssertionError: a forged figure was believed, or nothing was said.
    """
    chosen = _kept(folder)
    for path in chosen:
        FORGERIES[how](path, draw)
    said = _build_again(folder, expected)
    assert said.count(_NOT_BELIEVED) == 1 and _DAMAGED not in said, said
    return Counter({how: len(chosen)})


def build_as_another_user(folder: Path, expected: dict[str, str]) -> Counter[str]:
    """Build in a folder that another user left, and again with the key under which its results were kept then.

    Raises:
        AssertionError: a result was believed without its key, or computed again with it.
    """
    count, key = len(_kept(folder)), str(folder / "their.key")
    assert _build_again(folder, expected, VIZENGINE_CACHE_KEY=key).count(_NOT_BELIEVED) == 1
    assert _NOT_BELIEVED not in _build_again(folder, expected, VIZENGINE_CACHE_KEY=key)
    assert json.loads((folder / "site" / "build.json").read_text())["seconds_by_stage"] == {}, "computed again"
    return Counter({"another user's": count})


def _kept(folder: Path) -> list[Path]:
    paths = sorted((folder / ".vizengine-cache").glob("*/*.json"))
    return [path for path in paths if path.parent.name != "files"]


def _damage_cases(folder: Path) -> Iterator[Case]:
    draw, expected = random.Random(0), built(folder)
    for number, how in enumerate([*DAMAGES] * 6):
        yield f"round {number} ({how})", partial(damage, folder, expected, how, draw)


def _forgery_cases(folder: Path) -> Iterator[Case]:
    draw, expected = random.Random(0), built(folder)
    for how in FORGERIES:
        yield how, partial(forge, folder, expected, how, draw)
    yield "another user", partial(build_as_another_user, folder, expected)


CACHES = Campaign(
    "A kept result that is damaged is computed again, with a warning, and never gets onto a page.",
    "Files of a finished run's cache are truncated, flipped by a bit, given another version's number or another "
    "result's content, some at a time; then real runs",
    "each run warned, computed what it needed again and gave the same bytes",
    _damage_cases,
)
FORGERY = Campaign(
    "Kept results that came with a folder from somebody else are not believed: what isn't authenticated under the "
    "user's own key, or one that the user named, is computed again.",
    "All results of a finished run's cache get other figures, other arrays, another result's content or another key's "
    "tag, each with hashes that fit; then real runs, one of them as another user. `tests/test_cache_key.py` does the "
    "same to remembered hashes of files, and makes keys by several processes at once and where there is no home",
    "each run said so in one line, computed all of them again and gave the same bytes; with the other user's key "
    "nothing was computed again",
    _forgery_cases,
)
