"""Pictures inside the page, as JPEG or WebP."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from vizengine.figures.quantities import Picture

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
        largest: longest side in pixels that the page can make use of; a larger picture is made smaller.
        quality: of the JPEG.
    """
    image = _at_most(pixels, largest)
    if image.getcolors(FEW_COLOURS):
        return webp(image, alt, lossless=True, method=4)
    return _embedded(image, "jpeg", _jpeg(image, quality), alt)


def jpeg(pixels: NDArray[np.uint8]) -> bytes:
    """A picture, (height, width, 3) uint8 RGB, as a JPEG file in full colour resolution."""
    return _jpeg(Image.fromarray(np.ascontiguousarray(pixels)), QUALITY)


def patch(pixels: NDArray[np.uint8], alt: str, largest: int = PATCH_PIXELS) -> Picture:
    """A small patch of a photo or a drawn stimulus as WebP, which takes a third of a JPEG's bytes at this size.

    The arguments are those of `picture`.
    """
    return webp(_at_most(pixels, largest), alt, quality=PATCH_QUALITY, method=4)


def overlay(strength: NDArray[np.floating], colour: tuple[int, int, int], alt: str) -> Picture:
    """One RGB colour, opaque where `strength`, (height, width), is 1 and transparent where it is 0, as WebP."""
    # Sixteen steps are finer than the eye reads through a photo, and pack well.
    opacity = (np.round(strength * 15) * 17).astype(np.uint8)
    pixels = np.empty((*strength.shape, 4), np.uint8)
    pixels[..., :3], pixels[..., 3] = colour, opacity
    return webp(Image.fromarray(pixels), alt, lossless=True, exact=True, method=4)


def webp(image: Image.Image, alt: str, **options: int) -> Picture:
    """An image as a WebP inside the page, with options of Pillow's WebP writer."""
    stream = io.BytesIO()
    image.save(stream, "WEBP", **options)
    return _embedded(image, "webp", stream.getvalue(), alt)


def decoded(picture: Picture) -> Image.Image:
    """The image of a picture inside the page."""
    return Image.open(io.BytesIO(base64.b64decode(picture.source.partition(",")[2])))


def _at_most(pixels: NDArray[np.uint8], largest: int) -> Image.Image:
    image = Image.fromarray(np.ascontiguousarray(pixels))
    if max(image.size) > largest:
        image.thumbnail((largest, largest), Image.Resampling.LANCZOS)
    return image


def _jpeg(image: Image.Image, quality: int) -> bytes:
    # Pillow guesses the buffer of an optimized file at a byte per pixel, which noise exceeds.
    ImageFile.MAXBLOCK = max(ImageFile.MAXBLOCK, 3 * image.width * image.height)
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality, subsampling=0, optimize=True, progressive=True)
    return stream.getvalue()


def _embedded(image: Image.Image, kind: str, file: bytes, alt: str) -> Picture:
    source = f"data:image/{kind};base64,{base64.b64encode(file).decode('ascii')}"
    return Picture(source=source, width=image.width, height=image.height, alt=alt)
