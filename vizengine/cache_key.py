"""The key by which a user's own results are known: nobody without it can make one that is believed.

It lies outside of every config's folder, so that a folder from a stranger can't bring it along with results.
"""

from __future__ import annotations

import atexit
import contextlib
import hmac
import logging
import os
import secrets
import tempfile
from functools import lru_cache
from pathlib import Path

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


def is_tag(given: str, message: bytes) -> bool:
    """Whether a message was tagged under this user's key.

    Raises:
        VizengineError: as `tag`.
    """
    return hmac.compare_digest(given.encode(), tag(message).encode())


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
        reason = "" if len(key) >= _SHORTEST else f"it holds {len(key)} bytes, expected {_SHORTEST} or more"
    except OSError as error:
        key, reason = b"", (error.strerror or str(error)).lower()
    if not reason:
        return key
    logger.info(
        "no key for kept results can be had in %s (%s), so the next run can't know this one's and computes again; "
        "%s may name another place for it",
        path,
        reason,
        KEY_VARIABLE,
    )
    return _for_now()


def _for_now() -> bytes:
    """A key that is gone with this process; worker processes that it starts find it through the environment."""
    key = _new()
    with contextlib.suppress(OSError):
        file, name = tempfile.mkstemp(prefix="vizengine-", suffix=".key")
        with os.fdopen(file, "wb") as stream:
            stream.write(key)
        atexit.register(_remove, name, os.getpid())
        os.environ[KEY_VARIABLE] = name
    return key


def _remove(name: str, process: int) -> None:
    if os.getpid() == process:
        Path(name).unlink(missing_ok=True)


def _new() -> bytes:
    return secrets.token_hex(32).encode()


def _read_or_make(path: Path) -> bytes:
    """The content of a key's file, without white space around it; the file is made where there is none.

    Raises:
        OSError: it can't be read or made.
    """
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes().strip()
    temporary = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(_new() + b"\n")
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
