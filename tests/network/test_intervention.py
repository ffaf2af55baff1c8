"""A changed activation in the middle of the network against a network with changed weights."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from tests.measures.setups import noise
from vizengine.network import catalogue as zoo
from vizengine.network.architecture import Architecture
from vizengine.network.layers import LayerSpec
from vizengine.network.model import Network
from vizengine.network.probes import Intervention, has_classifier


def _silenced(network: Network, layer: str, unit: int) -> Network:
    """The same network with one unit's weights at zero, so that it never fires."""
    kernel, bias = (array.copy() for array in network.weights[layer])
    kernel[..., unit], bias[unit] = 0, 0
    return Network(network.architecture, {**network.weights, layer: (kernel, bias)})


def _zeroed(unit: int):
    def change(values: np.ndarray) -> np.ndarray:
        values[..., unit] = 0
        return values

    return change


def dense_network() -> Network:
    """A small network that ends as VGG does: flatten, dense, dense with softmax."""
    layers = (
        LayerSpec("input", "input"),
        LayerSpec("first", "conv", ("input",), 5, 3, activation="relu"),
        LayerSpec("pool", "max_pool", ("first",), kernel=2, stride=2, padding="valid"),
        LayerSpec("flatten", "flatten", ("pool",)),
        LayerSpec("hidden", "dense", ("flatten",), 6, activation="relu"),
        LayerSpec("predictions", "dense", ("hidden",), 4, activation="softmax"),
    )
    architecture = Architecture("small", "Small", layers, 8, "rgb", (100.0, 100.0, 100.0), "none", "none")
    generator = np.random.default_rng(0)
    weights = {}
    for name in ("first", "hidden", "predictions"):
        shape = architecture.kernel_shape(name)
        kernel = generator.normal(0, 0.1, shape).astype(np.float32)
        weights[name] = (kernel, generator.normal(0, 0.1, shape[-1]).astype(np.float32))
    return Network(architecture, weights)


@pytest.mark.parametrize(
    ("layer", "unit"), [("fire4/expand3x3", 23), ("fire4/squeeze1x1", 12), ("conv1", 5), ("fire9/expand1x1", 3)]
)
def test_zeroing_a_unit_equals_silent_weights(squeezenet: Network, layer: str, unit: int) -> None:
    images = np.stack([noise(227, 227, seed) for seed in range(2)])
    intervention = Intervention(squeezenet, layer)
    activations = intervention.activations(images)
    before = squeezenet.classify(images)
    np.testing.assert_allclose(softmax(activations["logits"], -1), before, rtol=1e-3, atol=1e-6)
    after = softmax(intervention.changed_logits(activations, _zeroed(unit)), -1)
    expected = _silenced(squeezenet, layer, unit).classify(images)
    np.testing.assert_allclose(after, expected, rtol=1e-3, atol=1e-6)
    assert np.abs(after - before).max() > 0
    # The activations can be used again.
    np.testing.assert_array_equal(
        intervention.changed_logits(activations, lambda values: values), activations["logits"]
    )


def test_logits_of_a_dense_classifier_are_before_thesoftmax() -> None:
    network = dense_network()
    images = np.stack([noise(8, 8, seed) for seed in range(3)])
    intervention = Intervention(network, "first")
    activations = intervention.activations(images)
    logits = np.asarray(activations["logits"])
    np.testing.assert_allclose(softmax(logits, -1), network.classify(images), rtol=1e-4)
    kernel, bias = network.weights["predictions"]
    np.testing.assert_allclose(logits, np.asarray(activations["hidden"]) @ kernel + bias, rtol=1e-4, atol=1e-6)
    changed = intervention.changed_logits(activations, _zeroed(2))
    np.testing.assert_allclose(softmax(changed, -1), _silenced(network, "first", 2).classify(images), rtol=1e-4)


def test_a_classifier_is_there_or_not(squeezenet: Network, tiny_network: Network) -> None:
    assert has_classifier(squeezenet) and has_classifier(dense_network())
    assert not has_classifier(tiny_network)
    headless = {name: arrays for name, arrays in squeezenet.weights.items() if name != "conv10"}
    assert not has_classifier(Network(zoo.catalogue_entry("squeezenet1.1").architecture, headless))
