"""From a unit's weights to earlier layers to what the page says of them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vizengine.evidence.expanded_model import Expanded, ExpandedSection
from vizengine.report.colours import weight_colour
from vizengine.report.expanded_parts import ExpandedKernel, ExpandedLayer, ExpandedReport, UntoldLayer
from vizengine.report.figures import Picture, Quantity
from vizengine.report.numbers import fixed, significant, whole
from vizengine.report.pictures import FEW_COLOURS, picture

# Wider kernels are made smaller: more positions than this can't be told apart in a tile.
MOST_POSITIONS = 64
# On either side of zero: so few colours that a picture is kept without loss.
_LEVELS = (FEW_COLOURS - 1) // 2
_PALETTE = np.array([weight_colour(level / _LEVELS - 1, 1.0) for level in range(2 * _LEVELS + 1)], np.uint8)


def expanded_report(given: Expanded) -> ExpandedReport:
    """What the page says of the weights to earlier layers."""
    return ExpandedReport(
        layers=tuple(_layer(each) for each in given.sections),
        untold=tuple(UntoldLayer(layer=each.layer, reason=each.reason) for each in given.untold),
        examples=whole(given.examples),
        draws=whole(given.draws),
    )


def _layer(section: ExpandedSection) -> ExpandedLayer:
    scale, weighted_scale = (float(np.abs(each).max(initial=0.0)) for each in (section.linear, section.weighted))
    return ExpandedLayer(
        layer=section.layer,
        direct=section.direct,
        channels=whole(section.channels),
        side=whole(section.linear.shape[1]),
        scale=significant(scale),
        weighted_scale=significant(weighted_scale),
        agreement=_cosine(section.agreement),
        control=_cosine(section.control),
        kernels=tuple(
            ExpandedKernel(
                label=label,
                norm=significant(float(section.norms[channel])),
                linear=_drawn(section.linear[place], scale, f"Expanded weights to {label}"),
                weighted=_drawn(section.weighted[place], weighted_scale, f"Mean gradient to {label}"),
                agreement=_cosine(section.channel_agreement[place]),
            )
            for place, (label, channel) in enumerate(zip(section.labels, section.shown, strict=True))
        ),
    )


def _cosine(value: float) -> Quantity | None:
    return fixed(value, 2) if math.isfinite(value) else None


def _drawn(kernel: NDArray[np.float32], scale: float, words: str) -> Picture:
    """A kernel in the page's colours, a pixel for each position."""
    if max(kernel.shape) > MOST_POSITIONS:
        small = Image.fromarray(kernel, "F").resize((MOST_POSITIONS, MOST_POSITIONS), Image.Resampling.BOX)
        kernel = np.asarray(small)
    share = kernel / scale if scale > 0 else np.zeros_like(kernel)
    levels = np.rint((np.clip(share, -1, 1) + 1) * _LEVELS).astype(np.uint8)
    return picture(_PALETTE[levels], words, MOST_POSITIONS)
