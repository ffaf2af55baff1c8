"""From the circuits of a unit's inputs to the small tree on its page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from vizengine.circuit.branches import Branch
from vizengine.circuit.model import InputChannel
from vizengine.featurevis.model import Visualization
from vizengine.report.features import feature
from vizengine.report.numbers import decimals, fixed, percent, significant, whole
from vizengine.report.slices import kernel_of
from vizengine.report.tree_parts import BranchReport, Twig


def tree(
    given: Sequence[Branch], visualizations: Mapping[tuple[str, int], Visualization], largest: int
) -> tuple[BranchReport, ...]:
    """The inputs of the inputs.

    Args:
        given: the inputs as units.
        visualizations: at least of their strongest inputs.
        largest: longest side in pixels of a picture.
    """
    return tuple(_branch(each, visualizations, largest) for each in given)


def _branch(given: Branch, visualizations: Mapping[tuple[str, int], Visualization], largest: int) -> BranchReport:
    circuit = given.circuit
    if circuit is None:
        nothing = whole(0)
        return BranchReport(index=given.index, missing=given.reason, count=nothing, scale=nothing, inputs=())
    scale = max(float(np.abs(channel.kernel).max()) for channel in circuit.strongest)
    places = decimals([scale], 3)
    energy = sum(channel.norm**2 for channel in circuit.inputs) or 1.0

    def twig(channel: InputChannel) -> Twig:
        shown = visualizations[channel.source_layer, channel.source_channel]
        return Twig(
            feature=feature(shown, channel.label, "input of an input", largest),
            label=channel.label,
            norm=significant(channel.norm),
            share=percent(channel.norm**2 / energy),
            sign=channel.sign,
            kernel=kernel_of(channel.kernel, places),
        )

    return BranchReport(
        index=given.index,
        missing="",
        count=whole(len(circuit.inputs)),
        scale=fixed(scale, places),
        inputs=tuple(twig(channel) for channel in circuit.strongest),
    )
