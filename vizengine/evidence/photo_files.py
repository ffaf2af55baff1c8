"""Which files a config's `photos` means: a folder's pictures, or those that a pattern finds in it."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vizengine.config.places import NotAdmitted, expanded, is_within, resolved

IMAGE_SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif", ".heic", ".heif")
)
MOST_FOLDERS = 10_000
"""The most folders that a pattern may look into; ImageNet's training set has a thousand."""
_WILDCARD = re.compile(r"[*?\[]")
_ANY_DEPTH = "**"


@dataclass(frozen=True)
class PhotoPlace:
    """Where a config's photos lie.

    Attributes:
        folder: the folder, or the part of a pattern before its first wildcard.
        pattern: the steps of a pattern behind that; empty for all pictures of the folder itself.
        outside: the folder without links where it lies outside the config's, which names it outright; else None.
    """

    folder: Path
    pattern: tuple[str, ...]
    outside: Path | None


def photo_place(source: str, base: Path) -> PhotoPlace:
    """Where the photos lie that a config names; no picture is looked for yet.

    Args:
        source: a folder, a pattern or a picture, as the config has it.
        base: the config's folder.

    Raises:
        NotAdmitted: a link leads there, or a pattern begins at a folder that holds too much.
        OSError: the system won't look at the path.
    """
    named = expanded(source)
    folder, pattern = base / named, tuple[str, ...]()
    if not folder.is_dir():
        parts = named.parts
        first = next((number for number, part in enumerate(parts) if _WILDCARD.search(part)), len(parts) - 1)
        folder, pattern = base / Path(*parts[:first]), parts[first:]
    if ".." in pattern:
        raise NotAdmitted(source, "has `..` behind a wildcard; write the folder without it")
    if is_within(folder, base):
        return PhotoPlace(folder, pattern, None)
    real = resolved(folder)
    written = Path(os.path.normpath(resolved(base) / named))
    if written.is_relative_to(resolved(base)):
        raise NotAdmitted(
            source, f"leads out of the config's folder by a link, to {real}; to take pictures from there, name {real}"
        )
    if _WILDCARD.search("/".join(pattern)) and (is_within(base, real) or is_within(Path.home(), real)):
        raise NotAdmitted(
            source,
            f"searches all of {real}; expected a pattern that begins with a folder of photos, as "
            "`/data/photos/**/*.jpg`",
        )
    return PhotoPlace(folder, pattern, real)


@dataclass
class PhotoSearch:
    """Looks for pictures, once.

    Args:
        source: as the config has it.
        base: the config's folder.

    Attributes:
        place: where they lie.
        led_out: names of links that lead out of the photos' folder, and of the config's; they are passed over.
    """

    source: str
    base: Path
    place: PhotoPlace = field(init=False)
    led_out: list[str] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.place = photo_place(self.source, self.base)
        self._roots = (resolved(self.place.folder), resolved(self.base))
        self._looked: set[tuple[Path, tuple[str, ...]]] = set()

    def files(self) -> list[Path]:
        """The pictures, sorted by path; files that aren't images by their ending are passed over.

        Raises:
            NotAdmitted: the pattern looks into more than `MOST_FOLDERS` folders.
        """
        folder, pattern = self.place.folder, self.place.pattern
        # `**` at the end stands for files at any depth, as in Python's glob.
        steps = (*pattern, "*") if pattern[-1:] == (_ANY_DEPTH,) else pattern
        paths = self._matches(folder, steps) if steps else self._entries(folder)
        images = sorted({path for path in paths if path.suffix.lower() in IMAGE_SUFFIXES})
        return [path for path in images if path.is_file() and self._stays(path)]

    def _matches(self, folder: Path, steps: tuple[str, ...]) -> Iterator[Path]:
        """What a pattern's steps find from a folder on.

        Python's glob and pathlib go through links wherever a pattern leads them, to the root of the disk too.
        """
        step, rest = steps[0], steps[1:]
        if not _WILDCARD.search(step):
            entries = [folder / step]
        elif (resolved(folder), steps) in self._looked:
            return
        else:
            self._looked.add((resolved(folder), steps))
            if len(self._looked) > MOST_FOLDERS:
                raise NotAdmitted(
                    self.source,
                    f"looks into more than {MOST_FOLDERS:,} folders; expected a pattern that begins with a folder of "
                    "photos, and nothing else in it",
                )
            hidden = step.startswith(".")
            entries = [each for each in self._entries(folder) if hidden or not each.name.startswith(".")]
        if step == _ANY_DEPTH:
            yield from self._matches(folder, rest)
            rest = steps
        elif _WILDCARD.search(step):
            entries = [each for each in entries if fnmatch.fnmatch(each.name, step)]
        for entry in entries:
            if not rest:
                yield entry
            elif entry.is_dir() and self._stays(entry):
                yield from self._matches(entry, rest)

    def _entries(self, folder: Path) -> list[Path]:
        """What lies in a folder, sorted; nothing where it can't be read."""
        try:
            return sorted(folder.iterdir())
        except OSError:
            return []

    def _stays(self, path: Path) -> bool:
        """Whether a path is no link that leads out; one that does is noted."""
        if not path.is_symlink() or is_within(path, *self._roots):
            return True
        name = os.path.relpath(path, self.place.folder)
        if name not in self.led_out:
            self.led_out.append(name)
        return False
