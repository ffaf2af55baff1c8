"""Norms, signs and ranks against NumPy on the raw weights."""

from __future__ import annotations

import numpy as np
import pytest

from tests.measures.setups import REAL, circuit_of
from vizengine.measures.inputs import Circuit, analyse
from vizengine.network.architecture import SourceChannel
from vizengine.network.model import Network


def _circuit(kernel: np.ndarray, sources: int) -> Circuit:
    channels = [SourceChannel("below", index, f"below:{index}") for index in range(sources)]
    return analyse("layer", 0, kernel.astype(np.float32), np.zeros(1, np.float32), channels, 6)


@pytest.mark.parametrize(("fixture", "layer", "unit"), REAL)
def test_real_norms_equal_numpy(fixture: str, layer: str, unit: int, request: pytest.FixtureRequest) -> None:
    network: Network = request.getfixturevalue(fixture)
    kernel, bias = network.weights[layer]
    circuit = circuit_of(network, layer, unit)
    raw = kernel[:, :, :, unit].reshape(-1, kernel.shape[2]).astype(np.float64)
    for channel in circuit.inputs:
        values = raw[:, channel.index]
        assert channel.norm == pytest.approx(np.linalg.norm(values), rel=1e-12)
        assert channel.total == pytest.approx(values.sum(), rel=1e-9)
        assert channel.positive_count == np.count_nonzero(values > 0)
        assert channel.negative_count == np.count_nonzero(values < 0)
        assert channel.positive_mass - channel.negative_mass == pytest.approx(values.sum(), rel=1e-9)
        np.testing.assert_array_equal(channel.kernel.ravel(), kernel[:, :, channel.index, unit].ravel())
    order = np.argsort(-np.linalg.norm(raw, axis=0), kind="stable")
    assert [channel.index for channel in circuit.ranked] == list(order) and circuit.bias == bias[unit]


def test_the_seed_circuit(vgg19: Network) -> None:
    circuit = circuit_of(vgg19, "block3_conv3", 195)
    assert [channel.index for channel in circuit.strongest] == [244, 113, 124, 169, 219, 104]
    assert [channel.index for channel in circuit.strongest if channel.sign == "inhibitory"] == [124]


def test_ties_go_to_the_lower_index_and_fewer_inputs_give_fewer() -> None:
    kernel = np.ones((3, 3, 4, 1))
    kernel[..., 2, 0] = 2
    assert [channel.index for channel in _circuit(kernel, 4).strongest] == [2, 0, 1, 3]


def test_sign_is_mixed_where_count_and_mass_disagree() -> None:
    kernel = np.zeros((3, 3, 3, 1))
    kernel[..., 0, 0] = [[-1, -1, -1], [-1, 100, -1], [-1, -1, -1]]
    kernel[..., 1, 0] = 1
    first, second, third = _circuit(kernel, 3).inputs
    assert (first.by_count, first.by_mass, first.sign) == ("inhibitory", "excitatory", "mixed")
    assert second.sign == "excitatory" and (third.norm, third.sign) == (0.0, "mixed")


def test_sources_must_fit_the_kernel() -> None:
    with pytest.raises(ValueError, match="3 input channels, expected 5"):
        _circuit(np.zeros((1, 1, 3, 1)), 5)
