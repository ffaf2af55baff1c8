"""From a circuit's input channels to their figures on the page."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from vizengine.circuit.model import Circuit
from vizengine.evidence.contributions import Contributions
from vizengine.evidence.ranks import Ranks
from vizengine.evidence.sums import Term
from vizengine.report.figures import Kernel, Quantity
from vizengine.report.model import Totals
from vizengine.report.numbers import decimals, fixed, percent, whole
from vizengine.report.parts import Feature, InputSlice, StrongInput, TermReport


def input_slices(circuit: Circuit, contributions: Contributions, ranks: Ranks) -> tuple[InputSlice, ...]:
    """Figures of all input channels, by rank; figures of one kind share their number of decimals.

    Args:
        circuit: the unit.
        contributions: what each channel adds.
        ranks: their places by three measures.
    """
    channels = circuit.ranked
    weight_places = decimals((float(np.abs(channel.kernel).max()) for channel in channels), 3)
    norm_places = decimals(channel.norm for channel in channels)
    mass_places = decimals((max(channel.positive_mass, channel.negative_mass) for channel in channels), 3)
    energy = sum(channel.norm**2 for channel in channels) or 1.0
    contribution_places = decimals(contributions.mean.tolist())
    size_places = decimals(contributions.photo_size.tolist())
    return tuple(
        InputSlice(
            index=channel.index,
            label=channel.label,
            layer=channel.source_layer,
            channel=channel.source_channel,
            path=channel.path,
            kernel=kernel_of(channel.kernel, weight_places),
            norm=fixed(channel.norm, norm_places),
            share=percent(channel.norm**2 / energy),
            total=fixed(channel.total, mass_places),
            positive_count=whole(channel.positive_count),
            negative_count=whole(channel.negative_count),
            positive_mass=fixed(channel.positive_mass, mass_places),
            negative_mass=fixed(channel.negative_mass, mass_places),
            rank=channel.rank,
            contribution=fixed(float(contributions.mean[channel.index]), contribution_places),
            photo_size=fixed(float(contributions.photo_size[channel.index]), size_places),
            photo_place=int(ranks.places[1, channel.index]),
            drop_place=int(ranks.places[2, channel.index]),
            by_count=channel.by_count,
            by_mass=channel.by_mass,
            sign=channel.sign,
        )
        for channel in channels
    )


def terms(added: tuple[Term, ...]) -> tuple[TermReport, ...]:
    """The terms of a residual sum, in the order in which it adds them."""
    return tuple(
        TermReport(
            label=each.label,
            share=percent(each.share) if math.isfinite(each.share) else None,
        )
        for each in added
    )


def totals(circuit: Circuit, unit: Feature, strongest: tuple[StrongInput, ...]) -> Totals:
    """Counts over the circuit."""
    signs = [strong.slice.sign for strong in strongest]
    energy = sum(channel.norm**2 for channel in circuit.inputs) or 1.0
    searched = [each for each in (unit, *(strong.feature for strong in strongest)) if each.verdict != "exact"]
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
        converged=whole(sum(each.verdict == "converged" for each in searched)),
    )


def scale(circuit: Circuit) -> Quantity:
    """Largest absolute coefficient among the slices shown, to which the colours of all kernels refer."""
    largest = max(float(np.abs(channel.kernel).max()) for channel in circuit.strongest)
    return fixed(largest, decimals([largest], 3))


def kernel_of(coefficients: NDArray[np.floating], places: int) -> Kernel:
    """A kernel slice, (height, width), with its coefficients to so many decimals."""
    values = coefficients.astype(float)
    return Kernel(
        rows=tuple(tuple(fixed(value, places) for value in row) for row in values.tolist()),
        smallest=fixed(float(values.min()), places),
        largest=fixed(float(values.max()), places),
    )
