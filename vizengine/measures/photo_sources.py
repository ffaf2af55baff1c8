"""All sources of photos that a config names: what is in them, in order, and what is wrong with one.

A source is `samples`, a folder, a pattern or a picture (`photos.py`), a zip archive of pictures, or `imagenette`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from vizengine.config.paths import NotAdmitted, expanded, is_within, resolved
from vizengine.errors import PhotosUnavailable
from vizengine.measures.archives import ArchiveRefused, check_archive, imagenette, missing_imagenette, unpacked
from vizengine.measures.photos import IMAGE_SUFFIXES, Photo, Photos

IMAGENETTE = "imagenette"
_EXPECTED = "expected `samples`, `imagenette`, a folder of images, a glob, or a zip archive of images"


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@dataclass(frozen=True)
class PhotoSources:
    """What `photos` means in a config.

    Attributes:
        named: one source or several, as the config has them.
        base: the config's folder.
        sha256: gives the hash of an archive.

    Raises:
        NotAdmitted, OSError: by its properties, as those of `Photos`.
        ArchiveRefused: by `found`: an archive is damaged, or none of pictures.
        PhotosUnavailable: by `found`: photos can't be downloaded or unpacked.
    """

    named: str | tuple[str, ...]
    base: Path
    sha256: Callable[[Path], str] = _sha256

    @cached_property
    def each(self) -> tuple[Photos | _Archive | _Imagenette, ...]:
        """The sources, in order."""
        names = (self.named,) if isinstance(self.named, str) else self.named
        return tuple(map(self._source, names))

    def _source(self, name: str) -> Photos | _Archive | _Imagenette:
        if name == IMAGENETTE:
            return _Imagenette()
        is_archive = name.lower().endswith(".zip") and not os.path.isdir(self.base / os.path.expanduser(name))
        return _Archive(name, self.base, self.sha256) if is_archive else Photos(name, self.base)

    @cached_property
    def found(self) -> tuple[Photo, ...]:
        """The photos of all sources in order; a file that an earlier source has isn't taken again."""
        if len(self.each) == 1:
            return self.each[0].found
        photos: list[Photo] = []
        taken: set[Path] = set()
        for source in self.each:
            paths = [resolved(photo.path) for photo in source.found]
            photos += (photo for photo, path in zip(source.found, paths, strict=True) if path not in taken)
            taken.update(paths)
        return tuple(photos)

    @property
    def led_out(self) -> tuple[str, ...]:
        """Names of links that lead out of their source's folder and of the config's; they are no photos."""
        return tuple(dict.fromkeys(name for source in self.each for name in source.led_out))

    @property
    def outside(self) -> tuple[Path, ...]:
        """The folders and archives outside the config's folder in which photos lie."""
        return tuple(source.outside for source in self.each if source.outside)

    @property
    def missing(self) -> PhotosUnavailable | None:
        """What would be downloaded, told without doing so; None where nothing would."""
        return missing_imagenette() if any(isinstance(source, _Imagenette) for source in self.each) else None

    def flaws(self, confined: bool) -> list[tuple[int, str]]:
        """What is wrong with sources, each by its number, in words; nothing is downloaded or unpacked.

        Args:
            confined: whether all must lie in the config's folder.

        Raises:
            OSError: the system won't look at a path.
        """
        flaws = []
        for number, source in enumerate(self.each):
            try:
                if confined and source.outside:
                    raise NotAdmitted(
                        source.source,
                        "lies outside the config's folder, from where --confined takes nothing; put the photos beside "
                        "it",
                    )
                if message := _flaw_of_files(source) if isinstance(source, Photos) else source.flaw():
                    flaws.append((number, message))
            except (NotAdmitted, ArchiveRefused) as error:
                flaws.append((number, str(error)))
        return flaws


def _flaw_of_files(photos: Photos) -> str:
    """What is wrong with a folder, a pattern or a picture; empty where there are photos."""
    if photos.found:
        return ""
    name = photos.source
    path = photos.base / Path(name).expanduser()
    if not any(letter in name for letter in "*?[") and not path.exists():
        return f"there is no {'photo' if path.suffix.lower() in IMAGE_SUFFIXES else 'folder'} {name}; {_EXPECTED}"
    links = f" (links that lead out of it don't count, as {photos.led_out[0]})" if photos.led_out else ""
    return f"no images in {name}{links}; expected at least one file that ends in {', '.join(sorted(IMAGE_SUFFIXES))}"


@dataclass(frozen=True)
class _Archive:
    """A zip archive, as `Photos` is a folder."""

    source: str
    base: Path
    sha256: Callable[[Path], str]
    led_out: tuple[str, ...] = ()

    @property
    def outside(self) -> Path | None:
        """The archive where it lies outside the config's folder, and the config names it outright."""
        path = self.base / expanded(self.source)
        folder = Photos(self.source, self.base).outside
        if path.is_symlink() and not is_within(path, self.base, path.parent):
            real = resolved(path)
            raise NotAdmitted(
                self.source, f"is a link that leads elsewhere, to {real}; to take pictures from there, name {real}"
            )
        return folder and resolved(path)

    @cached_property
    def found(self) -> tuple[Photo, ...]:
        path = self.outside or self.base / expanded(self.source)
        return tuple(map(Photo, unpacked(path, self.sha256(path), self.source)))

    def flaw(self) -> str:
        path = self.outside or self.base / expanded(self.source)
        if not path.is_file():
            return f"there is no archive {self.source}; {_EXPECTED}"
        check_archive(path, self.source)
        return ""


@dataclass(frozen=True)
class _Imagenette:
    """Imagenette, as `Photos` is a folder."""

    source: str = IMAGENETTE
    led_out: tuple[str, ...] = ()
    outside: Path | None = None

    @cached_property
    def found(self) -> tuple[Photo, ...]:
        return tuple(Photo(path, "Imagenette by fast.ai, from ImageNet") for path in imagenette())

    def flaw(self) -> str:
        return ""
