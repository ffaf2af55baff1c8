"""Runs on one site take turns: the next waits for the one that is at it, and finds what that one computed."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from vizengine.errors import VizengineError

logger = logging.getLogger(__name__)

_POLL_SECONDS = 0.2


@contextmanager
def turn(target: Path) -> Iterator[None]:
    """Hold a folder for this process until the block ends; the system lets go of it when the process dies.

    The lock lies in the system's folder for temporary files, so that nothing is left beside the site.

    Args:
        target: folder that will be written; it needn't exist.

    Raises:
        VizengineError: there is no place for the lock.
    """
    folder = Path(os.path.abspath(target.expanduser())).resolve()
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:24]
    path = Path(tempfile.gettempdir()) / f"vizengine-{os.getuid() if hasattr(os, 'getuid') else 'user'}-{name}.lock"
    lock = FileLock(path)
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            logger.info("another run is at work on %s; waiting until it ends", target)
            lock.acquire(poll_interval=_POLL_SECONDS)
    except OSError as error:
        raise VizengineError(
            f"{path} can't be opened ({error.strerror or error}), and without it two runs could write {target} at "
            "once. Expected a folder for temporary files with room in it; name one with TMPDIR."
        ) from error
    try:
        yield
    finally:
        lock.release()
