"""A folder that brings kept results: figures in them are believed only where the user's own key is under them."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.campaign import Campaign, Result, Tally
from tests.runs import built, contents, run

_AUTHENTICATED = ("format", "stage", "name", "arrays", "arrays_sha256", "value")
_TOLD = "weren't kept under your key"


def _write(path: Path, entry: dict[str, Any]) -> None:
    """Write an entry with the hash that fits it, as anybody can."""
    content = json.dumps([entry[field] for field in _AUTHENTICATED], separators=(",", ":"))
    entry["sha256"] = hashlib.sha256((content + entry["tag"]).encode()).hexdigest()
    path.write_text(json.dumps(entry, separators=(",", ":")))


def _figures(value: Any, draw: random.Random) -> Any:
    """The same structure with other numbers."""
    if isinstance(value, dict):
        return {key: _figures(each, draw) for key, each in value.items()}
    if isinstance(value, list):
        return [_figures(each, draw) for each in value]
    if isinstance(value, float):
        return value * draw.uniform(2, 9)
    return value


def _with_other_figures(path: Path, draw: random.Random) -> None:
    entry = json.loads(path.read_text())
    _write(path, entry | {"value": _figures(entry["value"], draw)})


def _with_other_arrays(path: Path, draw: random.Random) -> None:
    import numpy as np

    entry = json.loads(path.read_text())
    if not entry["arrays"]:
        return _with_other_figures(path, draw)
    file = path.with_name(entry["arrays"])
    with np.load(file) as archive:
        arrays = {name: archive[name][::-1].copy() if archive[name].ndim else archive[name] for name in archive.files}
    np.savez(file, **arrays)
    _write(path, entry | {"arrays_sha256": hashlib.sha256(file.read_bytes()).hexdigest()})
    return None


def _under_another_name(path: Path, draw: random.Random) -> None:
    """Another entry of the stage, which says that it is this one."""
    others = sorted(each for each in path.parent.glob("*.json") if each != path)
    if not others:
        return _with_other_figures(path, draw)
    entry = json.loads(draw.choice(others).read_text())
    if entry["arrays"]:
        theirs, entry["arrays"] = entry["arrays"], f"{path.stem}-{entry['arrays'].partition('-')[2]}"
        shutil.copyfile(path.with_name(theirs), path.with_name(entry["arrays"]))
    _write(path, entry | {"name": path.stem})
    return None


def _under_another_key(path: Path, draw: random.Random) -> None:
    """Tagged anew, under a key of the forger's."""
    entry = json.loads(path.read_text())
    _write(path, entry | {"value": _figures(entry["value"], draw), "tag": draw.randbytes(32).hex()})


FORGERIES: dict[str, Callable[[Path, random.Random], None]] = {
    "other figures": _with_other_figures,
    "other arrays": _with_other_arrays,
    "another result, said to be this one": _under_another_name,
    "under another key": _under_another_key,
}


def forge(folder: Path, expected: dict[str, str], how: str, draw: random.Random) -> int:
    """Forge every kept result in one way, and build.

    Returns:
        how many were forged.

    Raises:
        AssertionError: a forged figure was believed, or nothing was said.
    """
    kept = folder / ".vizengine-cache"
    chosen = [each for each in sorted(kept.glob("*/*.json")) if each.parent.name != "files"]
    for path in chosen:
        FORGERIES[how](path, draw)
    _build_again(folder, expected)
    return len(chosen)


def other_user(folder: Path, expected: dict[str, str]) -> int:
    """Build as another user, who is left with the folder; what they keep is used by who names their key.

    Returns:
        how many results there were.

    Raises:
        AssertionError: a result was believed without the key, or computed again with it.
    """
    kept = folder / ".vizengine-cache"
    count = sum(1 for each in kept.glob("*/*.json") if each.parent.name != "files")
    key = str(folder / "their.key")
    _build_again(folder, expected, VIZENGINE_CACHE_KEY=key)
    done = run(folder, "config.yaml", VIZENGINE_CACHE_KEY=key)
    assert done.returncode == 0 and _TOLD not in done.stderr, done.stderr
    assert json.loads((folder / "site" / "build.json").read_text())["seconds_by_stage"] == {}, "computed again"
    return count


def _build_again(folder: Path, expected: dict[str, str], **environment: str) -> None:
    done = run(folder, "config.yaml", **environment)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    assert contents(folder / "site") == expected, "a forged result got onto the page"
    assert done.stderr.count(_TOLD) == 1, done.stderr
    assert "is damaged" not in done.stderr, done.stderr


def campaign(rounds: int = 4, seed: int = 0) -> Result:
    """So many rounds, of every kind in turn, and one with the results of another user."""
    draw, tally, forged = random.Random(seed), Tally(), 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        expected = built(folder)
        for number in range(rounds):
            how = list(FORGERIES)[number % len(FORGERIES)]
            with tally.case(f"round {number} ({how})"):
                forged += forge(folder, expected, how, draw)
        with tally.case("another user"):
            forged += other_user(folder, expected)
    tally.cases = forged
    return tally.result(
        f"in {rounds + 1} rounds each run said so in one line, computed all of them again and gave the same bytes",
        "with the other user's key nothing was computed again",
    )


FORGERY = Campaign(
    "Kept results that came with a folder from somebody else are not believed: what isn't authenticated under the "
    "user's own key, or one that the user named, is computed again.",
    "All results of a finished run's cache get other figures, other arrays, another result's content or another key's "
    "tag, each with hashes that fit; then real runs, one of them as another user. `tests/test_cache_key.py` does the "
    "same to remembered hashes of files, and makes keys by several processes at once and where there is no home",
    campaign,
)
