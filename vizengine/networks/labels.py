"""Names of a network's classes."""

from __future__ import annotations

from pathlib import Path

from vizengine.config.places import place
from vizengine.errors import WeightsUnavailable


def read_labels(name: str | None, folder: Path) -> tuple[str, ...]:
    """The lines of a labels file; none where no file is named.

    Args:
        name: its path, relative to `folder`.
        folder: the config's folder.

    Raises:
        WeightsUnavailable: it can't be read.
        NotAdmitted: it lies outside the config's folder.
    """
    if name is None:
        return ()
    try:
        lines = place(folder, name).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise WeightsUnavailable(
            f"The labels in {name} can't be read: {error}.", "Name a UTF-8 text file with one class a line."
        ) from error
    return tuple(line.strip() for line in lines if line.strip())


def numbered(count: int) -> tuple[str, ...]:
    """Names for classes that have none."""
    return tuple(f"class {index}" for index in range(count))
