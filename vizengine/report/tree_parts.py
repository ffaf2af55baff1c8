"""The part of the report that shows the inputs of the unit's inputs."""

from __future__ import annotations

from vizengine.circuit.model import Sign
from vizengine.report.figures import Documented, Kernel, Quantity
from vizengine.report.parts import Feature


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
