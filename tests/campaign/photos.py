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
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from tests.campaign import Campaign, Case
from tests.runs import run

MOST_KILOBYTES = 3_000_000
"""The most memory that a run over the odd photos may take, TensorFlow included."""
_SIDE = 48
# Dark at the left, light at the right; (side, side) in [0, 1].
_RAMP = np.tile(np.linspace(0, 1, _SIDE), (_SIDE, 1))


def _grey(levels: int, kind: type[np.generic]) -> Image.Image:
    return Image.fromarray((_RAMP * levels).astype(kind))


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
    folder.mkdir(parents=True)
    for name, write_photo in files.items():
        write_photo(folder / name)


def misread(folder: Path) -> list[str]:
    """What is wrong with how the photos of `READ` and `SKIPPED` in a folder are read; empty where all is well."""
    from vizengine.measures.photos import Photos, find_unreadable

    photos = Photos(".", folder).found
    reasons = {photo.name: photo.reason for photo in find_unreadable(photos)}
    wrong = [f"{name} is skipped: {reasons[name]}" for name in READ if name in reasons]
    wrong += [f"{name} isn't skipped" for name in SKIPPED if not reasons.get(name)]
    for photo in photos:
        if photo.path.name in READ:
            pixels = photo.pixels()
            # As far as palettes and JPEG allow.
            if pixels.shape != (_SIDE, _SIDE, 3) or np.abs(pixels - _RAMP[..., None]).max() >= 0.1:
                wrong.append(f"{photo.path.name} is read as another picture")
    return wrong


def damaged(draw: random.Random) -> tuple[str, bytes]:
    """A file of `READ` with some of its bytes flipped, cut out, doubled or made random: its ending and its bytes."""
    name = draw.choice(sorted(READ))
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / name
        READ[name](path)
        content = bytearray(path.read_bytes())
    for _ in range(draw.randint(1, 6)):
        # Heads and directories are where decoders are led astray.
        place = draw.randrange(min(len(content), 300) if draw.random() < 0.6 else len(content))
        match draw.choice(("flip", "cut", "double", "random", "large")):
            case "flip":
                content[place] ^= 1 << draw.randrange(8)
            case "cut":
                del content[place : place + draw.randint(1, 40)]
            case "double":
                content[place:place] = content[place : place + draw.randint(1, 40)]
            case "random":
                content[place : place + 4] = draw.randbytes(4)
            case "large":
                content[place : place + 4] = draw.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0"))
    return Path(name).suffix, bytes(content)


def read(folder: Path, suffix: str, content: bytes) -> str:
    """Read one damaged photo as a run does, which skips it or gets from it all that a run asks for.

    Raises:
        AssertionError: what it got is no photo, or it would have ended the run.
    """
    from vizengine.measures.photos import Photo, find_unreadable

    path = folder / f"photo{suffix}"
    path.write_bytes(content)
    photo = Photo(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if find_unreadable([photo]):
                return "damaged and skipped"
            pixels, square, grey, area = photo.pixels(), photo.square(32), photo.grey(64), photo.area()
    except Exception as error:
        raise AssertionError(f"{type(error).__name__}: {error}") from error
    assert area > 0 and grey.ndim == 2
    for array in (pixels, square):
        assert array.ndim == 3 and array.shape[2] == 3 and np.isfinite(array).all()
        assert 0 <= array.min() <= array.max() <= 1
    return "damaged and read"


def _build(folder: Path) -> Counter[str]:
    """A real run over all odd photos."""
    write(folder / "photos", READ | SKIPPED)
    wrong = misread(folder / "photos")
    assert wrong == [], wrong
    (folder / "config.yaml").write_text(
        "site: {title: Photos}\nphotos: photos\nvisualization: {size: 32, steps: 2, attempts: 1}\ncircuits:\n"
        "  - name: one\n    network: {model: squeezenet1.1}\n    unit: {layer: conv1, index: 3}\n    inputs: 3\n"
    )
    done = run(folder, "config.yaml", "-q", code=0)
    for name in SKIPPED:
        assert f"photo {name} is skipped: " in done.stderr, (name, done.stderr[-800:])
    assert done.stderr.count(" is skipped: ") == len(SKIPPED) and "Traceback" not in done.stderr, done.stderr[-800:]
    kilobytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert kilobytes < MOST_KILOBYTES, f"{kilobytes:,} kB"
    return Counter({"odd and read": len(READ), "odd and skipped": len(SKIPPED)})


def _cases(folder: Path) -> Iterator[Case]:
    draw = random.Random(0)
    yield "a run over odd ones", partial(_build, folder / "odd")
    for number in range(3000):
        yield f"{number}", partial(read, folder, *damaged(draw))


PHOTOS = Campaign(
    "A photo is read as a person sees it, or skipped with a warning that says why; none ends a run or takes the "
    "machine's memory.",
    "CMYK, 16 bits, floats, palettes, transparency, EXIF turns, animations; truncated, empty, one pixel, 1 × 10,000, "
    "bombs, HEIC, text; a real run over all of them; and damaged ones drawn at random, read in every way of a run",
    "what was read is the picture that the file shows, and what was skipped came with its reason",
    _cases,
)
