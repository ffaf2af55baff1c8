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


CLASSES = 5


def downstream(
    network: Network, layer: str, unit: int, photos: Sequence[Photo], labels: Sequence[str]
) -> Downstream | None:
    """The effect of zeroing one unit, or None where the network has no classifier or its logits aren't all numbers.

    Args:
        network: the network.
        layer: the unit's layer.
        unit: its index.
        photos: those to look at.
        labels: class names in the order of the logits.
    """
    if not has_classifier(network):
        return None
    intervention = Intervention(network, layer)
    changes: list[NDArray[np.float64]] = []
    found = []
    for photo in photos:
        activations = intervention.activations(photo.square(network.architecture.input_size)[None])
        before = np.asarray(activations["logits"])[0].astype(np.float64)
        if not np.isfinite(before).all():
            return None
        highest = float(np.asarray(activations[intervention.layer])[..., unit].max())
        if highest <= 0:
            continue
        after = intervention.changed_logits(activations, lambda values: _without(values, unit))[0].astype(np.float64)
        changes.append(after - before)
        first, second = int(before.argmax()), int(after.argmax())
        found.append(PhotoChange(photo.name, highest, labels[first], labels[second]))
    if not changes:
        return Downstream((), len(photos), (), (), 0.0)
    stacked = np.stack(changes)
    mean = stacked.mean(axis=0)

    def describe(order: NDArray[np.int64], sign: int) -> tuple[ClassChange, ...]:
        moving = [index for index in order[:CLASSES].tolist() if sign * mean[index] > 0]
        return tuple(ClassChange(index, labels[index], estimate(stacked[:, index])) for index in moving)

    return Downstream(
        tuple(found),
        len(photos),
        describe(largest_first(-mean), -1),
        describe(largest_first(mean), 1),
        float(np.abs(stacked).mean()),
    )


def _without(values: NDArray[np.float32], unit: int) -> NDArray[np.float32]:
    values[..., unit] = 0
    return values


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


CLASSES_SHOWN = 5


def downstream_report(downstream: Downstream | None) -> DownstreamReport | None:
    """What the classifier loses."""
    if downstream is None:
        return None
    return DownstreamReport(
        photos=whole(len(downstream.photos)),
        looked=whole(downstream.looked),
        changed=whole(sum(photo.before != photo.after for photo in downstream.photos)),
        falling=_classes(downstream.falling),
        rising=_classes(downstream.rising),
        mean_size=significant(downstream.mean_size if math.isfinite(downstream.mean_size) else 0.0, 2),
    )


def _classes(changes: Sequence[ClassChange]) -> tuple[ClassReport, ...]:
    return tuple(ClassReport(label=each.label, change=change(each.change, 2)) for each in changes[:CLASSES_SHOWN])


def measure_downstream(
    network: Network, circuit: Circuit, photos: Sequence[Photo], streamed: Streamed, labels: Sequence[str]
) -> Downstream | None:
    """What zeroing a unit does to the classifier, on the photos that drive it most; `labels` are the config's."""
    chosen = [photos[index] for index in streamed.peaks.photo.tolist()]
    return downstream(network, circuit.layer, circuit.unit, chosen, labels or network.labels)


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
