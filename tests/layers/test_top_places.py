"""The top places of all channels at once are those that `Extremes` finds for each alone."""

from __future__ import annotations

import numpy as np
import pytest

from vizengine.layers.survey import top_places
from vizengine.measures.stream import Extremes
from vizengine.measures.unit import UnitMap


@pytest.mark.parametrize(("shape", "reach"), [((20, 17), 4), ((5, 5), 2), ((6, 40), 1), ((4, 3), 9)])
def test_all_at_once_are_what_each_is_alone(shape: tuple[int, int], reach: int) -> None:
    pre = np.random.default_rng(0).normal(size=(*shape, 7)).astype(np.float32).round(1)
    rows, columns, values = top_places(pre, 3, reach)
    for channel in range(7):
        alone = Extremes(3, 3, reach).of(
            UnitMap(
                0,
                pre[..., channel],
                np.zeros((*shape, 1), np.float32),
                np.zeros((shape[0], 1), np.int64),
                np.zeros((shape[1], 1), np.int64),
                np.zeros((1, 1, 1), np.float32),
            )
        )
        found = len(alone)
        np.testing.assert_array_equal(rows[channel, :found], alone.row)
        np.testing.assert_array_equal(columns[channel, :found], alone.column)
        np.testing.assert_array_equal(values[channel, :found], alone.pre)
        assert np.isneginf(values[channel, found:]).all()
