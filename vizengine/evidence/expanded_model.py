"""A unit's weights to layers that aren't its neighbours: the result, without the network that gave it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizengine.networks.architecture import INPUT, Architecture

# Indirect layers that are looked at where the config names none, besides the image.
NEAREST = 2
CHANNELS = 4


@dataclass(frozen=True)
class ExpandedSection:
    """The unit's weights to one earlier layer.

    Attributes:
        layer: a conv layer, or `input` for the image.
        direct: whether the unit reads it without another conv layer between.
        labels: of the channels shown.
        channels: of the layer.
        norms: (channels,) float32, L2 norm of each channel's expanded kernel.
        shown: indices of the channels with the largest norms, largest first.
        linear: (shown, size, size) float32, pre-activation per unit of the channel's activation; of the image, per
            unit of a colour from 0 to 1.
        weighted: likewise, the gradient averaged over the unit's top examples.
        agreement: cosine between the two over all channels and positions, -1 to 1.
        channel_agreement: the same for each channel shown; not a number where one of the two is zero.
        control: the cosine between `linear` and `weighted` of other channels, dealt anew: the mean of the draws;
            not a number where there are too few channels for that, such as the image's.
    """

    layer: str
    direct: bool
    labels: tuple[str, ...]
    channels: int
    norms: NDArray[np.float32]
    shown: tuple[int, ...]
    linear: NDArray[np.float32]
    weighted: NDArray[np.float32]
    agreement: float
    channel_agreement: tuple[float, ...]
    control: float


@dataclass(frozen=True)
class Untold:
    """An earlier layer to which the weights can't be followed.

    Attributes:
        layer: which.
        reason: what stands in the way.
    """

    layer: str
    reason: str


@dataclass(frozen=True)
class Expanded:
    """A unit's weights to earlier layers.

    Attributes:
        sections: from the earliest layer to the unit's neighbours.
        untold: layers to which they can't be followed.
        examples: top examples over which gradients are averaged.
        draws: of the control.
    """

    sections: tuple[ExpandedSection, ...]
    untold: tuple[Untold, ...]
    examples: int
    draws: int


def earlier_layers(architecture: Architecture, layer: str) -> tuple[str, ...]:
    """The conv layers before `layer` and the image, from the latest to the earliest."""
    before = [spec.name for spec in architecture.upto(layer) if spec.is_conv and architecture.has_map(spec.name)]
    return (*reversed(before[:-1]), INPUT)


def layers_to_expand(architecture: Architecture, layer: str, unit: int, named: tuple[str, ...] | None) -> list[str]:
    """The earlier layers to look at, from the earliest on: those named, or the image and the nearest.

    Args:
        architecture: the network's layers.
        layer, unit: the unit.
        named: what the config says; None where it says nothing.

    Returns:
        With the unit's neighbours at the end; nothing where there are no other layers.
    """
    direct = dict.fromkeys(source.layer for source in architecture.source_channels(layer, unit))
    before = [name for name in earlier_layers(architecture, layer) if name not in direct]
    if named is None:
        chosen = [name for name in before[:NEAREST] if name != INPUT] + [INPUT] * (INPUT in before)
    else:
        chosen = [name for name in before if name in named]
    return [*reversed(chosen), *(name for name in direct if architecture.has_map(name))] if chosen else []
