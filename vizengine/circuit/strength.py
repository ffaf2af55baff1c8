"""How strong each input channel is: norms, signs and ranks of the unit's kernel slices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vizengine.circuit.model import Circuit, InputChannel, Sign


class Source(Protocol):
    """Where an input channel comes from; `vizengine.networks.architecture.SourceChannel` is one."""

    @property
    def layer(self) -> str: ...
    @property
    def channel(self) -> int: ...
    @property
    def label(self) -> str: ...
    @property
    def path(self) -> tuple[str, ...]: ...


def sign_of(positive: float, negative: float) -> Sign:
    """Which side is larger: `excitatory`, `inhibitory`, or `mixed` where they are equal."""
    if positive == negative:
        return "mixed"
    return "excitatory" if positive > negative else "inhibitory"


def signs(values: NDArray[np.float64]) -> tuple[Sign, Sign, Sign]:
    """The sign of a slice by the count of its coefficients, by their mass, and by both where they agree."""
    positive, negative = values[values > 0], values[values < 0]
    by_count = sign_of(positive.size, negative.size)
    by_mass = sign_of(float(positive.sum()), float(-negative.sum()))
    return by_count, by_mass, by_count if by_count == by_mass else "mixed"


def analyse(
    layer: str, unit: int, kernel: NDArray[np.float32], bias: NDArray[np.float32], sources: Sequence[Source], top: int
) -> Circuit:
    """The circuit of one unit.

    Norms, sums and masses are computed in float64 from the float32 coefficients.

    Args:
        layer: the unit's conv layer.
        unit: its index, 0 to out - 1.
        kernel: the layer's kernel, (height, width, in, out).
        bias: the layer's bias, (out,).
        sources: maker of each input channel, in order of the kernel's input axis.
        top: how many of the strongest to show.

    Raises:
        ValueError: `sources` and the kernel disagree on the number of input channels.
    """
    slices = kernel[..., unit]
    if slices.shape[-1] != len(sources):
        raise ValueError(f"the kernel of {layer} has {slices.shape[-1]} input channels, expected {len(sources)}")
    wide = slices.astype(np.float64)
    norms = np.sqrt(np.square(wide).sum(axis=(0, 1)))
    # lexsort's last key leads: largest norm first, ties to the lower index.
    order = np.lexsort((np.arange(len(norms)), -norms))
    ranks = np.empty(len(norms), dtype=int)
    ranks[order] = np.arange(1, len(norms) + 1)
    inputs = []
    for index, source in enumerate(sources):
        values = wide[..., index]
        positive, negative = values[values > 0], values[values < 0]
        by_count, by_mass, sign = signs(values)
        inputs.append(
            InputChannel(
                index=index,
                source_layer=source.layer,
                source_channel=source.channel,
                label=source.label,
                path=source.path,
                kernel=np.ascontiguousarray(slices[..., index]),
                norm=float(norms[index]),
                total=float(values.sum()),
                positive_count=int(positive.size),
                negative_count=int(negative.size),
                positive_mass=float(positive.sum()),
                negative_mass=float(-negative.sum()),
                rank=int(ranks[index]),
                by_count=by_count,
                by_mass=by_mass,
                sign=sign,
            )
        )
    return Circuit(layer, unit, float(bias[unit]), tuple(inputs), min(top, len(inputs)))
