"""Kept results are believed where they were kept under the user's own key, or one that the user named."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.places import REPOSITORY
from vizengine import cache as cache_key
from vizengine.cache import Cache
from vizengine.errors import VizengineError
from vizengine.layers.runner import RunLog

As = Callable[[str], None]
Result = dict[str, Any]


@pytest.fixture
def as_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> As:
    """Makes what follows be done by a user of that name, each with a home of their own."""
    monkeypatch.delenv(cache_key.KEY_VARIABLE, raising=False)

    def become(name: str) -> None:
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "homes" / name))

    become("anna")
    return become


def _result(value: float) -> Result:
    return {"reached": value, "picture": np.full(3, value)}


def _keep(folder: Path, value: float, **key: int) -> float:
    """What a run takes for the result: the kept one, or `value`, which it computes."""
    kept = Cache(folder).get_or_compute("stage", key, dict[str, float | np.ndarray], lambda: _result(value))
    assert (kept["picture"] == kept["reached"]).all()
    return float(kept["reached"])


def test_results_of_somebody_else_are_computed_again_and_told_of_once(
    tmp_path: Path, as_user: As, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "cache"
    assert [_keep(folder, 1, unit=unit) for unit in range(3)] == [1, 1, 1]
    as_user("ben")
    with caplog.at_level(logging.INFO):
        assert not Cache(folder).contains("stage", {"unit": 0})
        assert [_keep(folder, 2, unit=unit) for unit in range(3)] == [2, 2, 2]
    assert len(caplog.messages) == 1 and cache_key.KEY_VARIABLE in caplog.text
    assert [_keep(folder, 3, unit=unit) for unit in range(3)] == [2, 2, 2]


def test_who_names_one_key_shares_results(tmp_path: Path, as_user: As, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, key = tmp_path / "cache", tmp_path / "class.key"
    monkeypatch.setenv(cache_key.KEY_VARIABLE, str(key))
    assert _keep(folder, 1) == 1
    assert key.stat().st_mode & 0o777 == 0o600
    as_user("ben")
    assert Cache(folder).contains("stage", {})
    assert _keep(folder, 2) == 1
    monkeypatch.delenv(cache_key.KEY_VARIABLE)
    assert _keep(folder, 2) == 2


def _forge(path: Path, **changes: Any) -> None:
    """Change an entry, and make its hash anew, as anybody can."""
    entry = json.loads(path.read_text()) | changes
    fields = ("format", "stage", "name", "arrays", "arrays_sha256", "value")
    content = json.dumps([entry[field] for field in fields], separators=(",", ":")).encode()
    entry["sha256"] = hashlib.sha256(content + entry["tag"].encode()).hexdigest()
    path.write_text(json.dumps(entry, separators=(",", ":")))


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*.json"))


def test_a_forged_figure_is_computed_again(tmp_path: Path, as_user: As) -> None:
    _keep(tmp_path, 1)
    (path,) = _entries(tmp_path)
    _forge(path)
    assert _keep(tmp_path, 2) == 1, "the forger's hash is right"
    value = json.loads(path.read_text())["value"]
    _forge(path, value=json.loads(json.dumps(value).replace("1", "123456", 1)))
    assert "123456" in path.read_text()
    assert _keep(tmp_path, 2) == 2


def test_a_forged_array_is_computed_again(tmp_path: Path, as_user: As) -> None:
    _keep(tmp_path, 1)
    (path,) = _entries(tmp_path)
    (arrays,) = path.parent.glob("*.npz")
    np.savez(arrays, array0=np.full(3, 123456.0))
    _forge(path, arrays_sha256=hashlib.sha256(arrays.read_bytes()).hexdigest())
    assert _keep(tmp_path, 2) == 2


@pytest.mark.parametrize("renamed", [False, True])
def test_a_sound_result_that_was_moved_is_computed_again(tmp_path: Path, as_user: As, renamed: bool) -> None:
    assert [_keep(tmp_path, unit, unit=unit) for unit in (1, 2)] == [1, 2]
    one, two = _entries(tmp_path)
    one.write_bytes(two.read_bytes())
    if renamed:
        _forge(one, name=one.stem)
    assert [_keep(tmp_path, unit + 2, unit=unit) for unit in (1, 2)] in ([1, 4], [3, 2])


def test_a_result_of_another_stage_is_computed_again(tmp_path: Path, as_user: As) -> None:
    _keep(tmp_path, 1)
    (path,) = _entries(tmp_path)
    cache = Cache(tmp_path)
    target = cache._path("other", {})
    target.parent.mkdir()
    for each in path.parent.iterdir():
        (target.parent / each.name.replace(path.stem, target.stem)).write_bytes(each.read_bytes())
    _forge(target, stage="other", name=target.stem)
    assert not cache.contains("other", {})


def test_a_remembered_hash_of_somebody_else_is_forgotten(tmp_path: Path, as_user: As) -> None:
    files = [tmp_path / name for name in ("genuine.h5", "forged.h5")]
    for file in files:
        file.write_bytes(file.name.encode())
        os.utime(file, (0, 0))
    folder = tmp_path / "cache"
    digests = [Cache(folder).file_sha256(file) for file in files]
    notes = {json.loads(note.read_text())["sha256"]: note for note in (folder / "files").iterdir()}
    # The note of one in the place of the other's, then one's hash in the other's note.
    genuine, forged = (notes[digest] for digest in digests)
    kept = forged.read_text()
    for planted in (genuine.read_text(), kept.replace(digests[1], digests[0])):
        forged.write_text(planted)
        assert Cache(folder).file_sha256(files[1]) == digests[1]
    # Sound, under another user's key: it is read again, which shows where the file changed behind its size and time.
    os.utime(files[0], (0, 0))
    files[0].write_bytes(b"changed.h5")
    os.utime(files[0], (0, 0))
    assert Cache(folder).file_sha256(files[0]) == digests[0]
    as_user("ben")
    assert Cache(folder).file_sha256(files[0]) == hashlib.sha256(b"changed.h5").hexdigest()


def test_processes_that_make_the_key_at_once_have_one(tmp_path: Path) -> None:
    path = tmp_path / "key"
    program = (
        "import sys, time; import vizengine.cache as k; time.sleep(max(0, float(sys.argv[1]) - time.time())); "
        "print(k.tag(b''))"
    )
    command = [sys.executable, "-c", program, str(time.time() + 2)]
    environment = {**os.environ, cache_key.KEY_VARIABLE: str(path)}
    processes = [
        subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(6)
    ]
    assert len({process.communicate(timeout=60)[0] for process in processes}) == 1
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("content", "words"), [(b"short", "holds 5 bytes"), (None, "can't be read or made")])
def test_a_named_file_that_is_no_key_is_an_error(
    tmp_path: Path, as_user: As, monkeypatch: pytest.MonkeyPatch, content: bytes | None, words: str
) -> None:
    path = tmp_path / "class.key" if content else tmp_path / "nowhere" / "class.key"
    if content:
        path.write_bytes(content)
    monkeypatch.setenv(cache_key.KEY_VARIABLE, str(path))
    with pytest.raises(VizengineError, match=f"{cache_key.KEY_VARIABLE} names {path}, which {words}"):
        _keep(tmp_path / "cache", 1)


def test_without_a_home_results_are_kept_for_this_run_alone(
    tmp_path: Path, as_user: As, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # Whatever is set here by the program is taken back by the test.
    monkeypatch.setenv(cache_key.KEY_VARIABLE, "")
    (tmp_path / "homes").write_text("a file in the way")
    folder = tmp_path / "cache"
    with caplog.at_level(logging.INFO):
        assert [_keep(folder, 1), _keep(folder, 2)] == [1, 1]
    assert len(caplog.messages) == 1 and "computes again" in caplog.text
    # A worker that this process starts reads what it kept.
    program = (
        "import sys; from pathlib import Path; from vizengine.cache import Cache; "
        "print(Cache(Path(sys.argv[1])).contains('stage', {}))"
    )

    def seen(**more: str) -> str:
        command = [sys.executable, "-c", program, str(folder)]
        return subprocess.run(
            command, cwd=REPOSITORY, env={**os.environ, **more}, capture_output=True, text=True, check=True
        ).stdout

    assert seen() == "True\n"
    assert seen(**{cache_key.KEY_VARIABLE: ""}) == "False\n"


def test_results_and_logs_are_not_written_through_links(tmp_path: Path) -> None:
    (tmp_path / "victim").mkdir()
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "stage").symlink_to(tmp_path / "victim")
    with pytest.raises(VizengineError, match=r"cache holds links \(stage\)"):
        Cache(tmp_path / "cache")
    (tmp_path / "victim.log").write_text("mine")
    (tmp_path / "run.log").symlink_to(tmp_path / "victim.log")
    log = RunLog(tmp_path / "run.log")
    log.line("job")
    log.close()
    assert (tmp_path / "victim.log").read_text() == "mine" and "job" in (tmp_path / "run.log").read_text()
