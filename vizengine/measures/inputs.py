"""A unit, the kernel slices that feed it, and how strong each slice is.

A unit of a conv layer is a sum over its input channels *c*, exactly: `pre = bias + Σ_c K_c ⋆ a_c`, where `K_c` is the
unit's kernel slice for channel *c*, (height, width), and `a_c` that channel's activation.

- *Strength* of an input: the L2 norm of its slice.
- *Excitatory* or *inhibitory*: where most coefficients, by count and by sum of absolute values, are positive or
  negative; *mixed* where the two disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from vizengine.cache import Stage
from vizengine.figures.quantities import (
    Documented,
    Histogram,
    Kernel,
    Quantity,
    decimals,
    fixed,
    percent,
    significant,
    whole,
)
from vizengine.measures.statistics import largest_first
from vizengine.network.architecture import SourceChannel
from vizengine.pictures.view import Feature

if TYPE_CHECKING:
    from vizengine.measures.contributions import Contributions
    from vizengine.measures.ranks import Ranks

Sign = Literal["excitatory", "inhibitory", "mixed"]


@dataclass(frozen=True)
class InputChannel:
    """One input channel of the unit, with the kernel slice through which the unit reads it.

    The figures of the slice are those of `InputSlice`.

    Attributes:
        source_layer: conv layer that makes the channel, or `input` for a colour of the image.
        source_channel: index among that layer's channels.
        kernel: the slice, (height, width) float32, in units of pre-activation per unit of input.
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
    """A unit of a conv layer and all of its input channels.

    Attributes:
        inputs: in order of `index`.
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


def signs(values: NDArray[np.float64]) -> tuple[Sign, Sign, Sign]:
    """The sign of a slice by the count of its coefficients, by their mass, and by both where they agree."""

    def larger(difference: float) -> Sign:
        return "excitatory" if difference > 0 else "inhibitory" if difference < 0 else "mixed"

    positive, negative = values[values > 0], values[values < 0]
    by_count = larger(positive.size - negative.size)
    by_mass = larger(float(positive.sum()) - float(-negative.sum()))
    return by_count, by_mass, by_count if by_count == by_mass else "mixed"


def analyse(
    layer: str,
    unit: int,
    kernel: NDArray[np.float32],
    bias: NDArray[np.float32],
    sources: Sequence[SourceChannel],
    top: int,
) -> Circuit:
    """The circuit of one unit; norms, sums and masses are float64.

    Args:
        kernel: the layer's, (height, width, in, out).
        bias: the layer's, (out,).
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
    ranks = largest_first(norms).argsort() + 1
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


class InputSlice(Documented):
    """One input channel of the unit and the figures of its slice."""

    index: int
    """Position on the kernel's input axis."""
    label: str
    """`layer:channel` of the conv layer that makes it, or the colour's name."""
    layer: str
    """Conv layer that makes it, or `input`."""
    channel: int
    """Index among that layer's channels."""
    path: tuple[str, ...]
    """Layers between the maker and the unit, in order."""
    kernel: Kernel
    """The slice."""
    norm: Quantity
    """L2 norm of the slice."""
    share: Quantity
    """Square of the norm as a share of the sum over all inputs, in percent."""
    total: Quantity
    """Sum of its coefficients."""
    positive_count: Quantity
    """Coefficients above zero."""
    negative_count: Quantity
    """Coefficients below zero."""
    positive_mass: Quantity
    """Sum of the coefficients above zero."""
    negative_mass: Quantity
    """Sum of the absolute values of the coefficients below zero."""
    rank: int
    """1 for the largest norm; ties go to the lower index."""
    contribution: Quantity
    """Mean contribution to the unit where it is strongest in the held-out photos."""
    photo_size: Quantity
    """Mean absolute contribution over all photos."""
    photo_place: int
    """Its place by it, from 1."""
    drop_place: int
    """Its place by the size of the mean contribution where the unit is strongest."""
    by_count: Sign
    """Which side has more coefficients."""
    by_mass: Sign
    """Which side has more mass."""
    sign: Sign
    """`by_count` where the two agree, else `mixed`."""


class TermReport(Documented):
    """One of the terms that a residual sum adds."""

    label: str
    """`layer:channel` of what is added, or a colour's name."""
    share: Quantity | None
    """Its covariance with the sum over the variance of the sum, at all positions of all photos, in percent; the terms
    of a sum give 100 together. Null where the sum doesn't vary."""


class StrongInput(Documented):
    """One of the strongest inputs, with its picture."""

    slice: InputSlice
    """Its figures."""
    feature: Feature
    """What the input channel looks for."""
    histogram: Histogram
    """Its coefficients, on the axis that all slices of the page share."""
    terms: tuple[TermReport, ...]
    """What the channel adds up where it is a residual sum, else nothing."""


class Totals(Documented):
    """Counts over the circuit, from which the page makes its claim."""

    inputs: Quantity
    """Input channels of the unit."""
    shown: Quantity
    """How many of the strongest are shown."""
    excitatory: Quantity
    """How many of those shown are mostly excitatory."""
    inhibitory: Quantity
    """How many of those shown are mostly inhibitory."""
    mixed: Quantity
    """How many of those shown are mixed."""
    share: Quantity
    """Their part of the sum of squared norms over all inputs, in percent."""
    even_share: Quantity
    """What they would carry if the norms of all inputs were equal, in percent."""
    coefficients: Quantity
    """Coefficients in one slice."""
    pictures: Quantity
    """Searched pictures of the circuit: of the unit and of the inputs shown."""
    converged: Quantity
    """How many of those converged."""


@dataclass(frozen=True)
class SliceFigures:
    """Figures of an input channel that every page of its unit has, as in `InputSlice`.

    Attributes:
        drive_share: the contribution as a share of the drive, the sum over all inputs; None where there is no drive.
    """

    kernel: Kernel
    norm: Quantity
    share: Quantity
    contribution: Quantity
    drive_share: Quantity | None


def slice_figures(
    circuit: Circuit, mean: NDArray[np.float64], channels: Sequence[InputChannel]
) -> tuple[SliceFigures, ...]:
    """Figures of some input channels; those of one kind share their number of decimals over all inputs of the unit.

    Args:
        mean: (inputs,) mean contributions where the unit is strongest.
    """
    largest = max(float(np.abs(channel.kernel).max()) for channel in circuit.inputs)
    norm_places = decimals(channel.norm for channel in circuit.inputs)
    contribution_places = decimals(mean.tolist())
    energy = sum(channel.norm**2 for channel in circuit.ranked) or 1.0
    drive = abs(float(mean.sum()))
    return tuple(
        SliceFigures(
            kernel=kernel_of(channel.kernel, largest),
            norm=fixed(channel.norm, norm_places),
            share=percent(channel.norm**2 / energy),
            contribution=fixed(float(mean[channel.index]), contribution_places),
            drive_share=percent(float(mean[channel.index]) / drive) if drive else None,
        )
        for channel in channels
    )


def input_slices(circuit: Circuit, contributions: Contributions, ranks: Ranks) -> tuple[InputSlice, ...]:
    """Figures of all input channels, by rank; figures of one kind share their number of decimals."""
    channels = circuit.ranked
    mass_places = decimals((max(channel.positive_mass, channel.negative_mass) for channel in channels), 3)
    size_places = decimals(contributions.photo_size.tolist())
    return tuple(
        InputSlice(
            index=channel.index,
            label=channel.label,
            layer=channel.source_layer,
            channel=channel.source_channel,
            path=channel.path,
            kernel=figures.kernel,
            norm=figures.norm,
            share=figures.share,
            total=fixed(channel.total, mass_places),
            positive_count=whole(channel.positive_count),
            negative_count=whole(channel.negative_count),
            positive_mass=fixed(channel.positive_mass, mass_places),
            negative_mass=fixed(channel.negative_mass, mass_places),
            rank=channel.rank,
            contribution=figures.contribution,
            photo_size=fixed(float(contributions.photo_size[channel.index]), size_places),
            photo_place=int(ranks.places[1, channel.index]),
            drop_place=int(ranks.places[2, channel.index]),
            by_count=channel.by_count,
            by_mass=channel.by_mass,
            sign=channel.sign,
        )
        for channel, figures in zip(channels, slice_figures(circuit, contributions.mean, channels), strict=True)
    )


def circuit_totals(circuit: Circuit, unit: Feature, strongest: tuple[StrongInput, ...]) -> Totals:
    """Counts over the circuit."""
    signs = [strong.slice.sign for strong in strongest]
    energy = sum(channel.norm**2 for channel in circuit.inputs) or 1.0
    verdicts = [feature.verdict for feature in (unit, *(strong.feature for strong in strongest))]
    searched = [verdict for verdict in verdicts if verdict != "exact"]
    return Totals(
        inputs=whole(len(circuit.inputs)),
        shown=whole(len(strongest)),
        excitatory=whole(signs.count("excitatory")),
        inhibitory=whole(signs.count("inhibitory")),
        mixed=whole(signs.count("mixed")),
        share=percent(sum(channel.norm**2 for channel in circuit.strongest) / energy),
        even_share=percent(len(strongest) / len(circuit.inputs)),
        coefficients=whole(circuit.inputs[0].kernel.size),
        pictures=whole(len(searched)),
        converged=whole(searched.count("converged")),
    )


def scale(circuit: Circuit) -> Quantity:
    """Largest absolute coefficient among the slices shown, to which the colours of all kernels refer."""
    return significant(max(float(np.abs(channel.kernel).max()) for channel in circuit.strongest))


def kernel_of(coefficients: NDArray[np.floating], largest: float) -> Kernel:
    """A kernel slice, (height, width), to as many decimals as give the value `largest` three significant digits."""
    values, places = coefficients.astype(float), decimals([largest], 3)
    return Kernel(
        rows=tuple(tuple(fixed(value, places) for value in row) for row in values.tolist()),
        smallest=fixed(float(values.min()), places),
        largest=fixed(float(values.max()), places),
    )


CIRCUIT = Stage("circuit", Circuit, 1, (analyse,))
