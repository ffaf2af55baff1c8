"""Which pictures are made together: as many as the memory budget allows. Nothing here needs TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence

from vizengine.networks.architecture import Architecture

MEMORY_BUDGET_BYTES = 600_000_000
# Wider ones save little time, and leave less to share out among processes.
WIDEST_BATCH = 32
# Forward activations, their gradients, and what the convolutions need besides.
_COPIES = 4


def batches(architecture: Architecture, layer: str, channels: Sequence[int], size: int) -> list[list[int]]:
    """Channels in groups whose ascent fits into the memory budget.

    Args:
        architecture: the network.
        layer: a conv layer.
        channels: which of its channels, in order.
        size: side of the pictures in pixels.
    """
    width = widest(architecture, layer, size)
    return [list(channels[start : start + width]) for start in range(0, len(channels), width)]


def widest(architecture: Architecture, layer: str, size: int) -> int:
    """How many pictures of a layer may be made together."""
    return max(1, min(WIDEST_BATCH, MEMORY_BUDGET_BYTES // bytes_of_one(architecture, layer, size)))


def bytes_of_one(architecture: Architecture, layer: str, size: int) -> int:
    """Memory that one more picture in a batch of an ascent takes, about."""
    values = sum(
        architecture.side(spec.name, size, 0) * architecture.side(spec.name, size, 1) * architecture.channels(spec.name)
        for spec in architecture.upto(layer)
    )
    return values * 4 * _COPIES
