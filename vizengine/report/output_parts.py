"""The part of the report that tells which later units read the unit."""

from __future__ import annotations

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
    kernel: Kernel
    """The slice."""


class OutputsReport(Documented):
    """The later units that read the unit."""

    layers: tuple[str, ...]
    """Conv layers that read it."""
    unread: tuple[str, ...]
    """Conv layers that read it and whose weights aren't there."""
    units: Quantity
    """Units of `layers` that read it."""
    scale: Quantity
    """Value of the full colours of the slices shown."""
    excited: tuple[OutputSlice, ...]
    """Those that it excites most."""
    inhibited: tuple[OutputSlice, ...]
    """Those that it inhibits most."""
