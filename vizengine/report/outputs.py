"""From the later units that read a unit to what the page says of them."""

from __future__ import annotations

import numpy as np

from vizengine.circuit.outputs import Reading, Readings
from vizengine.report.expanded_parts import UntoldLayer
from vizengine.report.numbers import decimals, fixed, percent, significant, whole
from vizengine.report.output_parts import OutputSlice, OutputsReport
from vizengine.report.slices import kernel_of


def outputs_report(given: Readings) -> OutputsReport:
    """What the page says of the units that read this one."""
    shown = [*given.excited, *given.inhibited]
    largest = max((float(np.abs(each.kernel).max()) for each in shown), default=0.0)
    places = decimals([largest], 3)

    def slices(some: tuple[Reading, ...]) -> tuple[OutputSlice, ...]:
        return tuple(
            OutputSlice(
                label=f"{each.layer}:{each.unit}",
                norm=significant(each.norm),
                share=percent(each.share),
                rank=each.rank,
                through=each.through,
                kernel=kernel_of(each.kernel, places),
            )
            for each in some
        )

    return OutputsReport(
        layers=given.layers,
        unread=tuple(UntoldLayer(layer=each.layer, reason=each.reason) for each in given.unread),
        units=whole(given.units),
        scale=fixed(largest, places),
        excited=slices(given.excited),
        inhibited=slices(given.inhibited),
    )
