from __future__ import annotations

import numpy as np

from vizengine.figures import quantities as plots


def test_a_histogram_holds_both_ends() -> None:
    made = plots.histogram(np.array([-1.0, 0.0, 0.25, 1.0]), -1.0, 1.0, 4)
    assert [each.count.value for each in made.bins] == [1, 0, 2, 1]
    assert made.tallest.value == 2


def test_zero_lies_between_two_bars_of_coefficients() -> None:
    made = plots.coefficients(np.array([[-0.01, 0.01]]), 0.3)
    edges = [each.low.value for each in made.bins]
    assert min(abs(edge) for edge in edges) < 1e-12
    middle = len(made.bins) // 2
    assert [made.bins[middle - 1].count.value, made.bins[middle].count.value] == [1, 1]


def test_a_slice_without_weights_has_a_histogram() -> None:
    assert sum(int(each.count.value) for each in plots.coefficients(np.zeros((3, 3)), 0.0).bins) == 9


def test_a_trace_keeps_its_ends_and_is_thinned() -> None:
    values = np.linspace(-3, 50, 5000, dtype=np.float32)
    made = plots.trace(values)
    assert made is not None
    assert len(made.values) == plots.TRACE_POINTS
    assert (made.values[0], made.values[-1]) == (-3.0, 50.0)
    assert (made.low.value, made.high.value, made.steps.value) == (-3.0, 50.0, 5000)


def test_a_trace_of_one_step_and_of_none() -> None:
    one = plots.trace(np.array([2.0], np.float32))
    assert one is not None and one.values == (2.0,)
    assert plots.trace(np.zeros(0, np.float32)) is None
