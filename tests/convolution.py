"""Convolution and pooling in plain NumPy, written apart from the product to check it against."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def _padded(values: NDArray[np.float64], kernel: int, stride: int, padding: str, fill: float) -> NDArray[np.float64]:
    if padding == "valid":
        return values
    pads = []
    for side in values.shape[:2]:
        total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
        pads.append((total // 2, total - total // 2))
    return np.pad(values, (*pads, (0, 0)), constant_values=fill)


def convolve(
    values: NDArray[np.floating], kernel: NDArray[np.floating], bias: NDArray[np.floating], stride: int, padding: str
) -> NDArray[np.float64]:
    """Cross-correlation of one (height, width, in) map with a (side, side, in, out) kernel."""
    side = kernel.shape[0]
    padded = _padded(values.astype(np.float64), side, stride, padding, 0.0)
    down = (padded.shape[0] - side) // stride + 1
    across = (padded.shape[1] - side) // stride + 1
    result = np.zeros((down, across, kernel.shape[-1]))
    for y in range(down):
        for x in range(across):
            window = padded[y * stride : y * stride + side, x * stride : x * stride + side]
            result[y, x] = np.tensordot(window, kernel.astype(np.float64), 3) + bias
    return result


def max_pool(values: NDArray[np.floating], side: int, stride: int) -> NDArray[np.float64]:
    """Valid max-pooling of one (height, width, channels) map."""
    down = (values.shape[0] - side) // stride + 1
    across = (values.shape[1] - side) // stride + 1
    result = np.zeros((down, across, values.shape[2]))
    for y in range(down):
        for x in range(across):
            result[y, x] = values[y * stride : y * stride + side, x * stride : x * stride + side].max(axis=(0, 1))
    return result
