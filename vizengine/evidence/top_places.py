"""Where one photo drives each channel of a layer most: a few places that don't overlap, all channels at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def top_places(
    pre: NDArray[np.float32], count: int, reach: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Greedily from the highest on, as `Extremes` does for one unit.

    Args:
        pre: (down, across, channels) pre-activations.
        count: places wanted of each channel.
        reach: steps from one position to the nearest whose receptive field doesn't overlap its own.

    Returns:
        Row, column and pre-activation, (channels, count) each, highest first. Where a photo has no more places, the
        pre-activation is minus infinity.
    """
    down, across, channels = pre.shape
    left = np.moveaxis(pre, -1, 0).copy()
    every = np.arange(channels)
    rows, columns = np.zeros((2, channels, count), np.int64)
    values = np.zeros((channels, count), np.float32)
    for place in range(count):
        best = left.reshape(channels, -1).argmax(axis=1)
        row, column = np.divmod(best, across)
        rows[:, place], columns[:, place] = row, column
        values[:, place] = left[every, row, column]
        if place + 1 == count:
            break
        for channel, (y, x) in enumerate(zip(row.tolist(), column.tolist(), strict=True)):
            left[channel, max(y - reach + 1, 0) : y + reach, max(x - reach + 1, 0) : x + reach] = -np.inf
    return rows, columns, values
