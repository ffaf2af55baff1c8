"""Arrays of pixels as pictures that travel inside the page."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vizengine.report.figures import Picture

QUALITY = 92


def picture(pixels: NDArray[np.uint8], alt: str, largest: int) -> Picture:
    """A WebP picture, without loss where that is the smaller file.

    Args:
        pixels: (height, width, 3) uint8, RGB.
        alt: what it shows.
        largest: longest side in pixels that the page can make use of; a larger picture is made smaller.
    """
    image = Image.fromarray(np.ascontiguousarray(pixels, np.uint8), "RGB" if pixels.ndim == 3 else "L")
    if max(image.size) > largest:
        image.thumbnail((largest, largest), Image.Resampling.LANCZOS)
    encoded = min((_webp(image, lossless=False), _webp(image, lossless=True)), key=len)
    address = "data:image/webp;base64," + base64.b64encode(encoded).decode("ascii")
    return Picture(source=address, width=image.width, height=image.height, alt=alt)


def _webp(image: Image.Image, lossless: bool) -> bytes:
    stream = io.BytesIO()
    # For a lossless file Pillow reads `quality` as effort.
    image.save(stream, "WEBP", lossless=lossless, quality=50 if lossless else QUALITY, method=4)
    return stream.getvalue()
