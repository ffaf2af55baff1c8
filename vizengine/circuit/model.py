"""What a circuit is: a unit, the kernel slices that feed it, and how strong each is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Sign = Literal["excitatory", "inhibitory", "mixed"]


@dataclass(frozen=True)
class InputChannel:
    """One input channel of the unit, with the kernel slice through which the unit reads it.

    Attributes:
        index: position on the kernel's input axis.
        source_layer: conv layer that makes the channel, or `input` for a colour of the image.
        source_channel: index among that layer's channels.
        label: `source_layer:source_channel`, or the colour's name.
        path: layers between the maker and the unit (pooling, concatenation), in order.
        kernel: the slice, (height, width) float32, in units of pre-activation per unit of input.
        norm: L2 norm of the slice.
        total: sum of its coefficients.
        positive_count, negative_count: coefficients above and below zero.
        positive_mass, negative_mass: sums of their absolute values.
        rank: 1 for the largest norm; ties go to the lower index.
        by_count: `excitatory` where more coefficients are positive, `inhibitory` where more are
            negative, `mixed` where they tie.
        by_mass: the same by mass.
        sign: `by_count` where the two agree, else `mixed`.
    """

    index: int
    source_layer: str
    source_channel: int
    label: str
    path: tuple[str, ...]
    kernel: NDArray[np.float32]
    norm: float
    total: float
    positive_count: int
    negative_count: int
    positive_mass: float
    negative_mass: float
    rank: int
    by_count: Sign
    by_mass: Sign
    sign: Sign


@dataclass(frozen=True)
class Circuit:
    """A unit and all of its input channels.

    Attributes:
        layer: the unit's conv layer.
        unit: its index in that layer.
        bias: its bias.
        inputs: every input channel, in order of `index`.
        top: how many of them, by `rank`, the page shows.
    """

    layer: str
    unit: int
    bias: float
    inputs: tuple[InputChannel, ...]
    top: int

    @property
    def ranked(self) -> tuple[InputChannel, ...]:
        """All input channels, strongest first."""
        return tuple(sorted(self.inputs, key=lambda channel: channel.rank))

    @property
    def strongest(self) -> tuple[InputChannel, ...]:
        """The `top` input channels by norm, strongest first; fewer where the layer has fewer."""
        return self.ranked[: self.top]
