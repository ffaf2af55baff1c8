"""Factors of kernels that were built from factors, and of real ones."""

from __future__ import annotations

import numpy as np
import pytest

from tests.measures.setups import REAL, circuit_of
from vizengine.measures.factors import Factors, measure_factors
from vizengine.measures.inputs import Circuit, analyse
from vizengine.measures.stream import EvidenceSettings
from vizengine.network.architecture import SourceChannel
from vizengine.network.model import Network


def _circuit(slices: np.ndarray) -> Circuit:
    sources = [SourceChannel("below", index, f"below:{index}") for index in range(slices.shape[-1])]
    return analyse("layer", 0, slices[..., None].astype(np.float32), np.zeros(1, np.float32), sources, 3)


def factorise(circuit: Circuit) -> Factors:
    return measure_factors(circuit, EvidenceSettings())


def test_planted_groups_are_found() -> None:
    """Two groups of channels, read through a vertical and a horizontal edge."""
    edge = np.array([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])
    patterns = np.stack([2 * edge, edge.T])
    weights = np.array([[1.0, 2, 0, 0, 3, 0], [0, 0, 1, 2, 0, 2]])
    slices = np.einsum("fij,fc->ijc", patterns, weights)
    found = factorise(_circuit(slices))
    assert len(found.explained) == 2
    assert found.explained[1] == pytest.approx(1, abs=1e-4) and found.explained[0] < 0.95
    for factor, pattern, weight in zip(found.factors, patterns, weights, strict=True):
        length = np.linalg.norm(weight)
        np.testing.assert_allclose(factor.channels, weight / length, atol=1e-2)
        np.testing.assert_allclose(factor.positive - factor.negative, pattern * length, atol=0.1)
    energies = [np.square(np.einsum("ij,c->ijc", *pair)).sum() for pair in zip(patterns, weights, strict=True)]
    assert [factor.share for factor in found.factors] == pytest.approx(energies / np.square(slices).sum(), abs=1e-2)


@pytest.mark.parametrize(("fixture", "layer", "unit"), REAL)
def test_explained_is_one_less_the_squared_error(
    fixture: str, layer: str, unit: int, request: pytest.FixtureRequest
) -> None:
    network: Network = request.getfixturevalue(fixture)
    found = factorise(circuit_of(network, layer, unit))
    slices = network.weights[layer][0][..., unit].astype(np.float64)
    positive = sum(np.einsum("ij,c->ijc", factor.positive, factor.channels) for factor in found.factors)
    negative = sum(np.einsum("ij,c->ijc", factor.negative, factor.channels) for factor in found.factors)
    error = np.square(np.maximum(slices, 0) - positive).sum() + np.square(np.maximum(-slices, 0) - negative).sum()
    assert len(found.factors) == len(found.explained) == 3
    assert found.explained[-1] == pytest.approx(1 - error / np.square(slices).sum(), abs=1e-9)
    assert list(found.explained) == sorted(found.explained) and 0.3 < found.explained[0] < found.explained[2] < 1
    # No three non-negative factors can do better than the three best of any sign (Eckart and Young 1936).
    stacked = np.concatenate([np.maximum(slices, 0), np.maximum(-slices, 0)]).reshape(-1, slices.shape[-1])
    values = np.linalg.svd(stacked, compute_uv=False) ** 2
    bound = np.cumsum(values)[:3] / values.sum()
    assert (np.array(found.explained) <= bound + 1e-9).all() and found.explained[2] > bound[2] - 0.15
    for factor in found.factors:
        assert np.linalg.norm(factor.channels) == pytest.approx(1)
        assert min(factor.channels.min(), factor.positive.min(), factor.negative.min()) >= 0
    again = factorise(circuit_of(network, layer, unit))
    np.testing.assert_array_equal(found.factors[0].channels, again.factors[0].channels)


def test_few_channels_and_no_weights() -> None:
    single = factorise(_circuit(np.array([[[1.0, -2.0, 0.5]]])))
    assert len(single.factors) == 2 and single.explained[-1] == pytest.approx(1, abs=1e-6)
    assert factorise(_circuit(np.zeros((3, 3, 4)))).factors == ()
