"""What zeroing a unit does to the classifier: the result, without the network that gave it."""

from __future__ import annotations

from dataclasses import dataclass

from vizengine.evidence.intervals import Estimate


@dataclass(frozen=True)
class ClassChange:
    """One class of the classifier.

    Attributes:
        index: of the class.
        label: its name.
        change: of its logit, with the unit at zero less as it is, over the photos; negative where the unit
            speaks for the class.
    """

    index: int
    label: str
    change: Estimate


@dataclass(frozen=True)
class PhotoChange:
    """One photo, as the classifier's centred square.

    Attributes:
        photo: its name.
        highest: the unit's highest activation on it.
        before, after: class with the highest logit, with the unit as it is and at zero.
    """

    photo: str
    highest: float
    before: str
    after: str


@dataclass(frozen=True)
class Downstream:
    """The effect of zeroing the unit's activation everywhere on a photo.

    Attributes:
        photos: those on which the unit fires, of those that were looked at.
        looked: how many were looked at.
        falling: classes whose logit falls most on average without the unit, furthest first.
        rising: classes whose logit rises most, furthest first.
        mean_size: mean absolute change over all classes and photos.
    """

    photos: tuple[PhotoChange, ...]
    looked: int
    falling: tuple[ClassChange, ...]
    rising: tuple[ClassChange, ...]
    mean_size: float
