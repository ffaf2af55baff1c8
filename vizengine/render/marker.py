"""Whose a folder of pages is: which config's build wrote it, and which files; what may not be replaced."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from vizengine.errors import VizengineError

MARKER = ".vizengine-site"
"""Name of the file, in each folder that a build wrote, that says so."""
_ABOUT = "This folder was written by vizengine, which replaces it as a whole."
# What operating systems put into folders by themselves; nobody misses it.
_DROPPED = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
_FILES_NAMED = 5


@dataclass(frozen=True)
class Marker:
    """What the marker of a folder says.

    Attributes:
        config: which config's build wrote the folder, as `name_of` gives it.
        files: paths of the files that the build wrote, relative to the folder, with slashes.
    """

    config: str
    files: frozenset[str]

    @classmethod
    def read(cls, folder: Path) -> Marker | None:
        """The marker of a folder, or None where it has none that can be read."""
        path = folder / MARKER
        try:
            said = json.loads(path.read_text(encoding="utf-8")) if not path.is_symlink() else None
        except (OSError, ValueError, RecursionError):
            return None
        if not isinstance(said, dict):
            return None
        config, files = said.get("config"), said.get("files")
        if (
            not isinstance(config, str)
            or not isinstance(files, list)
            or not all(isinstance(each, str) for each in files)
        ):
            return None
        return cls(config, frozenset(files))

    def text(self) -> str:
        """The content of the marker's file."""
        said = {"about": _ABOUT, "config": self.config, "files": sorted(self.files)}
        return json.dumps(said, indent=1) + "\n"


def name_of(config: Path, folder: Path) -> str:
    """By which name the marker of a folder knows a config.

    Args:
        config: the config.
        folder: the folder that its build writes.

    Returns:
        The config's path from the folder, with slashes, so that it stays the same in a clone. Where the folder isn't
        inside that of the config, the hash of that path: it would publish names of other folders.
    """
    place, folder = config.parent.resolve(), folder.resolve()
    try:
        path = Path(os.path.relpath(place / config.name, folder)).as_posix()
    except ValueError:  # On Windows there is no way from one drive to another.
        path = (place / config.name).as_posix()
    if place in folder.parents:
        return path
    return f"sha256:{hashlib.sha256(path.encode('utf-8', 'surrogateescape')).hexdigest()}"


def check_target(target: Path, config: Path, replace: bool = False) -> None:
    """Make sure that a config's build may write a folder, and that nobody loses anything by it.

    Args:
        target: the folder.
        config: the config.
        replace: whether it may replace what another config's build wrote.

    Raises:
        VizengineError: it is a file, or lies behind a link, or holds files that no build wrote, or another config's
            build wrote it.
    """
    folder = Path(os.path.abspath(target.expanduser()))
    if link := _link_to(folder, config.parent):
        raise VizengineError(
            f"{link} is a link, and nothing is written through links. Expected a folder; name the one that the link "
            "leads to with `--out`, or remove the link."
        )
    if not folder.exists():
        return
    if not folder.is_dir():
        raise VizengineError(f"`out` names {target}, which is a file; expected a folder. Name another with `--out`.")
    marker = Marker.read(folder)
    if marker is None:
        if all(_is_dropped(each.name) for each in folder.iterdir()):
            return
        raise VizengineError(
            f"{target} holds files and is no site written by vizengine (it has no {MARKER} that can be read), so it "
            "is left alone. Expected an empty folder, one that doesn't exist yet, or a site from an earlier run; name "
            "such a one with `--out`."
        )
    problems = []
    if strange := strange_files(folder, marker):
        problems.append(
            f"{target} holds what no build wrote: {listed(strange)}. A build replaces its folder as a whole, so it is "
            "left alone. Expected a folder without such files; move them elsewhere, or name another with `--out`."
        )
    if marker.config != name_of(config, folder) and not replace:
        problems.append(
            f"{target} holds what {maker(marker, target)} made, and {config} would replace it. Expected a folder of "
            "its own: set `out` under `site`, or name one with `--out`. `--replace` replaces it all the same."
        )
    if problems:
        raise VizengineError("\n".join(problems))


def maker(marker: Marker, target: Path) -> str:
    """The config that made a folder, in words: its path, where that is known."""
    if marker.config.startswith("sha256:"):
        return "a config elsewhere"
    return os.path.normpath(target / marker.config)


def strange_files(folder: Path, marker: Marker) -> list[str]:
    """What lies in a folder and isn't from the build that wrote it: paths of files and links, sorted."""
    strange = []
    for place, folders, files in os.walk(folder, onerror=_raise):
        for name in (*folders, *files):
            path = Path(place, name)
            relative = path.relative_to(folder).as_posix()
            expected = name in folders or relative in marker.files or relative == MARKER or _is_dropped(name)
            # A build makes no links, whatever the marker says.
            if path.is_symlink() or not expected:
                strange.append(relative)
    return sorted(strange)


def _is_dropped(name: str) -> bool:
    return name.lower() in _DROPPED


def _raise(error: OSError) -> None:
    raise error


def listed(names: list[str]) -> str:
    """The first of some names, and how many more there are."""
    more = len(names) - _FILES_NAMED
    return ", ".join(names[:_FILES_NAMED]) + (f" and {more} more" if more > 0 else "")


def _link_to(folder: Path, place: Path) -> Path | None:
    """A link that is the folder itself, or on the way to it from the config's folder; None where there is none."""
    base = Path(os.path.abspath(place))
    between = [each for each in folder.parents if base in each.parents]
    return next((each for each in (folder, *between) if each.is_symlink()), None)
