"""Where words go: the log to stderr, one path to stdout."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.console import Console


def printable(text: str) -> str:
    """A text with what could steer a terminal, or turn the reading direction, in its escaped form."""
    return "".join(
        each if each.isprintable() or each in "\n\u00a0" else each.encode("unicode_escape").decode("ascii")
        for each in text
    )


class _Printable(logging.Filter):
    """Names of files and settings come from others: what they hold is shown, not obeyed."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = printable(record.getMessage()), ()
        return True


class _Ours(logging.Filter):
    """What a library warns of, as TensorFlow of a function traced again, is for developers of this package."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.ERROR or record.name.partition(".")[0] == "vizengine"


class _Plain(logging.Formatter):
    """Information as it is, all else with its level before it."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return text if record.levelno == logging.INFO else f"{record.levelname.lower()}: {text}"


@contextlib.contextmanager
def logged(verbosity: int) -> Iterator[Progress]:
    """Log to stderr meanwhile: by rich with progress bars on a terminal, in plain lines elsewhere.

    Args:
        verbosity: -1 for warnings and errors only, 0 for what is being done, 1 for everything, with what libraries
            warn of.

    Yields:
        What shows the progress.
    """
    level = {-1: logging.WARNING, 0: logging.INFO}.get(verbosity, logging.DEBUG)
    handler: logging.Handler
    progress: Progress = LineProgress()
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.logging import RichHandler

        console = Console(stderr=True)
        handler = RichHandler(console=console, show_time=False, show_path=False, markup=False, highlighter=None)
        progress = BarProgress(console)
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_Plain())
    handler.addFilter(_Printable())
    root, own = logging.getLogger(), logging.getLogger("vizengine")
    before = own.level
    root.addHandler(handler)
    own.setLevel(level)
    logging.captureWarnings(verbosity > 0)
    try:
        with warnings.catch_warnings():
            if verbosity <= 0:
                handler.addFilter(_Ours())
                warnings.simplefilter("ignore")
            yield SilentProgress() if verbosity < 0 else progress
    finally:
        logging.captureWarnings(False)
        own.setLevel(before)
        root.removeHandler(handler)


def answer(text: str) -> None:
    """Print one line to stdout, every byte of a path's name kept; a reader who has gone is no error."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(os.fsencode(text) + b"\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more on its way out; that must not fail either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(message: str) -> None:
    """Print to stderr why there is no result."""
    with contextlib.suppress(BrokenPipeError):
        sys.stderr.write(printable(message) + "\n")
        sys.stderr.flush()


logger = logging.getLogger(__name__)
LINE_EVERY_SECONDS = 10.0


class Task(Protocol):
    """One piece of work that goes on."""

    def expect(self, n: int) -> None:
        """Say how many steps the stage has, where that wasn't known at its beginning; once."""

    def advance(self, n: int = 1, note: str = "") -> None:
        """Say that `n` more steps are done, perhaps 0, with a few words on how it goes."""


class Progress(Protocol):
    """Shows the stages of a build."""

    def stage(self, name: str, total: int | None) -> AbstractContextManager[Task]:
        """A piece of work.

        Args:
            name: what is done, in words.
            total: number of steps, or None where it isn't known, or only once the stage says what it expects.
        """


class SilentProgress:
    """Shows nothing."""

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Task]:
        """A piece of work that nobody watches."""
        yield self

    def expect(self, n: int) -> None:
        """Pass over it."""

    def advance(self, n: int = 1, note: str = "") -> None:
        """Pass over it."""


SILENT = SilentProgress()


class _Lines:
    """A stage that logs a line now and then."""

    def __init__(self, name: str, total: int | None) -> None:
        self.name, self.total = name, total
        self.done = 0
        self.started = self._last = monotonic()

    def expect(self, n: int) -> None:
        self.total = n

    def advance(self, n: int = 1, note: str = "") -> None:
        self.done += n
        now = monotonic()
        if now - self._last < LINE_EVERY_SECONDS or self.done == self.total:
            return
        self._last = now
        count = f"{self.done} done" if self.total is None else f"{self.done} of {self.total}"
        if self.total is not None and self.done:
            count += f", about {duration((now - self.started) / self.done * (self.total - self.done))} left"
        logger.info("%s: %s%s", self.name, count, f" ({note})" if note else "")


class LineProgress:
    """Logs when a stage begins and ends, and how far it is every ten seconds."""

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Task]:
        """A piece of work that is told in lines."""
        logger.info("%s …", name)
        lines = _Lines(name, total)
        yield lines
        logger.info("%s: done in %s", name, duration(monotonic() - lines.started))


class BarProgress:
    """Draws bars on a terminal.

    Args:
        console: the one that the log is written to as well, so that neither writes over the other.
    """

    def __init__(self, console: Console) -> None:
        from rich import progress

        self._bars = progress.Progress(
            progress.SpinnerColumn(),
            progress.TextColumn("{task.description}", markup=False),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeRemainingColumn(),
            progress.TextColumn("{task.fields[note]}", markup=False),
            console=console,
            transient=True,
        )
        self._open = 0

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Task]:
        """A piece of work that is shown as a bar; the bar goes when it ends, and a line stays."""
        started = monotonic()
        self._open += 1
        self._bars.start()
        task = self._bars.add_task(name, total=total, note="")
        bars = self._bars

        class Bar:
            def expect(self, n: int) -> None:
                bars.update(task, total=n)

            def advance(self, n: int = 1, note: str = "") -> None:
                bars.update(task, advance=n, note=note)

        try:
            yield Bar()
            bars.refresh()
            logger.info("%s: done in %s", name, duration(monotonic() - started))
        finally:
            bars.remove_task(task)
            self._open -= 1
            if not self._open:
                bars.stop()


def duration(seconds: float) -> str:
    """Seconds in words, for example `3.2 s` or `2 min 5 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"
