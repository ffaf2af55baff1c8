"""The inputs of a unit's inputs: each of its strongest inputs is a unit too, with a kernel of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from vizengine.figures.quantities import Documented, Kernel, Quantity, percent, significant, whole
from vizengine.measures.inputs import Circuit, Sign, kernel_of, scale
from vizengine.network.architecture import Architecture, Untraceable
from vizengine.pictures.result import Visualization
from vizengine.pictures.view import Feature, feature

# Inputs that are shown of each input.
MOST = 3


@dataclass(frozen=True)
class Branch:
    """One of a unit's strongest inputs, taken as a unit.

    Attributes:
        index: the input's position on the unit's input axis.
        circuit: its own inputs, of which the `MOST` strongest are to be shown; None where they can't be had.
        reason: why they can't, or empty.
    """

    index: int
    label: str
    circuit: Circuit | None
    reason: str = ""


def branches(
    architecture: Architecture, circuit: Circuit, circuit_of: Callable[[str, int, int], Circuit]
) -> tuple[Branch, ...]:
    """A branch for each of a unit's strongest inputs, in their order; colours of the image have none.

    Args:
        circuit_of: gives the circuit of a layer's unit with so many strongest inputs; may raise `Untraceable`.
    """
    sources = architecture.source_channels(circuit.layer, circuit.unit)
    result = []
    for channel in circuit.strongest:
        layer, _, unit = channel.label.rpartition(":")
        if not layer:
            continue
        inner, reason = None, ""
        if architecture.layer(layer).is_conv:
            try:
                inner = circuit_of(layer, int(unit), MOST)
            except Untraceable as error:
                reason = str(error)
        else:
            reason = f"it has no kernel: it is the sum of {' and '.join(sources[channel.index].branches)}"
        result.append(Branch(channel.index, channel.label, inner, reason))
    return tuple(result)


class Twig(Documented):
    """An input of an input."""

    feature: Feature
    """What it looks for."""
    label: str
    """Its name."""
    norm: Quantity
    """L2 norm of the slice through which the input reads it."""
    share: Quantity
    """The slice's part of the input's sum of squares, in percent."""
    sign: Sign
    """Whether it mostly excites or inhibits the input."""
    kernel: Kernel
    """The slice."""


class BranchReport(Documented):
    """One of the unit's strongest inputs as a unit of its own."""

    index: int
    """Its position on the unit's input axis."""
    missing: str
    """Why its inputs can't be shown, or empty."""
    count: Quantity
    """How many inputs it has."""
    scale: Quantity
    """Value of the full colours of its slices."""
    inputs: tuple[Twig, ...]
    """Its strongest inputs, by norm."""


def tree(
    branches: Sequence[Branch], visualizations: Mapping[tuple[str, int], Visualization], largest: int
) -> tuple[BranchReport, ...]:
    """The inputs of the inputs.

    Args:
        visualizations: at least of the branches' strongest inputs.
        largest: longest side in pixels of a picture.
    """

    def twigs(circuit: Circuit) -> tuple[Twig, ...]:
        full = float(scale(circuit).value)
        energy = sum(channel.norm**2 for channel in circuit.inputs) or 1.0
        return tuple(
            Twig(
                feature=feature(
                    visualizations[channel.source_layer, channel.source_channel],
                    channel.label,
                    "input of an input",
                    largest,
                ),
                label=channel.label,
                norm=significant(channel.norm),
                share=percent(channel.norm**2 / energy),
                sign=channel.sign,
                kernel=kernel_of(channel.kernel, full),
            )
            for channel in circuit.strongest
        )

    return tuple(
        BranchReport(
            index=branch.index,
            missing=branch.reason,
            count=whole(len(branch.circuit.inputs) if branch.circuit else 0),
            scale=scale(branch.circuit) if branch.circuit else whole(0),
            inputs=twigs(branch.circuit) if branch.circuit else (),
        )
        for branch in branches
    )
