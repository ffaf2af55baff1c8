"""Results of stages, kept in a folder, and the key by which a user's own are known.

Nobody without the key can make a result that is believed. It lies outside of every config's folder, so that a folder
from a stranger can't bring it along with results.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import hmac
import io
import json
import logging
import os
import re
import secrets
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Generic, TypeVar

from vizengine.errors import VizengineError

logger = logging.getLogger(__name__)
KEY_VARIABLE = "VIZENGINE_CACHE_KEY"
"""Environment variable that names a key's file, for those who share results."""
_FILE = "cache.key"
_SHORTEST = 32


def tag(message: bytes) -> str:
    """The HMAC-SHA256 of a message under this user's key, in hexadecimal.

    Raises:
        VizengineError: the variable names a file that is no key and can't be made one.
    """
    return hmac.new(_key(), message, "sha256").hexdigest()


def _key() -> bytes:
    if named := os.environ.get(KEY_VARIABLE):
        return _shared(Path(named).expanduser())
    import platformdirs

    return _of_user(platformdirs.user_data_path("vizengine", appauthor=False) / _FILE)


@lru_cache
def _shared(path: Path) -> bytes:
    """The key that the variable names; it is made where there is none."""
    try:
        key = _read_or_make(path)
    except OSError as error:
        raise VizengineError(
            f"{KEY_VARIABLE} names {path}, which can't be read or made: {(error.strerror or str(error)).lower()}. "
            "Expected a file of your own in a folder that is there; name one, or leave the variable out."
        ) from error
    if len(key) < _SHORTEST:
        raise VizengineError(
            f"{KEY_VARIABLE} names {path}, which holds {len(key)} bytes. Expected a key of {_SHORTEST} or more; remove "
            "the file, and a key is made, or leave the variable out."
        )
    return key


@lru_cache
def _of_user(path: Path) -> bytes:
    """The key in the user's own folder; where none can be had, one for this process and those that it starts."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        key = _read_or_make(path)
        if len(key) >= _SHORTEST:
            return key
        reason = f"it holds {len(key)} bytes, expected {_SHORTEST} or more"
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
    logger.info(
        "no key for kept results can be had in %s (%s), so the next run can't know this one's and computes again; "
        "%s may name another place for it",
        path,
        reason,
        KEY_VARIABLE,
    )
    key = secrets.token_hex(32).encode()
    with contextlib.suppress(OSError):
        # Worker processes that this one starts find it through the environment.
        descriptor, name = tempfile.mkstemp(prefix="vizengine-", suffix=".key")
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
        atexit.register(_remove, Path(name), os.getpid())
        os.environ[KEY_VARIABLE] = name
    return key


def _remove(path: Path, process: int) -> None:
    # A forked process runs this too.
    if os.getpid() == process:
        path.unlink(missing_ok=True)


def _read_or_make(path: Path) -> bytes:
    """The content of a key's file, without white space around it; the file is made where there is none.

    Raises:
        OSError: it can't be read or made.
    """
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes().strip()
    temporary = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_hex(32).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        # Of two processes that make it at once, both end with the key of the first.
        os.link(temporary, path)
    except FileExistsError:
        pass
    except OSError:  # A file system without links; here the later one would win.
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path.read_bytes().strip()


T = TypeVar("T")
CACHE_FOLDER = ".vizengine-cache"
"""Name of the cache's folder, beside the config."""
_FORMAT = 2
_AUTHENTICATED = ("format", "stage", "name", "arrays", "arrays_sha256", "value")
_STAGE = re.compile(r"[a-z0-9][a-z0-9_-]*")
_SETTLED_NANOSECONDS = 2_000_000_000
_ABANDONED_SECONDS = 3600
# Folders of whose results under another key this process has told.
_told: set[Path] = set()
_DAMAGES = (
    *(OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, RecursionError),
    zipfile.BadZipFile,
)
"""What reading a file raises that isn't as it was written."""


@dataclass(frozen=True)
class Stage(Generic[T]):
    """A computation whose results are kept.

    Attributes:
        name: small letters, digits, hyphens and underscores.
        result: type of the result, as for `Cache.get_or_compute`.
        version: raised when what is computed changes, so that results of earlier versions aren't used any more.
            `tests/test_stages.py` fails where the code changed and the version didn't.
        code: functions and classes that compute it; what these use belongs to it without being named.
        reads: stages whose results go into it, and whose versions therefore count.
    """

    name: str
    result: type[T]
    version: int
    code: tuple[Callable[..., Any], ...]
    reads: tuple[Stage[Any], ...] = ()

    @property
    def versions(self) -> dict[str, int]:
        """Version of this stage and of all that go into it, by name."""
        versions = {self.name: self.version}
        for stage in self.reads:
            versions.update(stage.versions)
        return versions


class Cache:
    """A folder of results.

    Attributes:
        folder: where they lie; made when the first is written.
        fresh: whether entries from earlier runs are computed anew and overwritten.

    Raises:
        VizengineError: the folder holds links.
    """

    def __init__(self, folder: Path, fresh: bool = False) -> None:
        self.folder = folder
        self.fresh = fresh
        self._renewed: set[Path] = set()
        self._tidied: set[Path] = set()
        links = [path.name for path in folder.iterdir() if path.is_symlink()] if folder.is_dir() else []
        if links:
            raise VizengineError(
                f"{folder} holds links ({', '.join(sorted(links))}), through which results would be written elsewhere. "
                "Expected folders of its own; remove the links, or the whole folder, which is made again."
            )

    def get_or_compute(self, stage: str, key: Mapping[str, Any], result_type: type[T], compute: Callable[[], T]) -> T:
        """The result that `key` asks for, from the folder or else from `compute`.

        What comes back from `compute` is returned as it will be read later, so that a first and a second run
        can't differ: a float is a float, arrays are C-contiguous.

        Args:
            stage: name of the computation: small letters, digits, hyphens and underscores.
            key: everything that the result depends on, as JSON can hold it.
            result_type: a dataclass (fields: dataclasses, tuples, lists, dicts with text keys, arrays of any
                dtype but objects, Literal, str, bool, int, float, None, and unions of them), or one of these.
            compute: makes the result; whatever it raises goes through, and nothing is kept.

        Raises:
            ValueError: the stage's name isn't as above.
            TypeError: the key or the result can't be stored.
        """
        is_there, result = self.find(stage, key, result_type)
        return result if is_there else self.keep(stage, key, result_type, compute())

    def find(self, stage: str, key: Mapping[str, Any], result_type: type[T]) -> tuple[bool, T]:
        """Whether the folder has the result that `key` asks for, and the result (None where it hasn't)."""
        # NumPy is loaded here, so that `--help` doesn't wait for it.
        from vizengine.encoding import decode

        path = self._path(stage, key)
        nothing: Any = None
        if self._is_passed_over(path):
            return False, nothing
        try:
            entry = self._entry(path)
            if entry is None:
                return False, nothing
            name = entry["arrays"]
            arrays = _read_arrays(path.with_name(Path(name).name), entry["arrays_sha256"]) if name else {}
            return True, decode(result_type, entry["value"], arrays)
        except _DAMAGES as error:
            name = f"{path.parent.name}/{path.name}"
            logger.warning("the kept result %s is damaged and is computed again: %s", name, error)
        return False, nothing

    def keep(self, stage: str, key: Mapping[str, Any], result_type: type[T], result: T) -> T:
        """Keep a result, and return it as it will be read later."""
        from vizengine.encoding import decode, encode

        path = self._path(stage, key)
        arrays: dict[str, Any] = {}
        value = encode(result, arrays)
        as_read: T = decode(result_type, json.loads(_dump(value)), arrays)
        try:
            self._write(path, value, arrays)
            if self.fresh:
                self._renewed.add(path)
        except OSError as error:
            logger.warning("the result of %s can't be kept in %s: %s", stage, self.folder, error)
        return as_read

    def contains(self, stage: str, key: Mapping[str, Any]) -> bool:
        """Whether there is an entry that a run may use; whether its arrays are sound shows when it is read."""
        path = self._path(stage, key)
        try:
            return not self._is_passed_over(path) and self._entry(path) is not None
        except _DAMAGES:
            return False

    def file_sha256(self, path: Path) -> str:
        """The sha256 of a file, in hexadecimal, remembered while its size, time and place on disk stay as they are.

        Raises:
            OSError: the file can't be read.
        """
        absolute = str(path.resolve())
        note = self.folder / "files" / f"{hashlib.sha256(absolute.encode('utf-8', 'surrogateescape')).hexdigest()}.json"

        def state() -> tuple[int, int, int]:
            status = path.stat()
            return status.st_size, status.st_mtime_ns, status.st_ino

        def tag_of(sha256: str) -> str:
            return tag(_dump(["files", note.stem, before, sha256]).encode())

        before = state()
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            remembered = json.loads(note.read_text(encoding="utf-8"))
            if hmac.compare_digest(remembered["tag"].encode(), tag_of(remembered["sha256"]).encode()):
                return str(remembered["sha256"])
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        # A file that was written a moment ago may change again within the same tick of the clock.
        if time.time_ns() - before[1] > _SETTLED_NANOSECONDS and state() == before:
            try:
                self._replace(note, _dump({"sha256": sha256, "tag": tag_of(sha256)}).encode())
            except OSError as error:
                logger.debug("the hash of %s can't be remembered: %s", path, error)
        return sha256

    def _is_passed_over(self, path: Path) -> bool:
        """Whether an entry is of an earlier run, and everything is to be computed anew."""
        return self.fresh and path not in self._renewed

    def _path(self, stage: str, key: Mapping[str, Any]) -> Path:
        if not _STAGE.fullmatch(stage):
            raise ValueError(f"a stage's name is small letters, digits, hyphens and underscores. Received: {stage!r}")
        name = hashlib.sha256(_dump({"stage": stage, "key": dict(key)}, sort=True).encode()).hexdigest()
        return self.folder / stage / f"{name}.json"

    def _entry(self, path: Path) -> dict[str, Any] | None:
        """The structure of an entry; None where there is none that was kept under this user's key.

        Raises one of `_DAMAGES` where it isn't as it was written.
        """
        try:
            entry = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        if entry["format"] != _FORMAT:
            raise ValueError(f"written in format {entry['format']}, expected {_FORMAT}")
        content = _dump([entry[field] for field in _AUTHENTICATED]).encode()
        if _sha256(content + entry["tag"].encode()) != entry["sha256"]:
            raise ValueError("the structure doesn't have the hash that it was written with")
        if not hmac.compare_digest(entry["tag"].encode(), tag(content).encode()):
            if (folder := self.folder.resolve()) not in _told:
                _told.add(folder)
                logger.info(
                    "%s holds results that weren't kept under your key; they are computed again. To use those of "
                    "somebody whom you trust, let %s name the file with their key",
                    self.folder,
                    KEY_VARIABLE,
                )
            return None
        if (entry["stage"], entry["name"]) != (path.parent.name, path.stem):
            raise ValueError("it is another result, kept under another name")
        return dict(entry)

    def _write(self, path: Path, value: Any, arrays: dict[str, Any]) -> None:
        import numpy as np

        entry = {"format": _FORMAT, "stage": path.parent.name, "name": path.stem, "arrays": None, "arrays_sha256": None}
        if arrays:
            buffer = io.BytesIO()
            np.savez(buffer, allow_pickle=False, **arrays)
            content = buffer.getvalue()
            digest = _sha256(content)
            # With the content's hash in its name, two processes with two results can't mix them.
            name = f"{path.stem}-{digest[:16]}.npz"
            self._replace(path.with_name(name), content)
            entry["arrays"], entry["arrays_sha256"] = name, digest
        entry["value"] = value
        authenticated = _dump([entry[field] for field in _AUTHENTICATED]).encode()
        entry["tag"] = tag(authenticated)
        # By this, without a key, what is damaged is told from what somebody else kept.
        entry["sha256"] = _sha256(authenticated + str(entry["tag"]).encode())
        self._replace(path, _dump(entry).encode())
        for old in path.parent.glob(f"{path.stem}-*.npz"):
            if old.name != entry["arrays"] and time.time() - old.stat().st_mtime > 60:
                old.unlink(missing_ok=True)

    def _replace(self, path: Path, content: bytes) -> None:
        """Write a file so that it is there whole or not at all."""
        if not self.folder.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / ".gitignore").write_text("*\n", encoding="utf-8")
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.parent not in self._tidied:
            self._tidied.add(path.parent)
            # What runs left that were killed while they wrote.
            for part in path.parent.glob("*.part"):
                if time.time() - part.stat().st_mtime > _ABANDONED_SECONDS:
                    part.unlink(missing_ok=True)
        temporary = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def source_hash(*rooms: str) -> str:
    """Hash of the code of some rooms of this package, as a page states it. Nothing is imported."""
    root = Path(__file__).parent
    digest = hashlib.sha256()
    for file in sorted(file for room in rooms for file in (root / room).rglob("*.py")):
        # An editor or git may change the line ends, which change nothing.
        content = file.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{file.relative_to(root).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _read_arrays(path: Path, sha256: str) -> dict[str, Any]:
    import numpy as np

    content = path.read_bytes()
    if _sha256(content) != sha256:
        raise ValueError(f"{path.name} doesn't have the hash that it was written with")
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _dump(value: Any, sort: bool = False) -> str:
    """JSON without spaces; floats keep every bit, dicts their order unless it is to make no difference."""
    return json.dumps(value, sort_keys=sort, separators=(",", ":"), allow_nan=False)
