from __future__ import annotations

import numpy as np

from vizengine.figures import quantities as plots


def test_a_histogram_holds_both_ends() -> None:
    histogram = plots.histogram(np.array([-1.0, 0.0, 0.25, 1.0]), -1.0, 1.0, 4)
    assert [bar.count.value for bar in histogram.bins] == [1, 0, 2, 1]
    assert histogram.tallest.value == 2


def test_a_slice_without_weights_has_a_histogram() -> None:
    assert sum(int(bar.count.value) for bar in plots.histogram(np.zeros((3, 3)), 0.0, 0.0, 20).bins) == 9


def test_a_trace_keeps_its_ends_and_is_thinned() -> None:
    trace = plots.trace(np.linspace(-3, 50, 5000, dtype=np.float32))
    assert trace is not None
    assert len(trace.values) == plots.TRACE_POINTS
    assert (trace.values[0], trace.values[-1]) == (-3.0, 50.0)
    assert (trace.low.value, trace.high.value, trace.steps.value) == (-3.0, 50.0, 5000)


def test_a_trace_of_one_step_and_of_none() -> None:
    one = plots.trace(np.array([2.0], np.float32))
    assert one is not None and one.values == (2.0,)
    assert plots.trace(np.zeros(0, np.float32)) is None
