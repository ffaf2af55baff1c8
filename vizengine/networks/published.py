"""Files that Keras publishes: where they may lie, and how they get here."""

from __future__ import annotations

import hashlib
from pathlib import Path

from vizengine.networks.download import download, hash_name
from vizengine.networks.named_files import WEIGHTS_FOLDER_VARIABLE, environment_folder, keras_cache, weights_path
from vizengine.networks.zoo import PublishedFile

IN_CONFIG = "the folder named in the config"
KERAS_CACHE = "Keras' cache"
Folders = tuple[tuple[str, Path], ...]
"""Where weights may lie: each in words, and the folder."""


def named_folders(weights_folder: str | None, base: Path) -> Folders:
    """Folders that the config and the environment name, in the order in which they are searched.

    Args:
        weights_folder: as in the config, or None.
        base: folder of the config.

    Raises:
        NotAdmitted: the config names a place that it may not name.
    """
    variable = environment_folder()
    folders: Folders = ()
    if weights_folder:
        folders += ((IN_CONFIG, weights_path(weights_folder, base)),)
    if variable:
        folders += ((f"the folder named in {WEIGHTS_FOLDER_VARIABLE}", variable),)
    return folders


def fetch(published: PublishedFile, folders: Folders) -> Path:
    """A file that Keras publishes: from a folder where it lies, from Keras' cache, or downloaded into that.

    Args:
        published: the file; where Keras publishes no hash of it, `folders` are passed over, since a file there can't
            be told from another of that name.
        folders: searched first.

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
