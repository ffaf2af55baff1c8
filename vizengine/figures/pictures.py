"""The colours of weights: red where a unit is excited, blue where it is inhibited, white at zero."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from vizengine.figures.quantities import Picture

# ColorBrewer's RdBu with five classes, its middle made white (Distill's convention).
STOPS = (
    (-1.0, (5, 113, 176)),
    (-0.5, (146, 197, 222)),
    (0.0, (255, 255, 255)),
    (0.5, (244, 165, 130)),
    (1.0, (202, 0, 32)),
)
INHIBITS, EXCITES = STOPS[0][1], STOPS[-1][1]
"""The red of all that excites and the blue of all that inhibits; RGB, 0 to 255."""


def weight_colour(value: float, scale: float) -> tuple[int, int, int]:
    """The colour of a weight: white at zero, full red at `scale`, full blue at −`scale`; RGB, 0 to 255."""
    position = max(-1.0, min(1.0, value / scale)) if scale > 0 else 0.0
    for (low, dark), (high, light) in zip(STOPS, STOPS[1:], strict=False):
        if position <= high:
            part = (position - low) / (high - low)
            red, green, blue = (round(a + part * (b - a)) for a, b in zip(dark, light, strict=True))
            return red, green, blue
    raise AssertionError("unreachable: position is at most 1")


QUALITY = 87
# Of further pictures of what another shows: a fifth of the bytes less.
FURTHER_QUALITY = 80
FEW_COLOURS = 64
PATCH_PIXELS = 112
PATCH_QUALITY = 78


def picture(pixels: NDArray[np.uint8], alt: str, largest: int, quality: int = QUALITY) -> Picture:
    """A picture as JPEG in full colour resolution, or as WebP without loss where it has few colours.

    Feature visualizations live by fine saturated patterns. WebP with loss stores colour at half the resolution,
    which puts such a picture off by 16 to 18 of 255 levels on average; this JPEG by 7 to 8, at half the size of
    a file without loss. AVIF that is as near is a tenth smaller and takes ten times as long to write.

    Args:
        pixels: (height, width, 3) uint8, RGB.
        alt: what it shows.
        largest: longest side in pixels that the page can make use of; a larger picture is made smaller.
        quality: of the JPEG.
    """
    image = Image.fromarray(np.ascontiguousarray(pixels, np.uint8))
    if max(image.size) > largest:
        image.thumbnail((largest, largest), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    if image.getcolors(FEW_COLOURS):
        kind = "webp"
        image.save(stream, "WEBP", lossless=True, method=4)
    else:
        kind = "jpeg"
        _save_jpeg(image, stream, quality)
    address = f"data:image/{kind};base64," + base64.b64encode(stream.getvalue()).decode("ascii")
    return Picture(source=address, width=image.width, height=image.height, alt=alt)


def jpeg(pixels: NDArray[np.uint8]) -> bytes:
    """A picture as a JPEG file in full colour resolution.

    Args:
        pixels: (height, width, 3) uint8, RGB.
    """
    stream = io.BytesIO()
    _save_jpeg(Image.fromarray(np.ascontiguousarray(pixels, np.uint8)), stream, QUALITY)
    return stream.getvalue()


def _save_jpeg(image: Image.Image, stream: io.BytesIO, quality: int) -> None:
    # Pillow guesses the buffer of an optimized file at a byte per pixel, which noise exceeds.
    ImageFile.MAXBLOCK = max(ImageFile.MAXBLOCK, 3 * image.width * image.height)
    image.save(stream, "JPEG", quality=quality, subsampling=0, optimize=True, progressive=True)


def patch(pixels: NDArray[np.uint8], alt: str, largest: int = PATCH_PIXELS) -> Picture:
    """A small patch of a photo or a drawn stimulus as WebP, which takes a third of a JPEG's bytes at this size.

    Args:
        pixels: (height, width, 3) uint8, RGB.
        alt: what it shows.
        largest: longest side in pixels; a larger picture is made smaller.
    """
    image = Image.fromarray(np.ascontiguousarray(pixels, np.uint8))
    if max(image.size) > largest:
        image.thumbnail((largest, largest), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    image.save(stream, "WEBP", quality=PATCH_QUALITY, method=4)
    address = "data:image/webp;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
    return Picture(source=address, width=image.width, height=image.height, alt=alt)


def overlay(strength: NDArray[np.floating], colour: tuple[int, int, int], alt: str) -> Picture:
    """One colour, opaque where `strength` is 1 and transparent where it is 0, as WebP without loss.

    Args:
        strength: (height, width) in [0, 1].
        colour: RGB, 0 to 255.
        alt: what it shows.
    """
    # Sixteen steps are finer than the eye reads through a photo, and pack well.
    opacity = (np.round(strength * 15) * 17).astype(np.uint8)
    pixels = np.empty((*strength.shape, 4), np.uint8)
    pixels[..., :3], pixels[..., 3] = colour, opacity
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "WEBP", lossless=True, exact=True, method=4)
    address = "data:image/webp;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
    return Picture(source=address, width=strength.shape[1], height=strength.shape[0], alt=alt)
