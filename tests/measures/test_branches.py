"""The inputs of a unit's inputs, against the weights themselves."""

from __future__ import annotations

import keras
import numpy as np

from tests.network.own_models import functional_model, network_of
from tests.tiny import tiny_architecture, tiny_weights
from vizengine.measures.branches import MOST, Branch, branches
from vizengine.measures.inputs import Circuit, analyse
from vizengine.network.architecture import Architecture
from vizengine.network.files import LayerWeights
from vizengine.network.model import Network


def _branches(architecture: Architecture, weights: LayerWeights, layer: str, unit: int) -> tuple[Branch, ...]:
    def circuit_of(layer: str, unit: int, inputs: int) -> Circuit:
        kernel, bias = (np.asarray(each) for each in weights[layer])
        return analyse(layer, unit, kernel, bias, architecture.source_channels(layer, unit), inputs)

    return branches(architecture, circuit_of(layer, unit, 6), circuit_of)


def _check(branch: Branch, weights: LayerWeights) -> None:
    """Slices and norms of a branch are those of its own layer's weights."""
    assert branch.circuit is not None
    layer, _, unit = branch.label.rpartition(":")
    assert (branch.circuit.layer, branch.circuit.unit) == (layer, int(unit))
    kernel = np.asarray(weights[layer][0])[..., int(unit)]
    norms = np.linalg.norm(kernel.reshape(-1, kernel.shape[-1]).astype(np.float64), axis=0)
    strongest = branch.circuit.strongest
    assert len(strongest) == min(MOST, len(norms))
    for channel, expected in zip(strongest, np.argsort(-norms, kind="stable"), strict=False):
        assert channel.index == expected
        np.testing.assert_array_equal(channel.kernel, kernel[..., expected])


def test_each_input_has_its_own_layers_slices() -> None:
    architecture, weights = tiny_architecture(), tiny_weights()
    found = _branches(architecture, weights, "last", 2)
    assert len(found) == 6 and {each.label.split(":")[0] for each in found} <= {"left", "right"}
    for each in found:
        _check(each, weights)


def test_real_inputs_have_their_own_layers_slices_across_a_concatenation(squeezenet: Network) -> None:
    found = _branches(squeezenet.architecture, squeezenet.weights, "fire4/squeeze1x1", 5)
    assert {each.label.split(":")[0] for each in found} <= {"fire3/expand1x1", "fire3/expand3x3"}
    for each in found:
        _check(each, squeezenet.weights)


def test_colours_have_no_inputs() -> None:
    assert _branches(tiny_architecture(), tiny_weights(), "first", 0) == ()


def test_a_sum_has_no_kernel_and_says_of_what_it_is_the_sum() -> None:
    network = network_of(functional_model())
    (found,) = _branches(network.architecture, network.weights, "deep", 4)
    assert found.label == "total:2" and found.circuit is None
    assert found.reason == "it has no kernel: it is the sum of separable:2 and tall:2"


def test_a_maker_is_found_before_the_normalisation_where_it_is_seen() -> None:
    network = network_of(functional_model())
    for each in _branches(network.architecture, network.weights, "separable", 0):
        assert each.label.split(":")[0] in ("tall", "wide")
        _check(each, network.weights)


def test_an_input_whose_inputs_cannot_be_traced_names_the_layer_in_the_way() -> None:
    image = keras.Input((16, 16, 3))
    first = keras.layers.Conv2D(4, 3, padding="same", name="first")(image)
    moved = keras.layers.Reshape((8, 8, 16), name="moved")(first)
    behind = keras.layers.Conv2D(2, 3, name="behind")(moved)
    network = network_of(keras.Model(image, keras.layers.Conv2D(2, 1, name="last")(behind)))
    found = _branches(network.architecture, network.weights, "last", 1)
    assert len(found) == 2 and all(each.circuit is None and "moved (Reshape)" in each.reason for each in found)
