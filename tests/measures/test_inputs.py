"""Norms, signs and ranks against NumPy on the raw weights."""

from __future__ import annotations

import numpy as np
import pytest

from vizengine.measures.inputs import analyse
from vizengine.network.architecture import SourceChannel
from vizengine.network.model import Network


def _sources(count: int) -> list[SourceChannel]:
    return [SourceChannel("below", index, f"below:{index}") for index in range(count)]


@pytest.mark.parametrize(
    ("fixture", "layer", "unit"), [("squeezenet", "fire4/expand3x3", 23), ("vgg19", "block3_conv3", 195)]
)
def test_real_norms_equal_numpy(fixture: str, layer: str, unit: int, request: pytest.FixtureRequest) -> None:
    network: Network = request.getfixturevalue(fixture)
    kernel, bias = network.weights[layer]
    circuit = analyse(layer, unit, kernel, bias, network.architecture.source_channels(layer), 6)
    raw = kernel[:, :, :, unit].reshape(-1, kernel.shape[2]).astype(np.float64)
    for channel in circuit.inputs:
        values = raw[:, channel.index]
        assert channel.norm == pytest.approx(np.linalg.norm(values), rel=1e-12)
        assert channel.total == pytest.approx(values.sum(), rel=1e-9)
        assert channel.positive_count == np.count_nonzero(values > 0)
        assert channel.negative_count == np.count_nonzero(values < 0)
        assert channel.positive_mass - channel.negative_mass == pytest.approx(values.sum(), rel=1e-9)
        np.testing.assert_array_equal(channel.kernel.ravel(), kernel[:, :, channel.index, unit].ravel())
    expected = np.argsort(-np.linalg.norm(raw, axis=0), kind="stable")
    assert [channel.index for channel in circuit.ranked] == list(expected)
    assert circuit.bias == bias[unit]


def test_the_seed_circuit(vgg19: Network) -> None:
    kernel, bias = vgg19.weights["block3_conv3"]
    circuit = analyse("block3_conv3", 195, kernel, bias, vgg19.architecture.source_channels("block3_conv3"), 6)
    assert [channel.index for channel in circuit.strongest] == [244, 113, 124, 169, 219, 104]
    assert [channel.sign for channel in circuit.strongest].count("inhibitory") == 1
    assert circuit.inputs[124].sign == "inhibitory"


def test_ties_go_to_the_lower_index_and_fewer_inputs_give_fewer() -> None:
    kernel = np.ones((3, 3, 4, 1), np.float32)
    kernel[..., 2, 0] = 2
    circuit = analyse("layer", 0, kernel, np.zeros(1, np.float32), _sources(4), 6)
    assert [channel.index for channel in circuit.strongest] == [2, 0, 1, 3]


def test_sign_is_mixed_where_count_and_mass_disagree() -> None:
    kernel = np.zeros((3, 3, 3, 1), np.float32)
    kernel[..., 0, 0] = [[-1, -1, -1], [-1, 100, -1], [-1, -1, -1]]
    kernel[..., 1, 0] = 1
    circuit = analyse("layer", 0, kernel, np.zeros(1, np.float32), _sources(3), 6)
    first, second, third = circuit.inputs
    assert (first.by_count, first.by_mass, first.sign) == ("inhibitory", "excitatory", "mixed")
    assert second.sign == "excitatory"
    assert (third.norm, third.sign) == (0.0, "mixed")


def test_sources_must_fit_the_kernel() -> None:
    with pytest.raises(ValueError, match="3 input channels, expected 5"):
        analyse("layer", 0, np.zeros((1, 1, 3, 1), np.float32), np.zeros(1, np.float32), _sources(5), 6)
