"""What a page says where its circuit failed: what happened, and what can be done about it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from vizengine.errors import VizengineError, WeightsUnavailable
from vizengine.memory import is_shortage


@dataclass(frozen=True)
class Failure:
    """Why there is no page, in words that may be published.

    Attributes:
        reason: what happened, one or more sentences.
        mend: what can be done about it; empty where `reason` says so.
    """

    reason: str
    mend: str

    def __str__(self) -> str:
        return f"{self.reason} {self.mend}".strip()


def failure_of(error: Exception, folder: Path) -> Failure:
    """An error that ended the work on one circuit, in words.

    Args:
        error: the error.
        folder: the config's, which the words leave out, and so does the reader's home: they may be published.
    """
    reason, mend = _words(error)
    return Failure(_without_places(reason, folder), _without_places(mend, folder))


def _words(error: Exception) -> tuple[str, str]:
    if isinstance(error, WeightsUnavailable):
        return error.reason, error.mend
    if isinstance(error, VizengineError):
        return str(error), ""
    if is_shortage(error):
        smaller = "Close other programs, or make `visualization.size` or the photos smaller, and build again."
        return "Memory ran out while it was computed.", smaller
    if isinstance(error, ModuleNotFoundError) and not (error.name or "").startswith("vizengine"):
        return f"The package {error.name} isn’t installed.", "Run `pip install -r requirements.txt`, and build again."
    if isinstance(error, OSError) and error.strerror:
        where = f": {error.filename}" if error.filename else ""
        return f"{error.strerror}{where}.", "Make sure that it can be read and written, and build again."
    words = " ".join(str(error).split())
    what = f"{type(error).__name__}: {words}" if words else type(error).__name__
    return f"Unexpected error: {what}.", "Run again with `-v` for the traceback, and please report it."


def _without_places(text: str, folder: Path) -> str:
    text = text.replace(f"{folder.resolve()}/", "")
    home = os.path.expanduser("~")
    # Where a system gives none, it is `/` or stays `~`.
    return text.replace(home, "~") if len(home) > 1 else text
