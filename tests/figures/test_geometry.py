from __future__ import annotations

import numpy as np
import pytest

from vizengine.figures import drawing as geometry
from vizengine.figures.quantities import histogram


@pytest.mark.parametrize(
    ("value", "colour"),
    [
        (0.0, "#ffffff"),
        (2.0, "#ca0020"),
        (-2.0, "#0571b0"),
        (1.0, "#f4a582"),
        (-1.0, "#92c5de"),
        (9.0, "#ca0020"),
        (-9.0, "#0571b0"),
    ],
)
def test_colours_of_weights(value: float, colour: str) -> None:
    assert geometry.diverging(value, 2.0) == colour


def test_a_scale_of_zero_is_white() -> None:
    assert geometry.diverging(0.0, 0.0) == "#ffffff"


def test_small_weights_are_told_apart_by_their_sign() -> None:
    red = geometry.diverging(0.05, 1.0)
    blue = geometry.diverging(-0.05, 1.0)
    assert red[5:] < red[1:3] and blue[1:3] < blue[5:]


def test_arrows_start_at_their_tiles_and_never_cross() -> None:
    arrows = geometry.arrows([0.5, 0.4, 0.3, 0.2, 0.1, 0.05])
    starts = [float(arrow.line.split("C")[0].split()[1]) for arrow in arrows]
    ends = [float(arrow.line.split()[-1]) for arrow in arrows]
    assert starts == [50 + 114 * place for place in range(6)]
    assert ends == sorted(ends)
    assert [float(arrow.width) for arrow in arrows] == sorted((float(arrow.width) for arrow in arrows), reverse=True)


@pytest.mark.parametrize("norms", [[], [0.0], [0.0, 0.0], [1.0] * 40])
def test_arrows_of_unusual_circuits(norms: list[float]) -> None:
    assert len(geometry.arrows(norms)) == len(norms)


def test_bars_are_as_high_as_their_counts() -> None:
    made = histogram(np.array([0.1, 0.1, 0.1, 0.1, 0.9, 0.9]), 0.0, 1.0, 4)
    bars = geometry.bars(made.bins, 4, 100.0)
    assert [float(bar.height) for bar in bars] == [100.0, 50.0]
    assert [float(bar.y) for bar in bars] == [0.0, 50.0]


def test_labels_are_kept_apart_in_their_order() -> None:
    positions = [99.0, 98.5, 98.0, 40.0, 1.0]
    places = geometry.spread(positions, 5.0)
    assert places[0] > places[1] > places[2] > places[3] > places[4]
    assert all(2.5 <= place <= 97.5 for place in places)
    gaps = [one - other for one, other in zip(places, places[1:], strict=False)]
    assert min(gaps) >= 5.0 - 1e-9


def test_more_labels_than_there_is_room_for_stay_inside() -> None:
    places = geometry.spread([50.0] * 60, 5.0)
    assert min(places) >= 0 and max(places) <= 100


def test_a_curve_runs_from_left_to_right_and_upwards() -> None:
    assert geometry.polyline([0.0, 5.0, 10.0], 0.0, 10.0, 100.0, 50.0) == "0,50 50,25 100,0"
    assert geometry.polyline([3.0], 3.0, 3.0, 100.0, 50.0) == "0,50"


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "1"), (0.125, "0.12"), (-0.001, "0"), (100.0, "100"), (-2.5, "-2.5")]
)
def test_coordinates_are_short(value: float, text: str) -> None:
    assert geometry.number(value) == text
