"""The effect of zeroing a unit, against networks whose unit is silent."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np

from vizengine.measures.downstream import Downstream, measure_downstream
from vizengine.measures.photos import Photos
from vizengine.network.catalogue import class_labels
from vizengine.network.model import Network


def _downstream(network: Network, photos: int) -> Downstream | None:
    """Of unit 23 of SqueezeNet's fire4/expand3x3 on the first photos."""
    circuit = SimpleNamespace(layer="fire4/expand3x3", unit=23)
    streamed = SimpleNamespace(peaks=SimpleNamespace(photo=np.arange(photos)))
    return measure_downstream(network, circuit, Photos("samples", Path()).found, streamed, class_labels())


def test_moved_classes_equal_a_silent_unit(squeezenet: Network) -> None:
    photos = Photos("samples", Path()).found[:3]
    found = _downstream(squeezenet, 3)
    assert found is not None and found.looked == 3 and len(found.photos) == 3
    kernel, bias = (array.copy() for array in squeezenet.weights["fire4/expand3x3"])
    kernel[..., 23], bias[23] = 0, 0
    silent = Network(squeezenet.architecture, {**squeezenet.weights, "fire4/expand3x3": (kernel, bias)})
    squares = np.stack([photo.square(227) for photo in photos])
    # Probabilities give logits up to a constant for each photo; differences of two classes' changes need none.
    before, after = (np.log(network.classify(squares).astype(np.float64)) for network in (squeezenet, silent))
    moved = after - before
    for each in (*found.falling, *found.rising):
        for other in found.falling:
            expected = (moved[:, each.index] - moved[:, other.index]).mean()
            assert abs(each.change.mean - other.change.mean - expected) < 2e-3
    assert [each.change.mean for each in found.falling] == sorted(each.change.mean for each in found.falling)
    ranked = np.argsort(moved.mean(0))
    assert {each.index for each in found.falling} == set(ranked[:5].tolist())
    assert {each.index for each in found.rising} == set(ranked[-5:].tolist())
    for number, photo in enumerate(found.photos):
        assert photo.before == class_labels()[int(before[number].argmax())]


def test_a_silent_unit_moves_nothing(squeezenet: Network) -> None:
    kernel, bias = (array.copy() for array in squeezenet.weights["fire4/expand3x3"])
    kernel[..., 23], bias[23] = 0, -1
    silent = Network(squeezenet.architecture, {**squeezenet.weights, "fire4/expand3x3": (kernel, bias)})
    found = _downstream(silent, 2)
    assert found is not None and found.looked == 2 and not found.photos and not found.falling and not found.rising


def test_without_a_classifier_there_is_no_effect(tiny_network: Network) -> None:
    assert _downstream(tiny_network, 0) is None
