"""Where words go: the log to stderr, one path to stdout."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator

from vizengine.progress import BarProgress, LineProgress, Progress, SilentProgress


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
