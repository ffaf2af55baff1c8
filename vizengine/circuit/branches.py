"""The inputs of a unit's inputs: each of its strongest inputs is a unit too, with a kernel of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vizengine.circuit.model import Circuit
from vizengine.networks.architecture import Architecture
from vizengine.networks.sources import Untraceable

# Inputs that are shown of each input.
MOST = 3


@dataclass(frozen=True)
class Branch:
    """One of a unit's strongest inputs, taken as a unit.

    Attributes:
        index: the input's position on the unit's input axis.
        label: its name.
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
        architecture: the network's layers.
        circuit: the unit.
        circuit_of: gives the circuit of a layer's unit with so many strongest inputs; may raise `Untraceable`.
    """
    sources = architecture.source_channels(circuit.layer, circuit.unit)
    found = []
    for channel in circuit.strongest:
        layer, _, unit = channel.label.rpartition(":")
        if not layer:
            continue
        if not architecture.layer(layer).is_conv:
            terms = " and ".join(sources[channel.index].branches)
            found.append(Branch(channel.index, channel.label, None, f"it has no kernel: it is the sum of {terms}"))
            continue
        try:
            found.append(Branch(channel.index, channel.label, circuit_of(layer, int(unit), MOST)))
        except Untraceable as error:
            found.append(Branch(channel.index, channel.label, None, str(error)))
    return tuple(found)
