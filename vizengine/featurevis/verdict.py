"""Whether a picture has converged: measured on the finished picture, and on the end of its trace."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from vizengine.featurevis.model import Direction
from vizengine.networks.network import Network
from vizengine.networks.probe import Probe

FLAT_SLOPE = 0.05


def measure(
    network: Network, layer: str, channels: Iterable[int] | None, images: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """Pre-activations on finished pictures, in float32 and without transformations.

    Args:
        network: the network.
        layer: a conv layer.
        channels: which of its channels; all by default.
        images: (batch, size, size, 3) uint8.

    Returns:
        (batch, down, across, channels).
    """
    probe = Probe(network, layer, None if channels is None else list(channels))
    return probe.numpy(images.astype(np.float32) / 255.0)


def passes(reached: float, best: float, direction: Direction) -> bool:
    """Whether a picture drives the channel past the photo that drives it furthest in that direction."""
    return reached > best if direction == "positive" else reached < best


def last_slope(trace: NDArray[np.float32], steps: int) -> float:
    """Rise per tenth of an attempt's steps at its end, as a share of the whole rise: 0 is flat, 0.1 a straight line.

    The least-squares line through the attempt's last quarter, since the random transformations make single steps
    noisy. Where it continues another, the quarter is its own: each begins with large steps, which throw back at
    first, and a line through that would call the recovery a rise.

    Args:
        trace: of the attempt, after those that it continues.
        steps: of the attempt alone.
    """
    tail = trace[-max(steps // 4, 2) :].astype(np.float64)
    whole = tail.mean() - float(trace[0])
    if len(trace) < 2 or whole <= 0:
        return 1.0
    return float(np.polyfit(np.arange(len(tail)), tail, 1)[0] * steps / 10 / whole)
