"""What the command prints: the log and its progress to stderr, one path to stdout."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

logger = logging.getLogger(__name__)
LINE_EVERY_SECONDS = 10.0


def printable(text: str) -> str:
    """A text with terminal control characters and Unicode bidi controls escaped."""
    return "".join(
        character
        if character.isprintable() or character in "\n\u00a0"
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def _escape(record: logging.LogRecord) -> bool:
    """Escape control characters: names of files and settings come from others."""
    record.msg, record.args = printable(record.getMessage()), ()
    return True


def _is_ours(record: logging.LogRecord) -> bool:
    """Pass what this package says; of libraries only errors, since their warnings are for its developers."""
    return record.levelno >= logging.ERROR or record.name.partition(".")[0] == "vizengine"


class _Plain(logging.Formatter):
    """Information as it is, all else with its level before it."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return text if record.levelno == logging.INFO else f"{record.levelname.lower()}: {text}"


@contextmanager
def logged(verbosity: int) -> Iterator[Progress]:
    """Log to stderr meanwhile, and show progress: by rich with bars on a terminal, in plain lines elsewhere.

    Args:
        verbosity: -1 for warnings and errors only, 0 for what is being done, 1 for everything, with what libraries
            warn of.
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
    handler.addFilter(_escape)
    root, package = logging.getLogger(), logging.getLogger("vizengine")
    before = package.level
    root.addHandler(handler)
    package.setLevel(level)
    logging.captureWarnings(verbosity > 0)
    try:
        with warnings.catch_warnings():
            if verbosity <= 0:
                handler.addFilter(_is_ours)
                warnings.simplefilter("ignore")
            yield SILENT if verbosity < 0 else progress
    finally:
        logging.captureWarnings(False)
        package.setLevel(before)
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


class Task:
    """One piece of work that goes on; this one shows nothing."""

    def expect(self, n: int) -> None:
        """Say how many steps the stage has, where that wasn't known at its beginning; once."""

    def advance(self, n: int = 1, note: str = "") -> None:
        """Say that `n` more steps are done, perhaps 0, with a few words on how it goes."""


class Progress(Task):
    """The stages of a build; nothing of them is shown."""

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Task]:
        """A piece of work.

        Args:
            name: what is done, in words.
            total: number of steps, or None where it isn't known, or only once the stage says what it expects.
        """
        yield self


SILENT = Progress()


class _Lines(Task):
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


class LineProgress(Progress):
    """Logs when a stage begins and ends, and how far it is every ten seconds; rich shows nothing off a terminal."""

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Task]:
        logger.info("%s …", name)
        lines = _Lines(name, total)
        yield lines
        logger.info("%s: done in %s", name, duration(monotonic() - lines.started))


class BarProgress(Progress):
    """Draws bars on the console of the log; a bar goes when its stage ends, and a line stays."""

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

    @contextmanager
    def stage(self, name: str, total: int | None) -> Iterator[Task]:
        started = monotonic()
        self._bars.start()
        bar = _Bar(self._bars, self._bars.add_task(name, total=total, note=""))
        try:
            yield bar
            self._bars.refresh()
            logger.info("%s: done in %s", name, duration(monotonic() - started))
        finally:
            self._bars.remove_task(bar.id)
            if not self._bars.tasks:
                self._bars.stop()


class _Bar(Task):
    def __init__(self, bars: RichProgress, id: TaskID) -> None:
        self._bars, self.id = bars, id

    def expect(self, n: int) -> None:
        self._bars.update(self.id, total=n)

    def advance(self, n: int = 1, note: str = "") -> None:
        self._bars.update(self.id, advance=n, note=note)


def duration(seconds: float) -> str:
    """Seconds in words, for example `3.2 s` or `2 min 5 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"
