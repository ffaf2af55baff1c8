"""The inputs of a unit's inputs, against the weights themselves."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from tests.measures.setups import circuit_of
from tests.network.own_models import functional_model, network_of
from vizengine.measures.branches import MOST, Branch, branches
from vizengine.network.model import Network


def _branches(network: Network, layer: str, unit: int) -> tuple[Branch, ...]:
    circuit = circuit_of(network, layer, unit)
    return branches(network.architecture, circuit, lambda *wanted: circuit_of(network, *wanted))


@pytest.mark.parametrize(
    ("fixture", "layer", "unit", "makers"),
    [
        ("tiny_network", "last", 2, {"left", "right"}),
        # Across a concatenation, and before the normalisation where it is seen.
        ("squeezenet", "fire4/squeeze1x1", 5, {"fire3/expand1x1", "fire3/expand3x3"}),
        ("functional", "separable", 0, {"tall", "wide"}),
    ],
)
def test_each_input_has_its_own_layers_slices(
    fixture: str, layer: str, unit: int, makers: set[str], request: pytest.FixtureRequest
) -> None:
    network = network_of(functional_model()) if fixture == "functional" else request.getfixturevalue(fixture)
    found = _branches(network, layer, unit)
    assert found
    for branch in found:
        maker, _, channel = branch.label.rpartition(":")
        assert branch.circuit is not None and maker in makers
        assert (branch.circuit.layer, branch.circuit.unit) == (maker, int(channel))
        kernel = np.asarray(network.weights[maker][0])[..., int(channel)]
        norms = np.linalg.norm(kernel.reshape(-1, kernel.shape[-1]).astype(np.float64), axis=0)
        assert len(branch.circuit.strongest) == min(MOST, len(norms))
        for inner, expected in zip(branch.circuit.strongest, np.argsort(-norms, kind="stable"), strict=False):
            assert inner.index == expected
            np.testing.assert_array_equal(inner.kernel, kernel[..., expected])


def test_colours_have_no_inputs(tiny_network: Network) -> None:
    assert _branches(tiny_network, "first", 0) == ()


def test_a_sum_has_no_kernel_and_says_of_what_it_is_the_sum() -> None:
    (branch,) = _branches(network_of(functional_model()), "deep", 4)
    assert branch.label == "total:2" and branch.circuit is None
    assert branch.reason == "it has no kernel: it is the sum of separable:2 and tall:2"


def test_an_input_whose_inputs_cannot_be_traced_names_the_layer_in_the_way() -> None:
    image = keras.Input((16, 16, 3))
    first = keras.layers.Conv2D(4, 3, padding="same", name="first")(image)
    moved = keras.layers.Reshape((8, 8, 16), name="moved")(first)
    behind = keras.layers.Conv2D(2, 3, name="behind")(moved)
    found = _branches(network_of(keras.Model(image, keras.layers.Conv2D(2, 1, name="last")(behind))), "last", 1)
    assert len(found) == 2
    assert all(branch.circuit is None and "moved (Reshape)" in branch.reason for branch in found)
