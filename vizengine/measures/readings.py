"""The later units that read this one: those of whose kernel its slice is the largest share.

The share is the slice's part of the squared norm of the later unit's kernel, `‖K_u‖² / Σ_c ‖K_c‖²`. A later layer reads
a unit through pooling, concatenation, normalisation and at most one residual sum. The unit excites or inhibits a later
unit by the sign of that slice, as an input does the unit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vizengine.figures.quantities import Documented, Kernel, Quantity, percent, significant, whole
from vizengine.measures.expanded import Untold, UntoldLayer
from vizengine.measures.inputs import Circuit, Sign, kernel_of, signs
from vizengine.measures.measure import Measure
from vizengine.network.architecture import Architecture, Untraceable

MOST = 4
NO_WEIGHTS = "its weights aren’t in the file"


@dataclass(frozen=True)
class Reading:
    """A later unit that reads this one.

    Attributes:
        norm: L2 norm of the slice through which it reads.
        share: the slice's part of the sum of squares of that unit's kernel, 0 to 1.
        rank: of the slice among all through which that unit reads, 1 for the largest norm.
        sign: whether this unit mostly excites or inhibits it, or neither by count and mass alike.
        kernel: (height, width) float32, the slice.
        through: the sum in which this unit is one of the terms that the slice reads; empty where it reads it alone.
    """

    layer: str
    unit: int
    norm: float
    share: float
    rank: int
    sign: Sign
    kernel: NDArray[np.float32]
    through: str = ""


@dataclass(frozen=True)
class Readings:
    """The later units that read a unit.

    Attributes:
        layers: conv layers that read it and whose weights are there.
        unread: those whose weights aren't, or not all of them numbers, or whose inputs can't be traced.
        units: how many later units read it, in `layers`.
        excited, inhibited: those that it excites and inhibits most, by their slice's share, largest first.
    """

    layers: tuple[str, ...]
    unread: tuple[Untold, ...]
    units: int
    excited: tuple[Reading, ...]
    inhibited: tuple[Reading, ...]


@dataclass(frozen=True, eq=False)
class Slices:
    """The slices of a conv layer's kernel, (height, width, in of a group, out) float32, for all its units."""

    kernel: NDArray[np.float32]

    @cached_property
    def energy(self) -> NDArray[np.float64]:
        """(in, out) sum of squares of each slice; 0 for units whose weights aren't all numbers."""
        energy = np.square(self.kernel.astype(np.float64)).sum(axis=(0, 1))
        return np.where(np.isfinite(energy).all(axis=0), energy, 0.0)

    @cached_property
    def shares(self) -> NDArray[np.float64]:
        """(in, out) the part that a slice's energy has in that of its unit's whole kernel."""
        return np.asarray(self.energy / np.maximum(self.energy.sum(axis=0), np.finfo(np.float64).tiny))

    @cached_property
    def finite(self) -> NDArray[np.bool_]:
        """(out,) whether all weights of a unit are numbers."""
        return np.asarray(np.isfinite(self.kernel).all(axis=(0, 1, 2)))


def places(architecture: Architecture, layer: str, unit: int, reader: str) -> list[tuple[int, str]]:
    """Where a conv layer reads a unit: through pooling, concatenation, normalisation and at most one sum.

    Returns:
        Position on the input axis of the whole reader, and the sum that is read there; empty where there is none.

    Raises:
        Untraceable: the reader's inputs can't be traced.
    """
    label = f"{layer}:{unit}"
    return [
        (index, source.label.rpartition(":")[0] if source.branches else "")
        for index, source in enumerate(architecture.source_channels(reader))
        if label in (source.branches or (source.label,))
    ]


def readings(architecture: Architecture, circuit: Circuit, slices_of: Callable[[str], Slices | None]) -> Readings:
    """The later units that read a unit most; `slices_of` gives a conv layer's kernel, or None where it isn't there."""
    layers, unread, units = [], [], 0
    # Share, layer, its kernel, position on the kernel's input axis, unit, and the sum that is read.
    candidates: list[tuple[float, str, Slices, int, int, str]] = []
    for reader in _next(architecture, circuit.layer):
        try:
            read = places(architecture, circuit.layer, circuit.unit, reader)
        except Untraceable as error:
            unread.append(Untold(reader, str(error)))
            continue
        if not read:
            continue
        slices = slices_of(reader)
        if slices is None:
            unread.append(Untold(reader, NO_WEIGHTS))
            continue
        layers.append(reader)
        finite = slices.finite
        if not finite.all():
            unread.append(Untold(reader, f"the weights of {int((~finite).sum())} of its units aren’t all numbers"))
        inputs, outputs = slices.energy.shape
        width = outputs // architecture.layer(reader).groups
        for place, through in read:
            # With groups, the units of the channel's own group alone read it.
            group, index = divmod(place, inputs)
            units += width
            candidates += [
                (float(slices.shares[index, unit]), reader, slices, index, unit, through)
                for unit in range(group * width, (group + 1) * width)
                if finite[unit]
            ]
    by_sign: dict[Sign, list[Reading]] = {"excitatory": [], "inhibitory": [], "mixed": []}
    for share, reader, slices, index, unit, through in sorted(candidates, key=lambda candidate: -candidate[0]):
        kernel, energy = slices.kernel[:, :, index, unit], slices.energy[:, unit]
        sign = signs(kernel.astype(np.float64))[2]
        if len(by_sign[sign]) < MOST:
            norm, rank = float(np.sqrt(energy[index])), int((energy > energy[index]).sum()) + 1
            by_sign[sign].append(Reading(reader, unit, norm, share, rank, sign, np.ascontiguousarray(kernel), through))
        if len(by_sign["excitatory"]) == len(by_sign["inhibitory"]) == MOST:
            break
    return Readings(tuple(layers), tuple(unread), units, tuple(by_sign["excitatory"]), tuple(by_sign["inhibitory"]))


def _next(architecture: Architecture, layer: str) -> list[str]:
    """The conv layers behind a layer with no other between, whatever else lies there; in order of computation."""
    seen: set[str] = set()
    waiting = [layer]
    while waiting:
        for name in architecture.readers[waiting.pop()]:
            if name not in seen:
                seen.add(name)
                if not architecture.layer(name).is_conv:
                    waiting.append(name)
    return [spec.name for spec in architecture.conv_layers if spec.name in seen]


class OutputSlice(Documented):
    """A later unit and the slice through which it reads this one."""

    label: str
    """The later unit, `layer:unit`."""
    norm: Quantity
    """L2 norm of the slice."""
    share: Quantity
    """Its part of the later unit's sum of squares, in percent."""
    rank: int
    """Its rank among all slices of the later unit, by norm."""
    through: str
    """The sum of which this unit is one term, where the slice reads that; else empty."""
    kernel: Kernel
    """The slice."""


class OutputsReport(Documented):
    """The later units that read the unit."""

    layers: tuple[str, ...]
    """Conv layers that read it."""
    unread: tuple[UntoldLayer, ...]
    """Later conv layers of which it can't be said how they read it."""
    units: Quantity
    """Units of `layers` that read it."""
    scale: Quantity
    """Value of the full colours of the slices shown."""
    excited: tuple[OutputSlice, ...]
    """Those that it excites most."""
    inhibited: tuple[OutputSlice, ...]
    """Those that it inhibits most."""


def outputs_report(readings: Readings) -> OutputsReport:
    """What the page says of the units that read this one."""
    kernels = [reading.kernel for reading in (*readings.excited, *readings.inhibited)]
    largest = max((float(np.abs(kernel).max()) for kernel in kernels), default=0.0)

    def slices(readings: tuple[Reading, ...]) -> tuple[OutputSlice, ...]:
        return tuple(
            OutputSlice(
                label=f"{reading.layer}:{reading.unit}",
                norm=significant(reading.norm),
                share=percent(reading.share),
                rank=reading.rank,
                through=reading.through,
                kernel=kernel_of(reading.kernel, largest),
            )
            for reading in readings
        )

    return OutputsReport(
        layers=readings.layers,
        unread=tuple(UntoldLayer(**vars(unread)) for unread in readings.unread),
        units=whole(readings.units),
        scale=significant(largest),
        excited=slices(readings.excited),
        inhibited=slices(readings.inhibited),
    )


READINGS = Measure(
    name="readings",
    result=Readings,
    version=1,
    compute=readings,
    panel="built",
    report=outputs_report,
    part=OutputsReport,
    part_name="outputs",
)
