"""The unit on whole photos, as the page shows it: the photo in grey, and over it where the unit fires."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vizengine.evidence.examples import Example, PhotoMap
from vizengine.report.colours import EXCITES
from vizengine.report.evidence_parts import PhotoMapReport, Place
from vizengine.report.numbers import significant
from vizengine.report.pictures import overlay, patch

PHOTO_PIXELS = 300


def photo_maps(maps: Sequence[PhotoMap], examples: Sequence[Example]) -> tuple[PhotoMapReport, ...]:
    """The whole photos of the shown examples, the one that drives the unit most first.

    Args:
        maps: the unit on whole photos.
        examples: those that the page shows.
    """
    first = {each.photo_index: number for number, each in reversed(list(enumerate(examples)))}
    shown = sorted((each for each in maps if each.photo_index in first), key=lambda each: first[each.photo_index])
    strongest = max((float(each.pre.max()) for each in shown), default=0.0)
    return tuple(_report(each, examples, strongest) for each in shown)


def _report(given: PhotoMap, examples: Sequence[Example], strongest: float) -> PhotoMapReport:
    # An entry of the map stands for the pixels around the centres of its positions' receptive fields.
    middle = (given.field - given.stride) / 2
    side = given.step * given.stride
    return PhotoMapReport(
        photo=given.photo,
        height=given.height,
        width=given.width,
        picture=patch(np.repeat(given.grey[..., None], 3, axis=-1), f"Photo {given.photo} in grey", PHOTO_PIXELS),
        overlay=overlay(strength(given.pre, strongest), EXCITES, f"Where the unit fires in the photo {given.photo}"),
        overlay_left=given.start[1] + middle,
        overlay_top=given.start[0] + middle,
        overlay_width=float(given.pre.shape[1] * side),
        overlay_height=float(given.pre.shape[0] * side),
        places=tuple(
            Place(left=each.left, top=each.top, side=given.field)
            for each in examples
            if each.photo_index == given.photo_index
        ),
        highest=significant(float(given.pre.max())),
    )


def strength(pre: NDArray[np.float32], strongest: float) -> NDArray[np.float64]:
    """Pre-activations as shares of the strongest: 0 where the unit doesn't fire, at most 1."""
    if strongest <= 0 or not math.isfinite(strongest):
        return np.zeros(pre.shape)
    return np.clip(pre.astype(np.float64) / strongest, 0, 1)
