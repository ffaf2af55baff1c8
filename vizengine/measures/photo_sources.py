"""All sources of photos that a config names: what is in them, in order, and what is wrong with one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from vizengine.config.paths import NotAdmitted, resolved
from vizengine.measures.photos import IMAGE_SUFFIXES, Photo, Photos


@dataclass(frozen=True)
class PhotoSources:
    """What `photos` means in a config.

    Attributes:
        named: one source or several, as the config has them.
        base: the config's folder.

    Raises:
        NotAdmitted, OSError: by its properties, as those of `Photos`.
    """

    named: str | tuple[str, ...]
    base: Path

    @cached_property
    def each(self) -> tuple[Photos, ...]:
        """The sources, in order."""
        names = (self.named,) if isinstance(self.named, str) else self.named
        return tuple(Photos(name, self.base) for name in names)

    @cached_property
    def found(self) -> tuple[Photo, ...]:
        """The photos of all sources in order; a file that an earlier source has isn't taken again."""
        photos: list[Photo] = []
        taken: set[Path] = set()
        for source in self.each:
            photos += (photo for photo in source.found if resolved(photo.path) not in taken)
            taken.update(resolved(photo.path) for photo in source.found)
        return tuple(photos)

    @property
    def led_out(self) -> tuple[str, ...]:
        """Names of links that lead out of their source's folder and of the config's; they are no photos."""
        return tuple(dict.fromkeys(name for source in self.each for name in source.led_out))

    @property
    def outside(self) -> tuple[Path, ...]:
        """The folders outside the config's in which photos lie."""
        return tuple(source.outside for source in self.each if source.outside)

    def flaws(self, confined: bool) -> list[tuple[int, str]]:
        """What is wrong with sources, each by its number, in words; `confined`: whether all lie in the config's folder.

        Raises:
            OSError: the system won't look at a path.
        """
        flaws = []
        for number, source in enumerate(self.each):
            try:
                if message := _flaw(source, confined):
                    flaws.append((number, message))
            except NotAdmitted as error:
                flaws.append((number, str(error)))
        return flaws


def _flaw(source: Photos, confined: bool) -> str:
    """What is wrong with a source; empty where it has photos.

    Raises:
        NotAdmitted: the config may not name it.
    """
    name = source.source
    if confined and source.outside:
        reason = "lies outside the config's folder, from where --confined takes nothing; put the photos beside it"
        raise NotAdmitted(name, reason)
    if source.found:
        return ""
    path = source.base / Path(name).expanduser()
    if not any(letter in name for letter in "*?[") and not path.exists():
        what = "photo" if path.suffix.lower() in IMAGE_SUFFIXES else "folder"
        return f"there is no {what} {name}; expected `samples`, a folder of images, or a glob"
    links = f" (links that lead out of it don't count, as {source.led_out[0]})" if source.led_out else ""
    return f"no images in {name}{links}; expected at least one file that ends in {', '.join(sorted(IMAGE_SUFFIXES))}"
