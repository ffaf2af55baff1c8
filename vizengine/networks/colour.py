"""What a network sees of an image's colours: all of them, or their luma alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# Luma of ITU-R BT.601, as in Pillow's conversion to grey.
GREY = (0.299, 0.587, 0.114)


def seen(images: Any, channel_order: str) -> NDArray[np.float32]:
    """Images as they are to be shown beside what the network says of them: in grey where it sees no colour.

    Args:
        images: (..., 3), RGB in [0, 1]; a tensor or an array.
        channel_order: `Architecture.channel_order`.

    Returns:
        The same shape.
    """
    pixels = np.asarray(images, np.float32)
    if channel_order != "grey":
        return pixels
    return np.repeat(pixels @ np.array(GREY, np.float32)[:, None], 3, axis=-1)
