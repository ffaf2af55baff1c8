"""How far a download is, for the user, and whether it goes on at all."""

from __future__ import annotations

import logging
import sys
import time

from vizengine.progress import LINE_EVERY_SECONDS, duration

logger = logging.getLogger(__name__)

PATIENCE_SECONDS, LEAST_BYTES = 60, 64_000
"""A download that brings fewer bytes than these in so many seconds would take a day: it is given up."""
_DRAWN_EVERY_SECONDS = 0.1


class Watch:
    """Shows how far a download is: a bar on a terminal, a line now and then elsewhere; gives up where too little comes.

    Args:
        name: of the file.
        start, total: bytes that are there already, and of the whole file, or None where it isn't known.
    """

    def __init__(self, name: str, start: int, total: int | None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn(name, markup=False), BarColumn(), DownloadColumn(), TimeRemainingColumn())
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
        """Say that `size` more bytes are there.

        Raises:
            TimeoutError: too few came of late.
        """
        self._came += size
        self._in_this_while += size
        now = time.monotonic()
        if now - self._since > PATIENCE_SECONDS:
            if self._in_this_while < LEAST_BYTES:
                raise TimeoutError(f"only {self._in_this_while:,} bytes came in {now - self._since:.0f} s")
            self._since, self._in_this_while = now, 0
        if now - self._drawn > _DRAWN_EVERY_SECONDS:
            self._bar.update(self._task, completed=self._start + self._came)
            self._drawn = now
        if now - self._line > LINE_EVERY_SECONDS and not self._terminal:
            self._line = now
            logger.info("%s: %s", self._name, self._so_far(now - self._began))

    def _so_far(self, seconds: float) -> str:
        done = self._start + self._came
        if self._total is None:
            return f"{megabytes(done)} came"
        left = (self._total - done) / self._came * seconds
        return f"{megabytes(done)} of {megabytes(self._total)}, about {duration(left)} left"


def megabytes(size: int) -> str:
    """Bytes in words: `575 MB`, `0.2 MB`."""
    return f"{size / 1_000_000:.{0 if size >= 10_000_000 else 1}f} MB"
