"""Concentration of kernels, sparseness and likeness of a layer's units, against plain loops and NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from vizengine.layers.population import (
    GAUSSIAN_SPARSENESS,
    concentration,
    correlations,
    median_pair,
    nearest_units,
    sparseness,
)

COUNT = 4000


def _activations(seed: int = 0) -> np.ndarray:
    """(positions, 6): two that go together, one against them, one on its own, one constant, one silent."""
    generator = np.random.default_rng(seed)
    base = generator.normal(size=COUNT)
    columns = [base, base + 0.2 * generator.normal(size=COUNT), -base, generator.normal(size=COUNT)]
    return np.maximum(np.stack([*columns, np.full(COUNT, 3.0), np.full(COUNT, -1.0)], axis=1), 0)


def _moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return values.mean(axis=0), values.T @ values / len(values)


def test_sparseness_is_that_of_the_formula() -> None:
    values = _activations()
    found = sparseness(*_moments(values), COUNT)
    for unit in range(5):
        own = values[:, unit]
        expected = (1 - own.mean() ** 2 / (own**2).mean()) / (1 - 1 / COUNT)
        assert found[unit] == pytest.approx(expected, abs=1e-12)
    assert found[4] == pytest.approx(0, abs=1e-12)
    assert np.isnan(found[5])


def test_one_position_alone_is_as_sparse_as_can_be() -> None:
    values = np.zeros((50, 1))
    values[7] = 2.5
    assert sparseness(*_moments(values), 50)[0] == pytest.approx(1)


def test_the_control_is_that_of_a_bell_curve() -> None:
    values = np.maximum(np.random.default_rng(3).normal(size=(400_000, 1)), 0)
    assert sparseness(*_moments(values), len(values))[0] == pytest.approx(GAUSSIAN_SPARSENESS, abs=2e-3)


def test_correlations_are_numpys() -> None:
    values = _activations()
    found = correlations(*_moments(values))
    np.testing.assert_allclose(found[:4, :4], np.corrcoef(values[:, :4].T), atol=1e-10)
    assert np.isnan(found[4:]).all() and np.isnan(found[:, 4:]).all()


def test_the_nearest_come_first_and_nobody_is_near_to_itself() -> None:
    correlation = correlations(*_moments(_activations()))
    found = nearest_units(correlation, 2)
    assert found[0, 0] == 1 and found[1, 0] == 0
    assert all(unit not in row for unit, row in enumerate(found.tolist()))
    assert (found[4:] == -1).all()
    assert nearest_units(correlation, 99).shape == (6, 5)
    pairs = [np.corrcoef(_activations()[:, :4].T)[one, two] for one in range(4) for two in range(one)]
    assert median_pair(correlation) == pytest.approx(np.median(pairs))


def test_a_layer_of_one_unit_has_no_neighbours() -> None:
    alone = np.array([[1.0]])
    assert nearest_units(alone, 3).shape == (1, 0)
    assert np.isnan(median_pair(alone))


def test_shares_and_effective_numbers_are_those_of_plain_loops() -> None:
    kernel = np.random.default_rng(0).normal(size=(3, 1, 11, 5)).astype(np.float32)
    measured = concentration(kernel, 4)
    assert (measured.inputs, measured.top) == (11, 4)
    for unit in range(5):
        energies = sorted((float((kernel[:, :, index, unit] ** 2).sum()) for index in range(11)), reverse=True)
        assert measured.share[unit] == pytest.approx(sum(energies[:4]) / sum(energies), rel=1e-6)
        effective = sum(energies) ** 2 / sum(energy**2 for energy in energies)
        assert measured.effective[unit] == pytest.approx(effective, rel=1e-6)


def test_even_and_single_inputs_are_told_apart() -> None:
    kernel = np.zeros((3, 3, 8, 3), np.float32)
    kernel[..., 0] = 2.0
    kernel[:, :, 5, 1] = 1.0
    measured = concentration(kernel, 2)
    np.testing.assert_allclose(measured.effective[:2], [8, 1])
    np.testing.assert_allclose(measured.share[:2], [0.25, 1])
    # A unit without weights has none.
    assert np.isnan(measured.share[2]) and np.isnan(measured.effective[2]) and np.isnan(measured.share_chance[2])


def test_the_control_keeps_the_coefficients_and_spreads_them() -> None:
    kernel = np.zeros((3, 3, 64, 2), np.float32)
    kernel[:, :, :2] = np.random.default_rng(1).normal(size=(3, 3, 2, 2))
    measured = concentration(kernel, 2)
    np.testing.assert_allclose(measured.share, 1)
    assert (measured.share_chance < 0.75).all()
    assert (measured.effective_chance > 1.5 * measured.effective).all()
    again = concentration(kernel, 2)
    np.testing.assert_array_equal(measured.share_chance, again.share_chance)
    assert (concentration(kernel, 2, seed=1).share_chance != measured.share_chance).any()


def test_all_inputs_hold_all_where_there_are_few() -> None:
    measured = concentration(np.ones((3, 3, 3, 4), np.float32), 6)
    assert measured.top == 3
    np.testing.assert_allclose(measured.share, 1)
