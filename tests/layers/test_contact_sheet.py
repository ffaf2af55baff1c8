"""The figures of a contact sheet, against what they are made of."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from vizengine.layers.figures import COLUMNS, Column, LayerResults
from vizengine.layers.population import Groups, concentration, correlations, median_pair, sparseness
from vizengine.layers.survey import Selectivity, Survey
from vizengine.measures.extremes import Bounds, PhotoExtremes

UNITS, POSITIONS = 5, 1000


def _survey() -> Survey:
    generator = np.random.default_rng(0)
    pre = generator.normal(generator.normal(size=UNITS), 2, (POSITIONS, UNITS))
    pre[:, 4] = -1
    fired = np.maximum(pre, 0)
    first, second = (
        PhotoExtremes.of_photo(name, Bounds(part.max(axis=0), part.min(axis=0)))
        for name, part in zip("ab", np.split(pre.astype(np.float32), 2), strict=True)
    )
    nothing = np.zeros((UNITS, 0), np.int64)
    return Survey(
        extremes=first + second,
        count=POSITIONS,
        mean=pre.mean(axis=0),
        deviation=pre.std(axis=0),
        firing=(pre > 0).mean(axis=0),
        activation=fired.mean(axis=0),
        products=fired.T @ fired / POSITIONS,
        shown=2,
        held_out=2,
        strongest=np.zeros((UNITS, 12)),
        pre=nothing.astype(np.float32),
        photo=nothing,
        row=nothing,
        column=nothing,
        parts=np.zeros((UNITS, 0, 12), np.float32),
    )


def _columns(kernel: NDArray[np.float32], silhouette: tuple[float, ...] = (0.2, 0.6, 0.1, 0.3)) -> dict[str, Column]:
    nan = math.nan
    selectivity = Selectivity(
        orientation=np.array([0.1, 0.9, nan, 0.5, nan]),
        hue=np.full(5, nan),
        orientation_chance=np.array([0.2, 0.3, nan, 0.4, nan]),
        hue_chance=np.full(5, nan),
        gratings=128,
        colours=72,
    )
    groups = Groups(np.full(5, 24), np.ones(5, np.int64), np.array([*silhouette, nan]), np.full(5, 0.25))
    layer = LayerResults(_survey(), selectivity, kernel, groups)
    return {column.name: column for column in (make(layer) for make in COLUMNS) if column}


def _kernel(inputs: int = 12) -> NDArray[np.float32]:
    return np.random.default_rng(1).normal(size=(3, 3, inputs, UNITS)).astype(np.float32)


def _values(column: Column) -> list[float | None]:
    return [None if figure is None else float(figure.value) for figure in column.figures]


def test_figures_are_those_of_the_measurements() -> None:
    survey, columns, weights = _survey(), _columns(_kernel()), concentration(_kernel(), 6)
    expected = {
        "strength": survey.strength,
        "firing": 100 * survey.firing,
        "share": 100 * weights.share,
        "effective": weights.effective,
    }
    for name, values in expected.items():
        assert _values(columns[name]) == pytest.approx(values.tolist())
        median = columns[name].median
        assert median and median.value == pytest.approx(np.median(values))
    sparse = sparseness(survey.activation, survey.products, POSITIONS)
    assert _values(columns["sparsity"]) == [*map(pytest.approx, sparse[:4].tolist()), None]
    assert _values(columns["orientation"]) == [0.1, 0.9, None, 0.5, None]
    correlation = correlations(survey.activation, survey.products)
    nearest = [max(correlation[unit, other] for other in range(4) if other != unit) for unit in range(4)]
    assert _values(columns["likeness"]) == [*map(pytest.approx, nearest), None]


def test_every_figure_has_a_control() -> None:
    columns = _columns(_kernel())
    for name in ("orientation", "share", "effective", "grouping"):
        column = columns[name]
        assert column.control_at is None
        assert [chance is None for chance in column.chances] == [figure is None for figure in column.figures]
    pair = median_pair(correlations(_survey().activation, _survey().products))
    for name, value in {"firing": 50, "sparsity": 1 - 1 / math.pi, "likeness": pair, "strength": 3.09}.items():
        control = columns[name].control_at
        assert control and control.value == pytest.approx(value, abs=1e-3)
    # Of 1,000 draws from a bell curve about one passes that.
    assert (np.random.default_rng(0).normal(size=1_000_000) > 3.09).mean() == pytest.approx(1e-3, rel=0.1)
    for column in columns.values():
        assert column.meaning and column.formula and column.sample and column.control
        low, high = column.ends
        assert all(low <= figure.value <= high for figure in (*column.figures, *column.chances) if figure)


def test_what_nobody_has_is_said_to_be_absent() -> None:
    hue = _columns(_kernel())["hue"]
    assert hue.median is None and _values(hue) == [None] * UNITS and hue.absent == "silent"


def test_columns_that_say_nothing_are_left_out() -> None:
    assert {"share", "effective", "grouping"} <= _columns(_kernel()).keys()
    assert "share" not in _columns(_kernel(6)) and "effective" in _columns(_kernel(6))
    assert not {"share", "effective"} & _columns(_kernel(1)).keys()
    assert "grouping" not in _columns(_kernel(), (math.nan,) * 4)
