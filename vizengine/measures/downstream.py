"""Effect on the classifier: the change of the logits when the unit's activation is set to zero everywhere.

It is measured on the photos on which the unit fires, of the 32 that drive it most, each as the classifier's centred
square. Means of logits have 95 % intervals over these photos.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizengine.figures.quantities import Change, Documented, Quantity, significant, whole
from vizengine.measures.inputs import Circuit
from vizengine.measures.measure import Measure
from vizengine.measures.photos import Photo
from vizengine.measures.statistics import Estimate, change, estimate, largest_first
from vizengine.measures.stream import Streamed
from vizengine.network.model import Network
from vizengine.network.probes import Intervention, has_classifier


@dataclass(frozen=True)
class ClassChange:
    """One class of the classifier.

    Attributes:
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


CLASSES = 5


def measure_downstream(
    network: Network, circuit: Circuit, photos: Sequence[Photo], streamed: Streamed, labels: Sequence[str]
) -> Downstream | None:
    """What zeroing a unit does to the classifier, on the photos that drive it most.

    Args:
        labels: class names from the config, in the order of the logits; the network's own where it has none.

    Returns:
        None where the network has no classifier or its logits aren't all numbers.
    """
    if not has_classifier(network):
        return None
    labels = labels or network.labels
    intervention = Intervention(network, circuit.layer)
    logit_changes: list[NDArray[np.float64]] = []
    photo_changes = []

    def without_unit(values: NDArray[np.float32]) -> NDArray[np.float32]:
        values[..., circuit.unit] = 0
        return values

    for index in streamed.peaks.photo.tolist():
        photo = photos[index]
        activations = intervention.activations(photo.square(network.architecture.input_size)[None])
        before = np.asarray(activations["logits"])[0].astype(np.float64)
        if not np.isfinite(before).all():
            return None
        highest = float(np.asarray(activations[intervention.layer])[..., circuit.unit].max())
        if highest <= 0:
            continue
        after = intervention.changed_logits(activations, without_unit)[0].astype(np.float64)
        logit_changes.append(after - before)
        classes = labels[int(before.argmax())], labels[int(after.argmax())]
        photo_changes.append(PhotoChange(photo.name, highest, *classes))
    looked = len(streamed.peaks.photo)
    if not logit_changes:
        return Downstream((), looked, (), (), 0.0)
    changes = np.stack(logit_changes)
    mean = changes.mean(axis=0)

    def furthest(sign: int) -> tuple[ClassChange, ...]:
        order = [index for index in largest_first(sign * mean)[:CLASSES].tolist() if sign * mean[index] > 0]
        return tuple(ClassChange(index, labels[index], estimate(changes[:, index])) for index in order)

    return Downstream(tuple(photo_changes), looked, furthest(-1), furthest(1), float(np.abs(changes).mean()))


class ClassReport(Documented):
    """A class of the classifier."""

    label: str
    """Its name."""
    change: Change
    """Of its logit over the photos on which the unit fires, the unit at zero less as it is."""


class DownstreamReport(Documented):
    """What zeroing the unit does to the classifier."""

    photos: Quantity
    """Photos on which it fires."""
    looked: Quantity
    """Photos that were looked at."""
    changed: Quantity
    """Of those on which it fires, how many get another likeliest class."""
    falling: tuple[ClassReport, ...]
    """Classes whose logit falls most."""
    rising: tuple[ClassReport, ...]
    """Classes whose logit rises most."""
    mean_size: Quantity
    """Mean absolute change over all classes."""


def downstream_report(downstream: Downstream | None) -> DownstreamReport | None:
    """What the classifier loses."""
    if downstream is None:
        return None

    def reports(changes: Sequence[ClassChange]) -> tuple[ClassReport, ...]:
        return tuple(ClassReport(label=moved.label, change=change(moved.change, 2)) for moved in changes)

    return DownstreamReport(
        photos=whole(len(downstream.photos)),
        looked=whole(downstream.looked),
        changed=whole(sum(photo.before != photo.after for photo in downstream.photos)),
        falling=reports(downstream.falling),
        rising=reports(downstream.rising),
        mean_size=significant(downstream.mean_size if math.isfinite(downstream.mean_size) else 0.0, 2),
    )


DOWNSTREAM = Measure(
    name="downstream",
    result=Downstream | None,
    version=1,
    compute=measure_downstream,
    panel="does",
    report=downstream_report,
    part=DownstreamReport | None,
    about="What the classifier loses without it; null where there is no classifier.",
)
