"""Archives of photos: unpacked once and safely, into the user's cache, under the hash of their content.

Of an archive only files with the endings of pictures are written, each inside a folder of its own. What would lead
out of that, or unpack to far more than an archive of pictures does, is refused before anything is written.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from vizengine.errors import PhotosUnavailable, VizengineError
from vizengine.measures.photos import IMAGE_SUFFIXES
from vizengine.network.catalogue import PublishedFile
from vizengine.network.download import Watch, digest, download, megabytes

logger = logging.getLogger(__name__)
PHOTOS_FOLDER_VARIABLE = "VIZENGINE_PHOTOS"
"""Names the folder into which photos are downloaded and unpacked."""
MOST_PICTURES, MOST_BYTES = 100_000, 20_000_000_000
"""The most of one archive; ImageNet's validation set has 50,000 pictures in 6.7 GB."""
LARGEST_RATIO, ALWAYS_ADMITTED = 50, 500_000_000
"""Bytes to which an archive may unpack: so many times its own size, or so many in any case. Pictures hardly shrink."""
_LISTING = ".pictures.json"
_DAMAGES = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)
"""What reading an archive raises that is damaged, or packed in a way that Python doesn't know."""


def photos_folder() -> Path:
    """Where photos are downloaded and unpacked: the folder that the environment names, or one in the user's cache."""
    import platformdirs

    named = os.environ.get(PHOTOS_FOLDER_VARIABLE)
    return Path(named).expanduser() if named else platformdirs.user_cache_path("vizengine", appauthor=False) / "photos"


class ArchiveRefused(VizengineError):
    """An archive isn't one of pictures, is damaged, or would write elsewhere or too much."""


@dataclass(frozen=True)
class _Entry:
    """What an archive has under a name; a link or a device is neither file nor folder."""

    name: str
    size: int
    is_file: bool
    is_folder: bool
    open: Callable[[], IO[bytes]]


@contextmanager
def _entries(path: Path) -> Iterator[Iterable[_Entry]]:
    """The entries of a zip or tar archive, in its order."""
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as archive:
            yield [_zip_entry(archive, member) for member in archive.infolist()]
    else:
        with tarfile.open(path) as tar:
            yield (
                _Entry(member.name, member.size, member.isreg(), member.isdir(), partial(_opened_in_tar, tar, member))
                for member in tar
            )


def _zip_entry(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> _Entry:
    kind = stat.S_IFMT(member.external_attr >> 16)
    # Some programs that write zips say nothing of an entry's kind.
    is_file = not member.is_dir() and kind in (0, stat.S_IFREG)
    return _Entry(member.filename, member.file_size, is_file, member.is_dir(), partial(archive.open, member))


def _opened_in_tar(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    stream = archive.extractfile(member)
    assert stream is not None
    return stream


def _pictures(entries: Iterable[_Entry], packed: int, archive: str) -> Iterator[tuple[str, _Entry]]:
    """The pictures among entries, each with its path in the folder to unpack into.

    Hidden files are passed over, and so is what macOS packs beside each file.

    Raises:
        ArchiveRefused: an entry would lead elsewhere, or all would unpack to too much, or none is a picture.
    """
    most = min(MOST_BYTES, max(ALWAYS_ADMITTED, LARGEST_RATIO * packed))
    names: set[str] = set()
    size = 0
    for entry in entries:
        parts = entry.name.replace("\\", "/").split("/")
        if not parts[0] or re.match("[A-Za-z]:", entry.name) or ".." in parts:
            raise ArchiveRefused(
                f"{archive} holds `{entry.name}`, which leads out of it; expected names inside a folder: pack it anew"
            )
        if not entry.is_file and not entry.is_folder:
            raise ArchiveRefused(
                f"{archive} holds the link or device `{entry.name}`; expected files: pack those to which links lead"
            )
        parts = [part for part in parts if part not in ("", ".")]
        is_hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
        if entry.is_folder or is_hidden or Path(parts[-1]).suffix.lower() not in IMAGE_SUFFIXES:
            continue
        name = "/".join(parts)
        if name in names:
            raise ArchiveRefused(f"{archive} holds `{name}` twice; expected each file once: pack it anew")
        names.add(name)
        size += entry.size
        if len(names) > MOST_PICTURES:
            raise ArchiveRefused(
                f"{archive} holds more than {MOST_PICTURES:,} pictures; expected fewer, perhaps in several archives"
            )
        if size > most:
            raise ArchiveRefused(
                f"{archive} has {megabytes(packed)} and would unpack to more than {megabytes(most)}, which pictures "
                "don't; if it is yours, unpack it and name its folder"
            )
        yield name, entry
    if not names:
        kinds = ", ".join(sorted(IMAGE_SUFFIXES))
        raise ArchiveRefused(f"no images in {archive}; expected at least one file that ends in {kinds}")


@contextmanager
def _refusing(name: str) -> Iterator[None]:
    """Say of what goes wrong with an archive which it is, and how to mend it."""
    try:
        yield
    except (FileExistsError, NotADirectoryError) as error:
        raise ArchiveRefused(
            f"{name} holds names that can't lie beside each other ({error.filename}); expected each once: pack it anew"
        ) from error
    except _DAMAGES as error:
        words = " ".join(str(error).split()) or type(error).__name__
        raise ArchiveRefused(
            f"{name} can't be unpacked ({words}); expected a whole archive of pictures without a password: make or "
            "fetch it anew"
        ) from error


def check_archive(path: Path, name: str) -> None:
    """Look at the names and sizes in an archive; nothing is unpacked.

    Args:
        path: a file, zip by its ending or else tar.
        name: in words.

    Raises:
        ArchiveRefused: something is wrong with it.
        OSError: it can't be read.
    """
    with _refusing(name), _entries(path) as entries:
        for _ in _pictures(entries, path.stat().st_size, name):
            pass


def unpacked(path: Path, sha256: str, name: str) -> tuple[Path, ...]:
    """The pictures of an archive, sorted by path; it is unpacked where that wasn't done or not all is there any more.

    A run that is killed leaves nothing under the pictures' own names, and of two at once the second waits.

    Args:
        path, name: as for `check_archive`.
        sha256: of the archive.

    Raises:
        ArchiveRefused: something is wrong with it.
        PhotosUnavailable: the user's cache can't be written.
    """
    from filelock import FileLock

    target = photos_folder() / sha256
    pictures = _whole(target)
    if pictures is None:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(target.with_name(f".{sha256}.lock")):
                if _whole(target) is None:
                    _unpack(path, target, name)
        except OSError as error:
            raise PhotosUnavailable(
                f"{name} can't be unpacked into {target.parent}: {(error.strerror or str(error)).lower()}.",
                f"Make room there, or let {PHOTOS_FOLDER_VARIABLE} name a folder that can be written.",
            ) from error
        pictures = _whole(target) or ()
    return pictures


def _whole(folder: Path) -> tuple[Path, ...] | None:
    """The pictures that were unpacked into a folder; None where they aren't all there."""
    try:
        sizes = json.loads((folder / _LISTING).read_text(encoding="utf-8"))
        paths = {folder / name: size for name, size in sizes.items()}
        return tuple(sorted(paths)) if all(path.stat().st_size == size for path, size in paths.items()) else None
    except (OSError, ValueError):
        return None


def _unpack(path: Path, target: Path, name: str) -> None:
    part = target.with_name(f"{target.name}.part")
    for left in (part, target):
        shutil.rmtree(left, ignore_errors=True)
    sizes: dict[str, int] = {}
    logger.info("%s: unpacking its pictures into %s", name, target)
    try:
        with _refusing(name), _entries(path) as entries, Watch(f"unpacking {name}", 0, None, patient=True) as watch:
            for inside, entry in _pictures(entries, path.stat().st_size, name):
                (part / inside).parent.mkdir(parents=True, exist_ok=True)
                with entry.open() as packed, (part / inside).open("xb") as file:
                    shutil.copyfileobj(packed, file)
                    sizes[inside] = file.tell()
                watch.advance(sizes[inside])
        (part / _LISTING).write_text(json.dumps(sizes), encoding="utf-8")
        part.replace(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)


IMAGENETTE = PublishedFile(
    "imagenette2-160.tgz",
    "https://s3.amazonaws.com/fast-ai-imageclas/imagenette2-160.tgz",
    "64d0c4859f35a461889e0147755a999a48b49bf38a7e0f9bd27003f10db02fe5",
    99,
)
"""Imagenette in 160 px, ten classes of ImageNet; address and hash as in TensorFlow Datasets, datasets/imagenette."""
_IMAGENETTE_NAME = "Imagenette"


def imagenette() -> tuple[Path, ...]:
    """Imagenette's pictures; they are downloaded where they aren't there yet.

    Raises:
        PhotosUnavailable: they can't be had.
    """
    folder = photos_folder()
    pictures = _whole(folder / IMAGENETTE.digest)
    if pictures is not None:
        return pictures
    path = folder / IMAGENETTE.name
    was_there = path.is_file()
    try:
        download(IMAGENETTE, folder)
    except OSError as error:
        tried = f"{_not_there(path)}; the download failed ({error})"
        raise PhotosUnavailable(f"No photos of {_IMAGENETTE_NAME}: {tried}.", _mend(folder)) from error
    pictures = unpacked(path, IMAGENETTE.digest, IMAGENETTE.name)
    if not was_there:
        path.unlink(missing_ok=True)
    return pictures


def missing_imagenette() -> PhotosUnavailable | None:
    """What would be downloaded of Imagenette, told without doing so; None where it is there."""
    folder = photos_folder()
    path = folder / IMAGENETTE.name
    if path.is_file() or _whole(folder / IMAGENETTE.digest) is not None:
        return None
    return PhotosUnavailable(f"{_not_there(path)}.", _mend(folder))


def _not_there(path: Path) -> str:
    if not path.is_file():
        return f"there is no {path.name} in {path.parent}"
    return f"{path.name} in {path.parent} has sha256 {digest(path, IMAGENETTE.digest)}, expected {IMAGENETTE.digest}"


def _mend(folder: Path) -> str:
    return (
        f"Put {IMAGENETTE.name} ({IMAGENETTE.megabytes} MB, from {IMAGENETTE.address}) into {folder}, or into a folder "
        f"that the environment variable {PHOTOS_FOLDER_VARIABLE} names; or name other photos."
    )
