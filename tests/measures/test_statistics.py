"""Intervals, moments and areas under the ROC curve against counting, tables and NumPy."""

from __future__ import annotations

import functools
import operator

import numpy as np
import pytest

from vizengine.measures.statistics import Comoments, Moment, area_under_curve, estimate


def test_area_under_curve_equals_counting() -> None:
    positive, negative = np.array([3.0, 1.0, 2.0]), np.array([0.0, 1.0])
    area, low, high = area_under_curve(positive, negative)
    assert area == pytest.approx((2 + 1.5 + 2) / 6) and low < area < high
    generator = np.random.default_rng(0)
    areas = [area_under_curve(generator.normal(0.8, 1, 30), generator.normal(0, 1, 40)) for _ in range(400)]
    truth = np.mean([area for area, _, _ in areas])
    assert np.mean([low <= truth <= high for _, low, high in areas]) == pytest.approx(0.95, abs=0.04)


def _newcombe(area: float, n: int, m: int) -> float:
    """Variance of method 5 in Newcombe 2006: Hanley and McNeil's with (n + m) / 2 - 1 for both n - 1 and m - 1."""
    more = (n + m) / 2 - 1
    return area * (1 - area) * (1 + more * (1 - area) / (2 - area) + more * area / (1 + area)) / (n * m)


@pytest.mark.parametrize(("level", "normal"), [(0.95, 1.959964), (0.99, 2.575829)])
@pytest.mark.parametrize(("n", "m", "apart"), [(8, 8, 0.0), (21, 16, 1.0), (9, 40, -2.0), (8, 12, 30.0), (8, 9, -30.0)])
def test_the_areas_interval_solves_its_equation(n: int, m: int, apart: float, level: float, normal: float) -> None:
    generator = np.random.default_rng(n)
    area, low, high = area_under_curve(generator.normal(apart, 1, n), generator.normal(0, 1, m), level)
    assert 0 <= low < high <= 1 and low <= area <= high
    for end in {low, high} - {0.0, 1.0}:
        assert (area - end) ** 2 == pytest.approx(normal**2 * _newcombe(end, n, m), rel=1e-4, abs=1e-9)
    assert (low == 0) == (area == 0) and (high == 1) == (area == 1)


@pytest.mark.parametrize("size", [1, 3, 8, 50])
def test_an_area_of_1_or_0_is_not_certain(size: int) -> None:
    above, below = np.arange(size) + 100.0, np.arange(size) + 0.0
    area, low, high = area_under_curve(above, below)
    assert (area, high) == (1, 1) and low < 1 - 0.2 / size
    area, low, high = area_under_curve(below, above)
    assert (area, low) == (0, 0) and high > 0.2 / size


def test_estimate_is_students_interval() -> None:
    result = estimate(np.array([1.0, 2.0, 3.0, np.nan]))
    # t for two degrees of freedom at 97.5 %, from a table.
    assert (result.mean, result.deviation, result.count) == (2, 1, 3)
    assert result.high - 2 == pytest.approx(4.30265 / np.sqrt(3), rel=1e-5)
    assert estimate(np.array([5.0])).low == -np.inf and np.isnan(estimate(np.zeros(0)).mean)


def test_moments_survive_a_large_offset() -> None:
    values = np.random.default_rng(2).normal(1e7, 1, 9000)
    none = np.zeros(0)
    result = functools.reduce(operator.add, [Moment.of([none, part]) for part in np.split(values, 9)])
    assert result.mean[1] == pytest.approx(values.mean(), rel=1e-12)
    assert result.deviation[1] == pytest.approx(values.std(), rel=1e-6)
    assert result.deviation[0] == 0


def test_moments_in_parts_are_those_of_the_whole() -> None:
    terms = np.random.default_rng(0).normal([1.0, -2.0, 5.0], [1.0, 3.0, 0.2], (500, 3))
    parts = [Comoments.of(list(part.T)) for part in (terms[:7], terms[7:300], terms[300:])]
    together = functools.reduce(operator.add, parts)
    whole = Comoments.of(list(terms.T))
    assert together.count == whole.count == 500
    np.testing.assert_allclose(together.mean, whole.mean, rtol=1e-12)
    np.testing.assert_allclose(together.products, whole.products, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(whole.products / 500, np.cov(terms.T, bias=True), rtol=1e-9, atol=1e-12)
