"""What zeroing a unit does to the classifier, on the photos where the unit fires."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vizengine.evidence.contributions import largest_first
from vizengine.evidence.downstream_model import ClassChange, Downstream, PhotoChange
from vizengine.evidence.intervals import estimate
from vizengine.evidence.photos import Photo
from vizengine.networks.intervention import Intervention, has_classifier
from vizengine.networks.network import Network

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
