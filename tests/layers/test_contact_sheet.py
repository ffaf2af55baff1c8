"""The figures of a contact sheet, against what they are made of."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from vizengine.layers.figures import LayerResults, Measured, columns
from vizengine.layers.population import Groups, concentration, correlations, median_pair, sparseness
from vizengine.layers.survey import Selectivity, Survey
from vizengine.measures.extremes import PhotoExtremes

UNITS, POSITIONS = 5, 1000


def _survey() -> Survey:
    generator = np.random.default_rng(0)
    pre = generator.normal(generator.normal(size=UNITS), 2, (POSITIONS, UNITS))
    pre[:, 4] = -1
    fired = np.maximum(pre, 0)
    nothing = np.zeros((UNITS, 0))
    return Survey(
        extremes=PhotoExtremes(
            ("a", "b"), pre.reshape(2, -1, UNITS).max(axis=1), pre.reshape(2, -1, UNITS).min(axis=1)
        ),
        count=POSITIONS,
        mean=pre.mean(axis=0),
        deviation=pre.std(axis=0),
        firing=(pre > 0).mean(axis=0),
        activation=fired.mean(axis=0),
        products=fired.T @ fired / POSITIONS,
        pre=nothing.astype(np.float32),
        photo=nothing.astype(np.int64),
        row=nothing.astype(np.int64),
        column=nothing.astype(np.int64),
        parts=np.zeros((UNITS, 0, 12), np.float32),
    )


def _columns(kernel: NDArray[np.float32], grouped: bool = True) -> dict[str, Measured]:
    survey, nan = _survey(), math.nan
    selectivity = Selectivity(
        orientation=np.array([0.1, 0.9, nan, 0.5, nan]),
        hue=np.full(5, nan),
        orientation_chance=np.array([0.2, 0.3, nan, 0.4, nan]),
        hue_chance=np.full(5, nan),
        gratings=128,
        colours=72,
    )
    groups = Groups(
        np.full(5, 24),
        np.array([1, 2, 1, 1, 1]),
        np.array([0.2, 0.6, 0.1, 0.3, nan]),
        np.array([0.3, 0.4, 0.25, 0.3, 0.25]),
    )
    if not grouped:
        groups = Groups(np.full(5, 3), np.ones(5, np.int64), np.full(5, nan), np.full(5, 0.25))
    layer = LayerResults(survey, selectivity, kernel, groups)
    return {measured.column.name: measured for measured in columns(layer)}


def _kernel(inputs: int = 12) -> NDArray[np.float32]:
    return np.random.default_rng(1).normal(size=(3, 3, inputs, UNITS)).astype(np.float32)


def _values(measured: Measured) -> list[float | None]:
    return [None if each.value is None else float(each.value.value) for each in measured.figures]


def test_figures_are_those_of_the_measurements() -> None:
    survey, found, weights = _survey(), _columns(_kernel()), concentration(_kernel(), 6)
    expected = {
        "strength": survey.strength,
        "firing": 100 * survey.firing,
        "share": 100 * weights.share,
        "effective": weights.effective,
    }
    for name, values in expected.items():
        assert _values(found[name]) == pytest.approx(values.tolist())
        shown = [each.value.value for each in found[name].figures if each.value]
        assert found[name].column.median is not None
        assert found[name].column.median.value == pytest.approx(np.median(shown))
    sparse = sparseness(survey.activation, survey.products, POSITIONS)
    assert _values(found["sparsity"]) == [*map(pytest.approx, sparse[:4].tolist()), None]
    assert _values(found["orientation"]) == [0.1, 0.9, None, 0.5, None]
    likeness = _values(found["likeness"])
    correlation = correlations(survey.activation, survey.products)
    for unit in range(4):
        assert likeness[unit] == pytest.approx(max(correlation[unit, other] for other in range(4) if other != unit))
    assert likeness[4] is None


def test_every_figure_has_a_control() -> None:
    found = _columns(_kernel())
    for name in ("orientation", "share", "effective", "grouping"):
        assert found[name].column.control_at is None
        assert all((each.chance is None) == (each.value is None) for each in found[name].figures)
    survey = _survey()
    pair = median_pair(correlations(survey.activation, survey.products))
    controls = {"firing": 50, "sparsity": 1 - 1 / math.pi, "likeness": pair, "strength": 3.09}
    for name, value in controls.items():
        assert found[name].column.control_at is not None
        assert found[name].column.control_at.value == pytest.approx(value, abs=1e-3)
    # Of 1,000 draws from a bell curve about one passes that.
    assert (np.random.default_rng(0).normal(size=1_000_000) > 3.09).mean() == pytest.approx(1e-3, rel=0.1)
    for each in found.values():
        column = each.column
        assert column.meaning and column.formula and column.sample and column.control
        shown = [quantity.value for one in each.figures for quantity in (one.value, one.chance) if quantity]
        assert all(column.low <= value <= column.high for value in shown)


def test_what_nobody_has_is_said_to_be_absent() -> None:
    found = _columns(_kernel())
    assert found["hue"].column.median is None and _values(found["hue"]) == [None] * UNITS
    assert found["hue"].column.absent == "silent"


def test_columns_that_say_nothing_are_left_out() -> None:
    assert {"share", "effective"} <= _columns(_kernel()).keys()
    assert "share" not in _columns(_kernel(6)) and "effective" in _columns(_kernel(6))
    assert not {"share", "effective"} & _columns(_kernel(1)).keys()
    assert "grouping" in _columns(_kernel()) and "grouping" not in _columns(_kernel(), grouped=False)
