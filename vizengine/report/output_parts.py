"""The part of the report that tells which later units read the unit."""

from __future__ import annotations

from vizengine.report.expanded_parts import UntoldLayer
from vizengine.report.figures import Documented, Kernel, Quantity


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
