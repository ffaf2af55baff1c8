"""Files of models and weights that would unpack to far more than they are, or that lead out of themselves.

Weights hardly pack: a file that claims many times its own size was made to take a machine's memory.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import IO, Any

MOST_TIMES = 50
"""How many times its own size a file may claim; real ones claim about once."""
ALWAYS_FINE = 64_000_000
"""Bytes that any file may claim."""


class Swollen(ValueError):
    """A file claims far more than it holds, or leads to another file."""


def refuse_swollen(path: Path) -> None:
    """Look at what a file claims to hold, before any of it is read.

    Args:
        path: a zip (`.keras`), HDF5 (`.h5`) or any other file, of which nothing is looked at.

    Raises:
        Swollen: with what it claims.
        OSError: it can't be read.
    """
    held = path.stat().st_size
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            _refuse_size(sum(each.file_size for each in archive.infolist()), held)
            for name in archive.namelist():
                if name.endswith(".h5"):
                    inside = archive.read(name)
                    _refuse_datasets(io.BytesIO(inside), len(inside))
    else:
        import h5py

        if h5py.is_hdf5(path):
            _refuse_datasets(path, held)


def _refuse_datasets(source: Path | IO[bytes], held: int) -> None:
    import h5py

    with h5py.File(source, "r") as file:
        claimed = 0

        def visit(name: str, link: Any) -> str | None:
            """What is wrong with an entry, which ends the visit; h5py wants no exception here."""
            nonlocal claimed
            if isinstance(link, h5py.ExternalLink):
                return f"{name} is a link to another file, {link.filename}"
            entry = file.get(name)
            if isinstance(entry, h5py.Dataset):
                if entry.external or entry.is_virtual:
                    return f"{name} lies in another file"
                claimed += entry.size * entry.dtype.itemsize if entry.size else 0
            return None

        if problem := file.visititems_links(visit):
            raise Swollen(problem)
        _refuse_size(claimed, held)


def _refuse_size(claimed: int, held: int) -> None:
    if claimed > max(ALWAYS_FINE, MOST_TIMES * held):
        raise Swollen(
            f"it would unpack from {held:,} bytes to {claimed:,}, which weights don't; if they are all the same, write "
            "them without compression"
        )
