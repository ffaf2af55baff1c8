"""Numbers as they are printed, histograms and traces."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vizengine.figures.quantities import (
    TRACE_POINTS,
    decimals,
    fixed,
    histogram,
    if_finite,
    percent,
    significant,
    trace,
    whole,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (556.4, "556"),
        (1578.4, "1,578"),
        (0.2673, "0.267"),
        (-0.00123, "−0.00123"),
        (12.345, "12.3"),
        (1.7, "1.70"),
    ],
)
def test_significant_digits(value: float, text: str) -> None:
    assert (significant(value).text, significant(value).value) == (text, value)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0.0"),
        (1.0, "100.0"),
        (0.336734, "33.7"),
        (0.0004, "0.04"),
        (0.00001, "0.001"),
        (1e-9, "< 0.001"),
        (0.9999999, "> 99.999"),
    ],
)
def test_percent_is_none_or_all_only_where_it_is(share: float, text: str) -> None:
    assert (percent(share).text, percent(share).unit) == (text, "%")
    assert percent(share).value == pytest.approx(100 * share)


def test_numbers_have_separators_units_shared_decimals_and_no_negative_zero() -> None:
    assert whole(143667240).text == "143,667,240" and fixed(-0.0001, 2).text == "0.00"
    assert whole(40, "px").shown == "40\N{NO-BREAK SPACE}px" and percent(0.5).shown == "50.0%"
    assert decimals([0.01, -0.5, 0.2]) == 4
    assert decimals([1234.0]) == decimals([]) == decimals([0.0]) == decimals([math.inf]) == 0
    assert if_finite(math.nan, fixed, 2) is None and if_finite(0.5, fixed, 2) == fixed(0.5, 2)


def test_a_histogram_holds_both_ends_and_is_there_without_weights() -> None:
    values = histogram([-1.0, 0.0, 0.25, 1.0], -1.0, 1.0, 4)
    assert [bar.count.value for bar in values.bins] == [1, 0, 2, 1] and values.tallest.value == 2
    assert sum(int(bar.count.value) for bar in histogram(np.zeros((3, 3)), 0.0, 0.0, 20).bins) == 9


def test_a_trace_keeps_its_ends_and_is_thinned() -> None:
    long, one = trace(np.linspace(-3, 50, 5000, dtype=np.float32)), trace(np.array([2.0], np.float32))
    assert long is not None and one is not None and trace(np.zeros(0, np.float32)) is None
    assert (len(long.values), long.values[0], long.values[-1]) == (TRACE_POINTS, -3.0, 50.0)
    assert (long.low.value, long.high.value, long.steps.value) == (-3.0, 50.0, 5000)
    assert one.values == (2.0,)
