"""Which files a config may name: the one rule for texts, labels, models, weights and photos.

Pages are published, and a config may come from elsewhere: it must not put other files of its reader on a page, nor read
them. So what a config names lies in the config's folder or below it, links resolved. Two things may lie elsewhere:
weights in the folders that the reader keeps for them, and photos in a folder that the config names outright.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from vizengine.errors import VizengineError


class NotAdmitted(VizengineError):
    """A config names something that it may not name; `reason` ends a sentence that begins with that name."""

    def __init__(self, named: str, reason: str) -> None:
        self.reason = reason
        super().__init__(f"{named} {reason}")


def place(folder: Path, named: str, others: Sequence[Path] = (), more: str = "") -> Path:
    """Where a file or folder lies that a config names; nothing need be there.

    Its path is relative to `folder`, the config's, or else to the first of `others` that has it, which `more` names at
    the message's end.

    Raises:
        NotAdmitted: it lies elsewhere, or is no path at all.
        OSError: the system won't look at the path.
    """
    relative = expanded(named)
    candidates = [root / relative for root in (folder, *others)]
    path = next((candidate for candidate in candidates if candidate.exists()), candidates[0])
    if not is_within(path, folder, *others):
        raise NotAdmitted(named, f"lies outside the config's folder; put it beside the config, or below{more}")
    return path


def expanded(named: str) -> Path:
    """A path as a config has it, with the home folder in the place of `~`.

    Raises:
        NotAdmitted: it is no path.
    """
    try:
        path = Path(named).expanduser()
    except RuntimeError as error:
        raise NotAdmitted(named, f"is no path ({str(error).rstrip('.').lower()})") from None
    if "\0" in named:
        raise NotAdmitted(named.replace("\0", "\\0"), "is no path (it has a null character in it)")
    return path


def is_within(path: Path, *folders: Path) -> bool:
    """Whether a file or folder is one of some folders, or lies in one of them, once links are resolved."""
    real = resolved(path)
    return any(real.is_relative_to(resolved(folder)) for folder in folders)


def resolved(path: Path) -> Path:
    """The absolute path without links; a link that leads to itself stays as it is."""
    # `Path.resolve` raises at such a link on some versions of Python.
    return Path(os.path.realpath(path))
