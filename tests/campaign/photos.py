"""Photos of every odd kind in one folder, and thousands that are damaged: read right, or skipped with a warning."""

from __future__ import annotations

import io
import random
import resource
import struct
import tempfile
import warnings
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.campaign import Campaign, Result, Tally
from tests.runs import run

MOST_KILOBYTES = 3_000_000
"""The most memory that a run over the odd photos may take, TensorFlow included."""
_SIDE = 48


def _ramp() -> NDArray[np.float64]:
    """Dark at the left, light at the right; (side, side) in [0, 1]."""
    return np.tile(np.linspace(0, 1, _SIDE), (_SIDE, 1))


def _grey(levels: int, kind: type[np.generic]) -> Image.Image:
    return Image.fromarray((_ramp() * levels).astype(kind))


def _colour() -> Image.Image:
    return _grey(255, np.uint8).convert("RGB")


def _turned(path: Path) -> None:
    """Stored with its dark side at the top, and a note to turn it."""
    image = _colour().rotate(-90)
    exif = image.getexif()
    exif[0x0112] = 8
    image.save(path, exif=exif, quality=98)


def _claiming(path: Path, width: int, height: int) -> None:
    """A PNG whose head claims so many pixels, with next to nothing behind it."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))
    packed = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + packed)


def _cut(path: Path, kind: str) -> None:
    stream = io.BytesIO()
    _colour().resize((200, 200)).save(stream, kind)
    path.write_bytes(stream.getvalue()[: len(stream.getvalue()) // 2])


def _swollen_text(path: Path) -> None:
    """A PNG whose compressed note unpacks to 200 MB."""
    stream = io.BytesIO()
    _colour().save(stream, "PNG")
    data = b"note\x00\x00" + zlib.compress(bytes(200_000_000))
    chunk = struct.pack(">I", len(data)) + b"zTXt" + data + struct.pack(">I", zlib.crc32(b"zTXt" + data))
    whole = stream.getvalue()
    path.write_bytes(whole[:33] + chunk + whole[33:])


def _animated(path: Path) -> None:
    _colour().save(path, save_all=True, append_images=[Image.new("RGB", (_SIDE, _SIDE), "red")] * 20)


READ: dict[str, Callable[[Path], None]] = {
    "colour.png": lambda path: _colour().save(path),
    "colour.JPG": lambda path: _colour().save(path, quality=98),
    "colour.webp": lambda path: _colour().save(path, lossless=True),
    "grey.bmp": lambda path: _grey(255, np.uint8).save(path),
    "sixteen.png": lambda path: _grey(65535, np.uint16).save(path),
    "sixteen.tif": lambda path: _grey(65535, np.uint16).save(path),
    "float.tif": lambda path: _grey(1, np.float32).save(path),
    "cmyk.tif": lambda path: _colour().convert("CMYK").save(path),
    "cmyk.jpg": lambda path: _colour().convert("CMYK").save(path, quality=98),
    "palette.png": lambda path: _grey(255, np.uint8).convert("P").save(path),
    "alpha.png": lambda path: _colour().convert("RGBA").save(path),
    "grey-alpha.png": lambda path: _grey(255, np.uint8).convert("LA").save(path),
    "turned.jpg": _turned,
    "animated.gif": _animated,
    "animated.webp": lambda path: _colour().save(
        path, lossless=True, save_all=True, append_images=[Image.new("RGB", (_SIDE, _SIDE))]
    ),
    "a jpeg by another name.png": lambda path: _colour().save(path, "JPEG", quality=98),
}
"""What must be read, by its file's name: each is the same ramp from dark to light."""
SKIPPED: dict[str, Callable[[Path], None]] = {
    "cut.png": lambda path: _cut(path, "PNG"),
    "cut.jpg": lambda path: _cut(path, "JPEG"),
    "cut.webp": lambda path: _cut(path, "WEBP"),
    "cut.tif": lambda path: _cut(path, "TIFF"),
    "zero.png": lambda path: path.touch(),
    "zeros.jpg": lambda path: path.write_bytes(bytes(100_000)),
    "text.jpg": lambda path: path.write_text("this is no photo"),
    "page.jpg": lambda path: path.write_text("<!doctype html><script>alert(1)</script>"),
    "one.png": lambda path: Image.new("RGB", (1, 1)).save(path),
    "long.png": lambda path: Image.new("RGB", (1, 10_000)).save(path),
    "wide.png": lambda path: Image.new("RGB", (10_000, 1)).save(path),
    "thin.png": lambda path: Image.new("RGB", (40, 10_000)).save(path),
    "bomb.png": lambda path: Image.new("1", (30_000, 30_000)).save(path),
    "claims.png": lambda path: _claiming(path, 13_000, 13_000),
    "claims-more.png": lambda path: _claiming(path, 2**31 - 1, 2**31 - 1),
    "note.png": _swollen_text,
    "phone.heic": lambda path: path.write_bytes(struct.pack(">I", 24) + b"ftypheic" + bytes(4) + b"mif1heic"),
    "phone.jpg": lambda path: path.write_bytes(struct.pack(">I", 24) + b"ftypheic" + bytes(4) + b"mif1heic"),
    "script.tif": lambda path: path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 50 50\n(ran) (w) file\n"),
}
"""What can't serve, by its file's name; some claim gigabytes."""


def write(folder: Path, files: dict[str, Callable[[Path], None]]) -> None:
    """Write such photos into a new folder."""
    folder.mkdir()
    for name, make in files.items():
        make(folder / name)


def misread(folder: Path) -> list[str]:
    """What is wrong with how the photos of `READ` and `SKIPPED` in a folder are read; empty where all is well."""
    from vizengine.measures.photos import Photos, find_unreadable

    found = Photos(".", folder).found
    wrong = [
        f"{photo.path.name} is read as another picture"
        for photo in found
        if photo.path.name in READ and not _right(photo.pixels())
    ]
    skipped = {each.name: each.reason for each in find_unreadable(found)}
    wrong += [f"{name} is skipped: {skipped[name]}" for name in READ if name in skipped]
    return wrong + [f"{name} isn't skipped" for name in SKIPPED if not skipped.get(name)]


def _right(pixels: NDArray[np.float32]) -> bool:
    """Whether these are the ramp's, as far as palettes and JPEG allow."""
    return pixels.shape == (_SIDE, _SIDE, 3) and float(np.abs(pixels - _ramp()[..., None]).max()) < 0.1


def damaged(draw: random.Random) -> tuple[str, bytes]:
    """A file of `READ` with some of its bytes flipped, cut out, doubled or made random: its ending and its bytes."""
    name = draw.choice(sorted(READ))
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / name
        READ[name](path)
        content = bytearray(path.read_bytes())
    for _ in range(draw.randint(1, 6)):
        # Heads and directories are where decoders are led astray.
        reach = min(len(content), 300) if draw.random() < 0.6 else len(content)
        place = draw.randrange(max(reach, 1))
        match draw.choice(("flip", "cut", "double", "random", "large")):
            case "flip" if content:
                content[min(place, len(content) - 1)] ^= 1 << draw.randrange(8)
            case "cut":
                del content[place : place + draw.randint(1, 40)]
            case "double":
                content[place:place] = content[place : place + draw.randint(1, 40)]
            case "random":
                content[place : place + 4] = draw.randbytes(4)
            case "large":
                content[place : place + 4] = draw.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0"))
    return Path(name).suffix, bytes(content)


def put(folder: Path, suffix: str, content: bytes) -> str:
    """Read one damaged photo as a run does: `skipped`, or `read` where all that a run asks of it can be had.

    Raises:
        Exception: whatever a run would have ended with.
    """
    from vizengine.measures.photos import Photo, find_unreadable

    path = folder / f"photo{suffix}"
    path.write_bytes(content)
    photo = Photo(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if find_unreadable([photo]):
            return "skipped"
        pixels, square = photo.pixels(), photo.square(32)
        assert photo.area() > 0 and photo.grey(64).ndim == 2
    for array in (pixels, square):
        assert array.ndim == 3 and array.shape[2] == 3 and np.isfinite(array).all()
        assert 0 <= array.min() <= array.max() <= 1
    return "read"


def build(folder: Path) -> None:
    """A real run over all odd photos.

    Raises:
        AssertionError: it failed, left one unsaid, or took too much memory.
    """
    write(folder / "photos", READ | SKIPPED)
    (folder / "config.yaml").write_text(
        "site: {title: Photos}\nphotos: photos\nvisualization: {size: 32, steps: 2, attempts: 1}\ncircuits:\n"
        "  - name: one\n    network: {model: squeezenet1.1}\n    unit: {layer: conv1, index: 3}\n    inputs: 3\n"
    )
    done = run(folder, "config.yaml", "-q")
    assert done.returncode == 0, done.stderr[-800:]
    for name in SKIPPED:
        assert f"photo {name} is skipped: " in done.stderr, (name, done.stderr[-800:])
    assert done.stderr.count(" is skipped: ") == len(SKIPPED), done.stderr[-800:]
    assert "Traceback" not in done.stderr and (folder / "site" / "index.html").is_file()
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert used < MOST_KILOBYTES, f"{used:,} kB"


def campaign(cases: int = 3000, seed: int = 0) -> Result:
    """All odd photos, a real run over them, and so many damaged ones."""
    ends, tally, draw = Counter[str](), Tally(), random.Random(seed)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write(folder / "odd", READ | SKIPPED)
        with tally.case("odd ones", len(READ) + len(SKIPPED)):
            wrong = misread(folder / "odd")
            assert wrong == [], wrong
        (folder / "run").mkdir()
        with tally.case("the run", 0):
            build(folder / "run")
        for _ in range(cases):
            suffix, content = damaged(draw)
            tally.cases += 1
            try:
                ends[put(folder, suffix, content)] += 1
            except Exception as error:
                tally.broken.append(f"{suffix}: {type(error).__name__}: {str(error)[:200]}")
    return tally.result(
        f"{len(READ)} odd ones were read as the picture that they show, {len(SKIPPED)} skipped, each with its reason; "
        f"of the damaged {ends['read']:,} could still be read and {ends['skipped']:,} were skipped"
    )


PHOTOS = Campaign(
    "A photo is read as a person sees it, or skipped with a warning that says why; none ends a run or takes the "
    "machine's memory.",
    "CMYK, 16 bits, floats, palettes, transparency, EXIF turns, animations; truncated, empty, one pixel, 1 × 10,000, "
    "bombs, HEIC, text; a real run over all of them; and damaged ones drawn at random, read in every way of a run",
    campaign,
)
