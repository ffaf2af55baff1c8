"""Coordinates and colours of the drawings."""

from __future__ import annotations

import numpy as np
import pytest

from tests.page import example
from vizengine.figures import drawing
from vizengine.figures.quantities import histogram


@pytest.mark.parametrize(
    ("value", "scale", "colour"),
    [
        (0.0, 2.0, "#ffffff"),
        (2.0, 2.0, "#ca0020"),
        (-2.0, 2.0, "#0571b0"),
        (1.0, 2.0, "#f4a582"),
        (-1.0, 2.0, "#92c5de"),
        (9.0, 2.0, "#ca0020"),
        (-9.0, 2.0, "#0571b0"),
        (0.0, 0.0, "#ffffff"),
    ],
)
def test_colours_of_weights(value: float, scale: float, colour: str) -> None:
    assert drawing.diverging(value, scale) == colour


def test_small_weights_are_told_apart_by_their_sign() -> None:
    red, blue = drawing.diverging(0.05, 1.0), drawing.diverging(-0.05, 1.0)
    assert red[5:] < red[1:3] and blue[1:3] < blue[5:]


def test_arrows_start_at_their_tiles_and_never_cross() -> None:
    arrows = drawing.arrows([0.5, 0.4, 0.3, 0.2, 0.1, 0.05])
    starts = [float(arrow.line.split("C")[0].split()[1]) for arrow in arrows]
    ends = [float(arrow.line.split()[-1]) for arrow in arrows]
    widths = [float(arrow.width) for arrow in arrows]
    assert starts == [50 + 114 * place for place in range(6)]
    assert ends == sorted(ends) and widths == sorted(widths, reverse=True)
    for norms in ([], [0.0], [0.0, 0.0], [1.0] * 40):
        assert len(drawing.arrows(norms)) == len(norms)


def test_bars_are_as_high_as_their_counts() -> None:
    bins = histogram([0.1, 0.1, 0.1, 0.1, 0.9, 0.9], 0.0, 1.0, 4).bins
    bars = drawing.bars(bins, 4, 100.0)
    assert [(float(bar.height), float(bar.y)) for bar in bars] == [(100.0, 0.0), (50.0, 50.0)]


def test_labels_are_kept_apart_in_their_order_inside_the_axis() -> None:
    places = drawing.spread([99.0, 98.5, 98.0, 40.0, 1.0], 5.0)
    assert np.diff(places).max() <= -5.0 + 1e-9 and all(2.5 <= place <= 97.5 for place in places)
    crowded = drawing.spread([50.0] * 60, 5.0)
    assert min(crowded) >= 0 and max(crowded) <= 100


def test_curves_run_from_left_to_right_and_upwards() -> None:
    assert drawing.polyline([0.0, 5.0, 10.0], 0.0, 10.0, 100.0, 50.0) == "0,50 50,25 100,0"
    assert drawing.polyline([3.0], 3.0, 3.0, 100.0, 50.0) == "0,50"
    assert [drawing.logarithmic(count, 100) for count in (1, 10, 100)] == pytest.approx([0, 50, 100])
    assert drawing.logarithmic(1, 1) == 50
    assert drawing.curve((1, 10, 100), (0.0, 0.5, -3.0), 300, 100) == "0,100 150,50 300,100"


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "1"), (0.125, "0.12"), (-0.001, "0"), (100.0, "100"), (-2.5, "-2.5")]
)
def test_coordinates_are_short(value: float, text: str) -> None:
    assert drawing.number(value) == text


def test_parts_of_a_stacked_bar_lie_side_by_side() -> None:
    report = example.report()
    effects = report.evidence.effects
    axis = drawing.bar_axis(effects, report.bias)
    for bar in effects.bars:
        parts = [(str(place), value) for place, value in enumerate((report.bias, *bar.inputs, bar.others))]
        pieces = [(float(piece.x), float(piece.width)) for piece in drawing.stacked(parts, axis)]
        assert all(x >= -0.01 and x + width <= 100.02 for x, width in pieces)
        ends = sorted((x, x + width) for x, width in pieces if width)
        for (_, end), (start, _) in zip(ends, ends[1:], strict=False):
            assert start == pytest.approx(end, abs=0.03)
