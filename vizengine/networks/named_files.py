"""Files that a config's network section names, and the folders that this machine's user keeps for weights."""

from __future__ import annotations

import os
from pathlib import Path

from vizengine.config.places import place

WEIGHTS_FOLDER_VARIABLE = "VIZENGINE_WEIGHTS"


def model_file(named: str, folder: Path) -> Path:
    """The file that `model` names.

    Args:
        named: its path, relative to `folder`.
        folder: the config's folder.

    Raises:
        NotAdmitted: it lies outside the config's folder.
    """
    return place(folder, named)


def weights_path(named: str, folder: Path, confined: bool = False) -> Path:
    """The file that `weights`, or the folder that `weights_folder` names.

    Args:
        named: its path, relative to `folder`, or else to one of `weights_folders`.
        folder: the config's folder.
        confined: whether the config may not name these folders itself.

    Raises:
        NotAdmitted: it lies in none of them.
    """
    if confined:
        return place(folder, named)
    more = f", or into the folder that the environment variable {WEIGHTS_FOLDER_VARIABLE} names"
    return place(folder, named, weights_folders(), more)


def weights_folders() -> tuple[Path, ...]:
    """The folders besides a config's own from which weights may come: that of the environment, and Keras' cache."""
    variable = environment_folder()
    return (variable, keras_cache()) if variable else (keras_cache(),)


def environment_folder() -> Path | None:
    """The folder that `VIZENGINE_WEIGHTS` names, where it is set."""
    variable = os.environ.get(WEIGHTS_FOLDER_VARIABLE)
    return Path(variable).expanduser() if variable else None


def keras_cache() -> Path:
    """The folder into which Keras downloads weights."""
    return Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")).expanduser() / "models"
