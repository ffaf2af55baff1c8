"""How concentrated kernels are, against plain loops and against kernels whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from vizengine.layers.population import concentration


def test_shares_and_effective_numbers_are_those_of_plain_loops() -> None:
    kernel = np.random.default_rng(0).normal(size=(3, 1, 11, 5)).astype(np.float32)
    found = concentration(kernel, 4)
    assert (found.inputs, found.top) == (11, 4)
    for unit in range(5):
        energies = sorted((float((kernel[:, :, index, unit] ** 2).sum()) for index in range(11)), reverse=True)
        assert found.share[unit] == pytest.approx(sum(energies[:4]) / sum(energies), rel=1e-6)
        effective = sum(energies) ** 2 / sum(energy**2 for energy in energies)
        assert found.effective[unit] == pytest.approx(effective, rel=1e-6)


def test_even_and_single_inputs_are_told_apart() -> None:
    kernel = np.zeros((3, 3, 8, 3), np.float32)
    kernel[..., 0] = 2.0
    kernel[:, :, 5, 1] = 1.0
    found = concentration(kernel, 2)
    np.testing.assert_allclose(found.effective[:2], [8, 1])
    np.testing.assert_allclose(found.share[:2], [0.25, 1])
    # A unit without weights has none.
    assert np.isnan(found.share[2]) and np.isnan(found.effective[2]) and np.isnan(found.share_chance[2])


def test_the_control_keeps_the_coefficients_and_spreads_them() -> None:
    kernel = np.zeros((3, 3, 64, 2), np.float32)
    kernel[:, :, :2] = np.random.default_rng(1).normal(size=(3, 3, 2, 2))
    found = concentration(kernel, 2)
    np.testing.assert_allclose(found.share, 1)
    assert (found.share_chance < 0.75).all()
    assert (found.effective_chance > 1.5 * found.effective).all()
    again = concentration(kernel, 2)
    np.testing.assert_array_equal(found.share_chance, again.share_chance)
    assert (concentration(kernel, 2, seed=1).share_chance != found.share_chance).any()


def test_all_inputs_hold_all_where_there_are_few() -> None:
    found = concentration(np.ones((3, 3, 3, 4), np.float32), 6)
    assert found.top == 3
    np.testing.assert_allclose(found.share, 1)
