"""The cache on a real disk: what is kept comes back bit by bit, and nothing else is trusted."""

from __future__ import annotations

import logging
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.places import REPOSITORY
from vizengine import cache
from vizengine.cache import Cache


@dataclass(frozen=True)
class Part:
    """A part of a result."""

    name: str
    picture: NDArray[np.uint8]
    share: float | None
    sign: Literal["up", "down"]


@dataclass(frozen=True)
class Whole:
    """A result with every kind of field."""

    parts: tuple[Part, ...]
    pair: tuple[int, str]
    table: dict[str, tuple[float, ...]]
    counts: list[int]
    number: int | float
    fine: bool
    nothing: None = None


@dataclass(frozen=True)
class Single:
    """One float."""

    value: float


def _whole() -> Whole:
    generator = np.random.default_rng(0)
    parts = (
        Part("a", generator.integers(0, 256, (4, 5, 3), dtype=np.uint8), 0.1 + 0.2, "up"),
        Part("b", np.zeros((0, 3), np.uint8), None, "down"),
    )
    table = {"odd": (math.nan, math.inf, -math.inf, -0.0, 5e-324, 1e308), "array": (), "key with \u00e9": (1.0,)}
    return Whole(parts, (2**70, "text\n\u2603"), table, [1, 2], 7, True)


def _never() -> Any:
    raise AssertionError("computed again")


def test_a_result_comes_back_exactly(tmp_path: Path) -> None:
    computed = Cache(tmp_path).get_or_compute("stage", {"a": 1}, Whole, _whole)
    kept = Cache(tmp_path).get_or_compute("stage", {"a": 1}, Whole, _never)
    for result in (computed, kept):
        assert repr(result) == repr(_whole())
        assert result.parts[0].picture.dtype == np.uint8
        assert result.parts[1].picture.shape == (0, 3)
        assert math.copysign(1, result.table["odd"][3]) == -1
        assert type(result.number) is int
        assert type(result.pair) is tuple


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.float32).reshape(2, 3).T,
        np.array([np.nan, np.inf, -0.0], np.float64),
        np.array(3.5, np.float16),
        np.array([True, False]),
        np.array(["text", "\u2603"]),
        np.arange(4, dtype=">i4"),
        np.array([1 + 2j], np.complex64),
        np.arange(10)[::-2],
    ],
)
def test_arrays_of_any_kind(tmp_path: Path, array: NDArray[Any]) -> None:
    computed = Cache(tmp_path).get_or_compute("stage", {}, np.ndarray, lambda: array)
    kept = Cache(tmp_path).get_or_compute("stage", {}, np.ndarray, _never)
    for result in (computed, kept):
        np.testing.assert_array_equal(result, array, strict=True)
        assert result.flags.c_contiguous
    assert computed.strides == kept.strides
    assert kept.tobytes() == array.tobytes()


def test_what_is_computed_is_returned_as_it_will_be_read(tmp_path: Path) -> None:
    """A whole number in a field for floats, or NumPy's own scalar, prints alike on the first run and the second."""
    for index, value in enumerate((5, np.float32(0.1), np.int64(3))):
        computed = Cache(tmp_path).get_or_compute("stage", {"i": index}, Single, lambda value=value: Single(value))  # type: ignore[misc]
        kept = Cache(tmp_path).get_or_compute("stage", {"i": index}, Single, _never)
        assert repr(computed) == repr(kept)
        assert type(computed.value) is float


def test_another_key_or_stage_is_another_result(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    requests = [("one", {"a": 1}), ("one", {"a": 2}), ("two", {"a": 1}), ("one", {"a": "1"}), ("one", {"a": [1]})]
    for index, (stage, key) in enumerate(requests):
        assert cache.get_or_compute(stage, key, int, lambda index=index: index) == index  # type: ignore[misc]
    assert cache.get_or_compute("one", {"a": (1,)}, int, _never) == 4
    key = {"b": 2, "a": 1}
    cache.get_or_compute("one", key, int, lambda: 9)
    assert cache.get_or_compute("one", dict(reversed(key.items())), int, _never) == 9


def test_fresh_computes_each_key_once_and_overwrites(tmp_path: Path) -> None:
    Cache(tmp_path).get_or_compute("stage", {}, Single, lambda: Single(1.0))
    cache = Cache(tmp_path, fresh=True)
    assert cache.get_or_compute("stage", {}, Single, lambda: Single(2.0)) == Single(2.0)
    assert cache.get_or_compute("stage", {}, Single, _never) == Single(2.0)
    assert Cache(tmp_path).get_or_compute("stage", {}, Single, _never) == Single(2.0)


def _plant(path: Path) -> None:
    """Another file in its place: valid, but not the one that was written."""
    with path.open("wb") as file:
        np.savez(file, array0=np.array([object()], dtype=object))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "empty": lambda path: path.write_bytes(b""),
    "removed": Path.unlink,
    "planted": _plant,
}


@pytest.mark.parametrize("ending", ["json", "npz"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_entry_is_computed_again(
    tmp_path: Path, ending: str, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    Cache(tmp_path).get_or_compute("stage", {}, Whole, _whole)
    (file,) = (tmp_path / "stage").glob(f"*.{ending}")
    DAMAGES[damage](file)
    again = Cache(tmp_path)
    with caplog.at_level(logging.WARNING):
        assert not again.find("stage", {}, Whole)[0]
        assert repr(again.get_or_compute("stage", {}, Whole, _whole)) == repr(_whole())
    # Without the .json there is no entry at all, which is no damage.
    assert ("damaged" in caplog.text) == ((ending, damage) != ("json", "removed"))
    assert repr(Cache(tmp_path).get_or_compute("stage", {}, Whole, _never)) == repr(_whole())


def test_an_entry_of_another_shape_is_computed_again(tmp_path: Path) -> None:
    """As after an update whose dataclass has other fields, where the stage's version was forgotten."""
    Cache(tmp_path).get_or_compute("stage", {}, dict[str, float], lambda: {"other": 1.0})
    assert Cache(tmp_path).get_or_compute("stage", {}, Single, lambda: Single(1.0)) == Single(1.0)


def test_every_single_bit_that_flips_is_seen(tmp_path: Path) -> None:
    """The result is computed again, or is what was kept: where a flip changes the case of a hexadecimal digit."""
    _ = Cache(tmp_path).get_or_compute("stage", {}, Part, lambda: Part("é", np.arange(4, dtype=np.uint8), 1e-9, "up"))
    for path in (tmp_path / "stage").iterdir():
        whole = path.read_bytes()
        for bit in range(0, 8 * len(whole), 5):
            damaged = bytearray(whole)
            damaged[bit // 8] ^= 1 << bit % 8
            path.write_bytes(damaged)
            found, part = Cache(tmp_path).find("stage", {}, Part)
            assert not found or repr(part) == repr(Part("é", np.arange(4, dtype=np.uint8), 1e-9, "up")), bit
        path.write_bytes(whole)


def test_a_failed_computation_leaves_nothing(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    with pytest.raises(ZeroDivisionError):
        cache.get_or_compute("stage", {}, float, lambda: 1 / 0)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ({"path": Path("a")}, 1, "not JSON serializable"),
        ({}, Path("a"), "can't be stored"),
        ({}, np.array([object()]), "can't be stored"),
        ({}, {1: 2}, "can't be stored"),
    ],
)
def test_what_cant_be_stored_is_refused(tmp_path: Path, key: dict[str, Any], value: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        Cache(tmp_path).get_or_compute("stage", key, type(value), lambda: value)


def test_a_folder_that_cant_be_written_is_only_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = Cache(tmp_path / "file")
    assert cache.get_or_compute("stage", {}, int, lambda: 3) == 3
    assert "can't be kept" in caplog.text
    (tmp_path / "photo").write_bytes(b"abc")
    assert cache.file_sha256(tmp_path / "photo").startswith("ba7816bf")


def test_what_a_killed_run_was_writing_is_removed_after_an_hour(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    _ = cache.get_or_compute("stage", {"a": 1}, int, lambda: 1)
    old, new = tmp_path / "stage" / "x.json.1-a.part", tmp_path / "stage" / "y.json.2-b.part"
    for path in (old, new):
        path.write_text("half")
    os.utime(old, (0, time.time() - 7200))
    _ = Cache(tmp_path).get_or_compute("stage", {"a": 2}, int, lambda: 2)
    assert not old.exists() and new.exists()


def test_git_passes_the_folder_over(tmp_path: Path) -> None:
    Cache(tmp_path / "cache").get_or_compute("stage", {}, int, lambda: 3)
    assert (tmp_path / "cache" / ".gitignore").read_text() == "*\n"
    assert not list(tmp_path.rglob("*.part"))


_WRITER = """
import sys
import numpy as np
from pathlib import Path
from vizengine.cache import Cache
number = int(sys.argv[2])
for round in range(40):
    cache = Cache(Path(sys.argv[1]), fresh=True)
    got = cache.get_or_compute("stage", {"round": round % 2}, dict[str, np.ndarray | int],
                               lambda: {"number": number, "array": np.full(5000, number)})
    for reader in range(2):
        kept = Cache(Path(sys.argv[1])).get_or_compute("stage", {"round": reader}, dict[str, np.ndarray | int],
                                                       lambda: {"number": -1, "array": np.full(5000, -1)})
        assert (kept["array"] == kept["number"]).all(), "two results were mixed"
"""


def test_processes_that_write_one_entry_never_mix_their_results(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path), str(number)],
            cwd=REPOSITORY,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    assert not list(tmp_path.rglob("*.part"))


def test_the_hash_of_a_file_is_remembered_until_the_file_changes(tmp_path: Path) -> None:
    file, folder = tmp_path / "weights.h5", tmp_path / "cache"
    file.write_bytes(b"abc")
    long_ago = time.time_ns() - 10**12
    os.utime(file, ns=(long_ago, long_ago))
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert Cache(folder).file_sha256(file) == expected
    (note,) = (folder / "files").iterdir()
    assert str(tmp_path) not in note.read_text()
    # Changed behind the back of size, time and place: what comes back was remembered, not read.
    file.write_bytes(b"abd")
    os.utime(file, ns=(long_ago, long_ago))
    assert Cache(folder).file_sha256(file) == expected
    os.utime(file, ns=(long_ago + 1, long_ago + 1))
    changed = Cache(folder).file_sha256(file)
    assert changed != expected
    note.write_text("{")
    assert Cache(folder).file_sha256(file) == changed
    os.replace(_copy(file, b"abc", long_ago + 1), file)
    assert Cache(folder).file_sha256(file) == expected


def test_a_remembered_hash_that_is_damaged_is_forgotten(tmp_path: Path) -> None:
    file, folder = tmp_path / "weights.h5", tmp_path / "cache"
    file.write_bytes(b"abc")
    os.utime(file, (0, 0))
    digest = Cache(folder).file_sha256(file)
    (note,) = (folder / "files").iterdir()
    whole = note.read_bytes()
    for bit in range(0, 8 * len(whole), 7):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        note.write_bytes(damaged)
        assert Cache(tmp_path / "cache").file_sha256(file) == digest, bit


def _copy(file: Path, content: bytes, time_ns: int) -> Path:
    """Another file of the same size and time."""
    other = file.with_suffix(".other")
    other.write_bytes(content)
    os.utime(other, ns=(time_ns, time_ns))
    return other


def test_a_file_written_a_moment_ago_is_not_trusted_to_stay(tmp_path: Path) -> None:
    """It could change again within one tick of the file system's clock."""
    file, cache = tmp_path / "file", Cache(tmp_path / "cache")
    file.write_bytes(b"abc")
    now = file.stat().st_mtime_ns
    first = cache.file_sha256(file)
    file.write_bytes(b"abd")
    os.utime(file, ns=(now, now))
    assert cache.file_sha256(file) != first


def test_the_hash_of_the_code_changes_with_the_code_of_its_rooms_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "__file__", str(tmp_path / "cache.py"))
    module = tmp_path / "room" / "deep" / "module.py"
    module.parent.mkdir(parents=True)

    def digest(content: bytes) -> str:
        module.write_bytes(content)
        return cache.source_hash("room")

    before = digest(b"a = 1\n")
    (module.parent / "notes.txt").write_text("no code")
    (tmp_path / "cache.py").write_text("another_room = 1")
    assert digest(b"a = 1\r\n") == before != digest(b"a = 2\n")
