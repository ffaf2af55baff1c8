"""The part of the report that follows the unit's weights back to earlier layers."""

from __future__ import annotations

from vizengine.report.figures import Documented, Picture, Quantity


class ExpandedKernel(Documented):
    """One channel of an earlier layer."""

    label: str
    """The channel."""
    norm: Quantity
    """L2 norm of its expanded kernel."""
    linear: Picture
    """The expanded kernel, a pixel for each position."""
    weighted: Picture
    """The mean gradient on the top examples, likewise."""
    agreement: Quantity | None
    """Cosine between the two; null where one is zero."""


class ExpandedLayer(Documented):
    """The unit's weights to one earlier layer."""

    layer: str
    """Its name; `input` for the image."""
    direct: bool
    """Whether the unit reads it without another conv layer between."""
    channels: Quantity
    """Its channels."""
    side: Quantity
    """Side of the kernels in positions of this layer."""
    scale: Quantity
    """Value of the full colours of the expanded kernels."""
    weighted_scale: Quantity
    """Value of the full colours of the gradients."""
    agreement: Quantity | None
    """Cosine between expanded weights and gradients over all channels and positions; null where one is zero."""
    control: Quantity | None
    """The same with the channels dealt anew; null likewise."""
    kernels: tuple[ExpandedKernel, ...]
    """Those with the largest norms."""


class UntoldLayer(Documented):
    """Another layer to which or from which the weights can't be followed."""

    layer: str
    """Its name."""
    reason: str
    """What stands in the way."""


class ExpandedReport(Documented):
    """The unit's weights to layers that aren't its neighbours, from the earliest on."""

    layers: tuple[ExpandedLayer, ...]
    """The layers that were looked at."""
    untold: tuple[UntoldLayer, ...]
    """Those to which the weights can't be followed."""
    examples: Quantity
    """Top examples over which gradients are averaged."""
    draws: Quantity
    """Draws of the control."""
