"""Downloads of published weights: resumed where they broke off, checked, in place only when whole."""

from __future__ import annotations

import hashlib
import logging
import os
import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from vizengine.network.catalogue import PublishedFile
from vizengine.network.files import WEIGHTS_FOLDER_VARIABLE, keras_cache, weights_folders, weights_path
from vizengine.output import LINE_EVERY_SECONDS, duration

if TYPE_CHECKING:
    import requests

logger = logging.getLogger(__name__)
PATIENCE_SECONDS, LEAST_BYTES = 60, 64_000
"""A download that brings fewer bytes than these in so many seconds would take a day: it is given up."""
_DRAWN_EVERY_SECONDS = 0.1


class Watch:
    """Reports the progress of a download, by a bar on a terminal or else by lines; gives up where too little comes.

    `start` bytes are there already, and the whole file has `total`, or None where that isn't known.
    """

    def __init__(self, name: str, start: int, total: int | None, patient: bool = False) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn(name, markup=False), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        self._patient = patient
        self._terminal = sys.stderr.isatty()
        self._bar = Progress(*columns, console=Console(stderr=True), disable=not self._terminal)
        self._task = self._bar.add_task("download", total=total, completed=start)
        self._name, self._start, self._total = name, start, total
        self._began = self._since = self._line = self._drawn = time.monotonic()
        self._came = self._in_this_while = 0

    def __enter__(self) -> Watch:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.update(self._task, completed=self._start + self._came)
        self._bar.stop()

    def advance(self, size: int) -> None:
        """Count `size` more bytes.

        Raises:
            TimeoutError: too few came of late.
        """
        self._came += size
        self._in_this_while += size
        now = time.monotonic()
        if now - self._since > PATIENCE_SECONDS:
            if self._in_this_while < LEAST_BYTES and not self._patient:
                raise TimeoutError(f"only {self._in_this_while:,} bytes came in {now - self._since:.0f} s")
            self._since, self._in_this_while = now, 0
        if now - self._drawn > _DRAWN_EVERY_SECONDS:
            self._bar.update(self._task, completed=self._start + self._came)
            self._drawn = now
        if now - self._line > LINE_EVERY_SECONDS and not self._terminal:
            self._line = now
            done = self._start + self._came
            if self._total is None:
                progress = f"{megabytes(done)} came"
            else:
                left = (self._total - done) / self._came * (now - self._began)
                progress = f"{megabytes(done)} of {megabytes(self._total)}, about {duration(left)} left"
            logger.info("%s: %s", self._name, progress)


def megabytes(size: int) -> str:
    """Bytes in words: `575 MB`, `0.2 MB`."""
    return f"{size / 1_000_000:.{0 if size >= 10_000_000 else 1}f} MB"


TIMEOUT_SECONDS = 20
"""After so long without a byte a server is given up."""
ASSUMED_MEGABITS = 50
"""Of a connection, in a second: for the first estimate of the time."""
PART_SUFFIX = ".part"
"""Ends the name of what came so far."""
_CHUNK_BYTES = 512
"""So few, since the time-out begins anew with each byte: `Watch` checks the rate after each chunk."""


class _Resumer:
    """Fetches bytes for pooch, which calls it with an address and the path of the file to write.

    What came lies in `part` until it is whole; `resumed` is whether the last call went on with what lay there.
    """

    def __init__(self, published: PublishedFile, part: Path) -> None:
        self._published, self._part = published, part
        self.resumed = False

    def __call__(self, url: str, output_file: str, pooch: object) -> None:
        import requests

        if not self._published.digest:
            # Without a hash, parts of two different files couldn't be told apart.
            self._part.unlink(missing_ok=True)
        kept = self._part.stat().st_size if self._part.exists() else 0
        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={kept}-"} if kept else {})}
        with requests.get(url, headers=headers, timeout=TIMEOUT_SECONDS, stream=True) as answer:
            whole = answer.status_code == 416 and _range(answer) == f"*/{kept}"
            rest = answer.status_code == 206 and _range(answer).startswith(f"{kept}-")
            self.resumed = bool(kept) and (whole or rest)
            if kept and answer.status_code in (206, 416) and not self.resumed:
                # Another file than the one that was begun, or an answer to another question.
                self._part.unlink()
                self(url, output_file, pooch)
                return
            if not whole:
                answer.raise_for_status()
                self._write(answer, kept if self.resumed else 0)
        os.replace(self._part, output_file)

    def _write(self, answer: requests.Response, start: int) -> None:
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            # A page to sign in, for example: what was kept is worth more.
            raise OSError(_isnt_the_file(self._published))
        length = answer.headers.get("Content-Length", "")
        total = start + int(length) if length.isdigit() else None
        self._announce(start, total)
        with self._part.open("ab" if start else "wb") as stream, Watch(self._published.name, start, total) as watch:
            for chunk in answer.iter_content(_CHUNK_BYTES):
                stream.write(chunk)
                watch.advance(len(chunk))

    def _announce(self, start: int, total: int | None) -> None:
        expected = total or self._published.megabytes * 1_000_000
        source = f"{self._published.name}: downloading it from {urlsplit(self._published.address).hostname}"
        if not expected:
            logger.info("%s, which doesn't say its size", source)
            return
        left = expected - start
        size = f"{megabytes(left)} of {megabytes(expected)} are left" if start else megabytes(expected)
        time_left = duration(left * 8 / 1_000_000 / ASSUMED_MEGABITS)
        logger.info("%s: %s, about %s at %d Mbit/s", source, size, time_left, ASSUMED_MEGABITS)


def download(published: PublishedFile, folder: Path) -> Path:
    """Fetch `published` into `folder`, check its hash, and return its path.

    What came of a download that broke off is kept as `NAME.part`, and the next call asks for the rest of it, where the
    file's hash is known. A lock lets only one process download a file.

    Raises:
        OSError: no connection, a server error, or a wrong hash. Nothing half-loaded is left under the file's name.
    """
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / (published.name + PART_SUFFIX)
    fetch = _Resumer(published, part)
    known = f"{hash_name(published.digest)}:{published.digest}" if published.digest else None
    lock_file = folder / f".{published.name}.lock"
    with _lock(lock_file, published.name):
        try:
            while True:
                try:
                    path = pooch.retrieve(published.address, known, fname=published.name, path=folder, downloader=fetch)
                    lock_file.unlink(missing_ok=True)
                    return Path(path)
                except ValueError as error:
                    if not fetch.resumed:
                        raise OSError(_isnt_the_file(published)) from error
                    logger.info("%s: what was kept of it isn't its beginning; starting anew", published.name)
        except OSError as error:
            reason = str(error)
            if isinstance(error, requests.HTTPError):
                reason = f"{published.address} answered {error.response.status_code} {error.response.reason}"
            elif isinstance(error, requests.RequestException):
                late = f": nothing came for {TIMEOUT_SECONDS} s" if "timed out" in reason else f" ({_cause(error)})"
                reason = f"{type(error).__name__} at {published.address}{late}"
            if published.digest and part.exists() and (size := part.stat().st_size):
                reason += f"; the {megabytes(size)} that came are kept, and the next run goes on from there"
            raise OSError(reason) from error
        finally:
            if not published.digest:
                part.unlink(missing_ok=True)


def hash_name(digest: str) -> str:
    """Which hash a published one is, by its length: `md5` or `sha256`."""
    return "md5" if len(digest) == 32 else "sha256"


def _lock(lock_file: Path, name: str) -> AbstractContextManager[Any]:
    """Lock a download until the block's end; the system releases the lock when the process dies."""
    from filelock import FileLock, Timeout

    lock = FileLock(lock_file)
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        logger.info("%s: another run is downloading it; waiting until it ends", name)
        return lock.acquire()


def _range(answer: requests.Response) -> str:
    """Which bytes of how many an answer holds, or the empty string."""
    return answer.headers.get("Content-Range", "").removeprefix("bytes").strip()


def _isnt_the_file(published: PublishedFile) -> str:
    known = f", whose {hash_name(published.digest)} is {published.digest}" if published.digest else ""
    return (
        f"what came from {published.address} isn't the file{known}: it broke off, or something on the way answered "
        "with a page of its own"
    )


def _cause(error: BaseException) -> str:
    """The innermost error of one of requests, which holds others as its arguments or causes."""
    inner = next((cause for cause in (*error.args, error.__cause__) if isinstance(cause, BaseException)), None)
    inner = inner or getattr(error, "reason", None)
    return _cause(inner) if isinstance(inner, BaseException) else str(error).strip().rstrip(".")


IN_CONFIG = "the folder named in the config"
KERAS_CACHE = "Keras' cache"
Folders = tuple[tuple[str, Path], ...]
"""Where weights may lie: each folder in words, and its path."""


def searched_folders(weights_folder: str | None, base: Path) -> Folders:
    """Folders in which published weights are looked for, in order: the config's, the environment's, Keras' cache.

    Raises:
        NotAdmitted: the config, in folder `base`, names a place that it may not name.
    """
    words = (f"the folder named in {WEIGHTS_FOLDER_VARIABLE}", KERAS_CACHE)
    folders = weights_folders()
    in_config = ((IN_CONFIG, weights_path(weights_folder, base)),) if weights_folder else ()
    return (*in_config, *zip(words[-len(folders) :], folders, strict=True))


def fetch(published: PublishedFile, folders: Folders) -> Path:
    """A file that Keras publishes: from a folder where it lies, from Keras' cache, or downloaded into that.

    Where Keras publishes no hash of it, `folders` are passed over, since a file there can't be told from another of
    that name.

    Raises:
        OSError: it can't be downloaded.
    """
    if published.digest:
        for _, folder in folders:
            path = folder / published.name
            if path.is_file() and digest(path, published.digest) == published.digest:
                return path
    return download(published, keras_cache())


def digest(path: Path, like: str) -> str:
    """Hash of a file in hexadecimal, of the kind of another."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, hash_name(like)).hexdigest()
