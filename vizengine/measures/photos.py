"""Photos: which files a config's `photos` means, how they are read, and which can't be."""

from __future__ import annotations

import csv
import fnmatch
import hashlib
import os
import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vizengine.config.paths import NotAdmitted, expanded, is_within, resolved

if TYPE_CHECKING:
    from PIL.Image import Image

IMAGE_SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif", ".heic", ".heif")
)
MOST_FOLDERS = 10_000
"""The most folders that a pattern may look into; ImageNet's training set has a thousand."""
SAMPLES = "samples"
LONGEST_SIDE = 384
SHORTEST_SIDE = 32
_WILDCARD = re.compile(r"[*?\[]")
_ANY_DEPTH = "**"
_HEIC = (".heic", ".heif")
# What shows through where a photo is transparent, of 255.
_BEHIND = 128


@dataclass(frozen=True)
class Photo:
    """A photo on disk, read when it is asked for and never kept.

    Attributes:
        path: the file.
        credit: photographer and licence; empty for a user's own.
    """

    path: Path
    credit: str = ""

    @property
    def name(self) -> str:
        """File name without its ending."""
        return self.path.stem

    @cached_property
    def held_out(self) -> bool:
        """Whether the photo is held out, as about two thirds are, or shown.

        The bytes of the file decide, whatever its name: their BLAKE2b digest of 64 bytes as a whole number, most
        significant byte first, modulo 3. Remainder 0 is shown.

        Raises:
            OSError: the file can't be read.
        """
        with self.path.open("rb") as stream:
            return int.from_bytes(hashlib.file_digest(stream, "blake2b").digest(), "big") % 3 != 0

    def pixels(self, longest: int = LONGEST_SIDE) -> NDArray[np.float32]:
        """The photo, made smaller where a side is over `longest` pixels, never larger; the first of several frames.

        What is transparent becomes mid grey. Grey of 16 bits keeps its range; of 32 bits, its darkest and brightest
        become black and white.

        Returns:
            (height, width, 3) float32, RGB in [0, 1].

        Raises:
            OSError: the file isn't an image that Pillow can read.
        """
        from PIL import Image, ImageOps

        with _opened(self.path) as image:
            # For JPEG, decode at a fraction of the size where that is still large enough.
            image.draft("RGB", (longest, longest))
            upright = _opaque(ImageOps.exif_transpose(image))
        upright.thumbnail((longest, longest), Image.Resampling.LANCZOS)
        return np.asarray(upright, np.float32) / 255.0

    def area(self, longest: int = LONGEST_SIDE) -> float:
        """About how many pixels `pixels` gives, from the file's head alone; it raises what `pixels` does."""
        with _opened(self.path) as image:
            width, height = image.size
        return width * height * min(1.0, longest / max(width, height)) ** 2

    def grey(self, longest: int) -> NDArray[np.uint8]:
        """(height, width) of `pixels` without colours (ITU-R 601-2 luma)."""
        from PIL import Image

        return np.asarray(Image.fromarray((self.pixels(longest) * 255).round().astype(np.uint8)).convert("L"))

    def square(self, size: int) -> NDArray[np.float32]:
        """The largest centred square, resampled to `size` pixels, as the classifier sees it.

        Returns:
            (size, size, 3) float32, RGB in [0, 1].
        """
        from skimage.transform import resize

        pixels = self.pixels(longest=max(4 * size, 1024))
        side = min(pixels.shape[:2])
        top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
        cropped = pixels[top : top + side, left : left + side]
        return np.asarray(resize(cropped, (size, size), anti_aliasing=True), np.float32).clip(0, 1)


@dataclass(frozen=True)
class Photos:
    """The photos that a config names.

    Attributes:
        source: `samples`, a folder, a pattern or a picture, as the config has it.
        base: folder of the config, against which a relative path is read.

    Raises:
        NotAdmitted: by its properties: a link leads there, a pattern begins at a folder that holds too much, or it
            looks into more than `MOST_FOLDERS` folders.
        OSError: likewise: the system won't look at the path.
    """

    source: str
    base: Path

    @property
    def found(self) -> tuple[Photo, ...]:
        """The photos, sorted by path; files that aren't images by their ending are passed over."""
        return self._searched[0]

    @property
    def led_out(self) -> tuple[str, ...]:
        """Names of links that lead out of the photos' folder and of the config's; they are no photos."""
        return self._searched[1]

    @property
    def outside(self) -> Path | None:
        """The photos' folder where it lies outside the config's; None where it doesn't, and for `samples`."""
        return None if self.source == SAMPLES else self._place[2]

    @cached_property
    def _searched(self) -> tuple[tuple[Photo, ...], tuple[str, ...]]:
        if self.source == SAMPLES:
            return _samples(), ()
        folder, pattern, _ = self._place
        search = _Search(self.source, folder, (resolved(folder), resolved(self.base)))
        return tuple(map(Photo, search.files(pattern))), tuple(search.led_out)

    @cached_property
    def _place(self) -> tuple[Path, tuple[str, ...], Path | None]:
        """Where the photos lie; no picture is looked for yet.

        Returns:
            The folder, or the part of a pattern before its first wildcard; the steps of a pattern behind that, none for
            all pictures of the folder itself; the folder without links where it lies outside the config's, which
            names it outright.
        """
        source, base = self.source, self.base
        named = expanded(source)
        folder, pattern = base / named, tuple[str, ...]()
        if not folder.is_dir():
            parts = named.parts
            first = next((number for number, part in enumerate(parts) if _WILDCARD.search(part)), len(parts) - 1)
            folder, pattern = base / Path(*parts[:first]), parts[first:]
        if ".." in pattern:
            raise NotAdmitted(source, "has `..` behind a wildcard; write the folder without it")
        if is_within(folder, base):
            return folder, pattern, None
        real = resolved(folder)
        written = Path(os.path.normpath(resolved(base) / named))
        if written.is_relative_to(resolved(base)):
            raise NotAdmitted(
                source,
                f"leads out of the config's folder by a link, to {real}; to take pictures from there, name {real}",
            )
        if _WILDCARD.search("/".join(pattern)) and (is_within(base, real) or is_within(Path.home(), real)):
            raise NotAdmitted(
                source,
                f"searches all of {real}; expected a pattern that begins with a folder of photos, as "
                "`/data/photos/**/*.jpg`",
            )
        return folder, pattern, real


@dataclass
class _Search:
    """Looks for pictures.

    Attributes:
        source: as the config has it.
        folder: from which on.
        roots: folders without links, out of which no link may lead.
        led_out: names of links that do; they are passed over.
    """

    source: str
    folder: Path
    roots: tuple[Path, Path]
    led_out: list[str] = field(default_factory=list)
    _entered: set[tuple[Path, tuple[str, ...]]] = field(default_factory=set)

    def files(self, pattern: tuple[str, ...]) -> list[Path]:
        """The pictures that a pattern finds, or all of the folder itself where it is empty, sorted by path."""
        # `**` at the end stands for files at any depth, as in Python's glob.
        steps = (*pattern, "*") if pattern[-1:] == (_ANY_DEPTH,) else pattern
        paths = self._matches(self.folder, steps) if steps else _entries(self.folder)
        images = sorted({path for path in paths if path.suffix.lower() in IMAGE_SUFFIXES})
        return [path for path in images if path.is_file() and self._stays(path)]

    def _matches(self, folder: Path, steps: tuple[str, ...]) -> Iterator[Path]:
        """What a pattern's steps find from a folder on.

        Python's glob and pathlib go through links wherever a pattern leads them, to the root of the disk too.
        """
        step, rest = steps[0], steps[1:]
        if not _WILDCARD.search(step):
            entries = [folder / step]
        elif (resolved(folder), steps) in self._entered:
            return
        else:
            self._entered.add((resolved(folder), steps))
            if len(self._entered) > MOST_FOLDERS:
                raise NotAdmitted(
                    self.source,
                    f"looks into more than {MOST_FOLDERS:,} folders; expected a pattern that begins with a folder of "
                    "photos, and nothing else in it",
                )
            hidden = step.startswith(".")
            entries = [entry for entry in _entries(folder) if hidden or not entry.name.startswith(".")]
        if step == _ANY_DEPTH:
            yield from self._matches(folder, rest)
            rest = steps
        elif _WILDCARD.search(step):
            entries = [entry for entry in entries if fnmatch.fnmatch(entry.name, step)]
        for entry in entries:
            if not rest:
                yield entry
            elif entry.is_dir() and self._stays(entry):
                yield from self._matches(entry, rest)

    def _stays(self, path: Path) -> bool:
        """Whether a path is no link that leads out; one that does is noted."""
        if not path.is_symlink() or is_within(path, *self.roots):
            return True
        name = os.path.relpath(path, self.folder)
        if name not in self.led_out:
            self.led_out.append(name)
        return False


def _entries(folder: Path) -> list[Path]:
    """What lies in a folder, sorted; nothing where it can't be read."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


@dataclass(frozen=True)
class Unreadable:
    """The name of a file that is skipped, the reason in words, and its number among the photos, since names repeat."""

    name: str
    reason: str
    number: int


def find_unreadable(photos: Iterable[Photo]) -> tuple[Unreadable, ...]:
    """The files among `photos` that can't serve: decoding fails, or a side is under `SHORTEST_SIDE` as it is read."""
    reasons = enumerate((photo.path.name, _why_unreadable(photo)) for photo in photos)
    return tuple(Unreadable(name, reason, number) for number, (name, reason) in reasons if reason)


def _why_unreadable(photo: Photo) -> str:
    try:
        with _opened(photo.path) as image:
            image.load()
            longest, shortest = max(image.size), min(image.size)
    except Exception as error:  # what a decoder raises of a broken file isn't bounded
        hint = "; Pillow reads no HEIC by itself, save it as JPEG" if photo.path.suffix.lower() in _HEIC else ""
        return f"{str(error) or type(error).__name__}{hint}"
    if shortest < SHORTEST_SIDE:
        return f"its side of {shortest} px is under {SHORTEST_SIDE} px"
    read = round(shortest * min(1.0, LONGEST_SIDE / longest))
    if read < SHORTEST_SIDE:
        return (
            f"with its side of {longest} px made {LONGEST_SIDE} px, the other has {read} px, under {SHORTEST_SIDE} px"
        )
    return ""


@contextmanager
def _opened(path: Path) -> Iterator[Image]:
    """An image file, its pixels not read yet.

    Pillow warns from 89 million pixels on that a file may be a trap, and refuses it from twice as many on. What it
    only warns of is read: photos of 10,000 pixels a side are nothing unusual.

    Raises:
        OSError, Image.DecompressionBombError: as `PIL.Image.open`.
    """
    from PIL import Image as Images

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Images.DecompressionBombWarning)
        image = Images.open(path)
    with image:
        yield image


def _opaque(image: Image) -> Image:
    """The image in RGB, 8 bits a channel."""
    from PIL import Image as Images

    if image.mode.startswith(("I", "F")):
        values = np.asarray(image, np.float64)
        low, high = (0.0, 65535.0) if image.mode.startswith("I;16") else (float(values.min()), float(values.max()))
        scaled = (values - low) / (high - low or 1.0)
        return Images.fromarray((scaled * 255).round().astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        behind = Images.new("RGBA", image.size, (_BEHIND, _BEHIND, _BEHIND, 255))
        return Images.alpha_composite(behind, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")


@cache
def _samples() -> tuple[Photo, ...]:
    """The photographs that come with vizengine, scikit-image and scikit-learn, without importing these."""
    folder = Path(__file__).parent.parent
    with (folder / "samples" / "samples.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    folders = {"vizengine": folder} | {name: _package(name) for name in ("skimage", "sklearn")}
    return tuple(Photo(folders[row["package"]] / row["path"], row["credit"]) for row in rows)


def _package(name: str) -> Path:
    import importlib.util

    package = importlib.util.find_spec(name)
    if package is None or not package.submodule_search_locations:
        raise OSError(f"{name} isn't installed; run `pip install -r requirements.txt`")
    return Path(package.submodule_search_locations[0])
