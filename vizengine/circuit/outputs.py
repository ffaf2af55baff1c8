"""Who reads a unit: the units of later conv layers that lean on it most, from their kernels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizengine.circuit.model import Sign
from vizengine.circuit.strength import signs
from vizengine.networks.architecture import INPUT, Architecture
from vizengine.networks.sources import Untraceable

MOST = 4


@dataclass(frozen=True)
class Reading:
    """A later unit that reads this one.

    Attributes:
        layer, unit: which.
        norm: L2 norm of the slice through which it reads.
        share: the slice's part of the sum of squares of that unit's kernel, 0 to 1.
        rank: of the slice among all through which that unit reads, 1 for the largest norm.
        sign: whether this unit mostly excites or inhibits it, or neither by count and mass alike.
        kernel: (height, width) float32, the slice.
    """

    layer: str
    unit: int
    norm: float
    share: float
    rank: int
    sign: Sign
    kernel: NDArray[np.float32]


@dataclass(frozen=True)
class Readings:
    """The later units that read a unit.

    Attributes:
        layers: conv layers that read it and whose weights are there.
        unread: those whose weights aren't.
        units: how many later units read it, in `layers`.
        excited, inhibited: those that it excites and inhibits most, by their slice's share, largest first.
    """

    layers: tuple[str, ...]
    unread: tuple[str, ...]
    units: int
    excited: tuple[Reading, ...]
    inhibited: tuple[Reading, ...]


def readers(architecture: Architecture, layer: str) -> tuple[str, ...]:
    """The conv layers that read a layer's channels, directly or through pooling and concatenation."""
    return tuple(each.name for each in architecture.conv_layers if layer in _makers(architecture, each.name))


def readings(
    architecture: Architecture, layer: str, unit: int, kernel_of: Callable[[str], NDArray[np.float32] | None]
) -> Readings:
    """Who reads a unit most.

    Args:
        architecture: the network's layers.
        layer, unit: the unit.
        kernel_of: the kernel of a conv layer, (height, width, in of a group, out); None where it isn't there.
    """
    found: list[Reading] = []
    layers, unread, units = [], [], 0
    for reader in readers(architecture, layer):
        kernel = kernel_of(reader)
        if kernel is None:
            unread.append(reader)
            continue
        layers.append(reader)
        energy = np.square(kernel.astype(np.float64)).sum(axis=(0, 1))
        whole = np.maximum(energy.sum(axis=0), np.finfo(np.float64).tiny)
        width = kernel.shape[3] // architecture.layer(reader).groups
        for index, source in enumerate(architecture.source_channels(reader)):
            if (source.layer, source.channel) != (layer, unit):
                continue
            # With groups, only the units of the channel's own group read it.
            group, place = divmod(index, kernel.shape[2])
            units += width
            for other in range(group * width, (group + 1) * width):
                piece = kernel[:, :, place, other]
                found.append(
                    Reading(
                        reader,
                        other,
                        float(np.sqrt(energy[place, other])),
                        float(energy[place, other] / whole[other]),
                        int((energy[:, other] > energy[place, other]).sum()) + 1,
                        signs(piece.astype(np.float64))[2],
                        np.ascontiguousarray(piece),
                    )
                )
    found.sort(key=lambda each: -each.share)
    excited, inhibited = (
        tuple([each for each in found if each.sign == sign][:MOST]) for sign in ("excitatory", "inhibitory")
    )
    return Readings(tuple(layers), tuple(unread), units, excited, inhibited)


def _makers(architecture: Architecture, reader: str) -> set[str]:
    """The makers of a conv layer's inputs, the image aside; none where they can't be traced."""
    try:
        return {source.layer for source in architecture.source_channels(reader)} - {INPUT}
    except Untraceable:
        return set()
