"""The report of a real unit against what was computed of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vizengine import Analysis
from vizengine.page.report import UNIT_PIXELS, Report
from vizengine.pictures.view import feature


def test_every_input_has_the_figures_of_its_slice_by_rank(analysis: Analysis) -> None:
    report = analysis.report
    assert len(analysis.circuit.inputs) == 64 and [channel.rank for channel in report.inputs] == list(range(1, 65))
    for channel in report.inputs:
        measured = analysis.input(channel.index)
        for name in ("total", "positive_count", "negative_count", "positive_mass", "negative_mass"):
            assert getattr(channel, name).value == getattr(measured, name), name
        for name in ("rank", "sign", "by_count", "by_mass"):
            assert getattr(channel, name) == getattr(measured, name), name
    assert [strong.slice for strong in report.strongest] == list(report.inputs[:6])
    for strong in report.strongest:
        assert (strong.feature.layer, strong.feature.channel) == (strong.slice.layer, strong.slice.channel)


def test_totals_count_what_is_shown(analysis: Analysis) -> None:
    totals, strongest = analysis.report.totals, analysis.report.strongest
    assert (totals.inputs.value, totals.shown.value, totals.coefficients.value) == (64, 6, 1)
    for sign in ("excitatory", "inhibitory", "mixed"):
        assert getattr(totals, sign).value == sum(strong.slice.sign == sign for strong in strongest)
    assert totals.pictures.value == 7
    squares = [channel.norm**2 for channel in analysis.circuit.ranked]
    assert totals.share.value == pytest.approx(100 * sum(squares[:6]) / sum(squares))
    assert sum(channel.share.value for channel in analysis.report.inputs) == pytest.approx(100)


def test_histograms_count_every_value_once_on_one_scale(analysis: Analysis) -> None:
    report, scale = analysis.report, analysis.report.kernel_scale.value
    rows = [row for strong in report.strongest for row in strong.slice.kernel.rows]
    assert scale == max(abs(cell.value) for row in rows for cell in row)
    assert sum(bar.count.value for bar in report.norms.bins) == 64
    for strong in report.strongest:
        assert sum(bar.count.value for bar in strong.histogram.bins) == 1
        assert (strong.histogram.low.value, strong.histogram.high.value) == (-scale, scale)


def test_a_picture_is_no_larger_than_the_page_can_use(analysis: Analysis) -> None:
    large = replace(analysis.unit, image=np.zeros((1024, 1024, 3), np.uint8))
    assert feature(large, "a", "unit", UNIT_PIXELS).picture.width == UNIT_PIXELS


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"converged": True, "reached": 900.0, "photo_best": 300.0}, "one image that drives the channel"),
        ({"converged": False, "reached": 200.0, "photo_best": 300.0}, "don't read much into it"),
        ({"converged": False, "reached": 900.0, "photo_best": 300.0}, "still rising"),
        ({"converged": True, "photo_best": float("-inf"), "photo_best_name": ""}, "no photo to compare with"),
    ],
)
def test_verdicts_in_words(analysis: Analysis, changes: dict[str, object], words: str) -> None:
    found = feature(replace(analysis.unit, **changes), "a", "unit", 64)  # type: ignore[arg-type]
    assert words in found.explanation
    assert (found.verdict == "not converged") == ("did not converge" in found.picture.alt)
    assert (found.ratio is None) == ("photo_best_name" in changes)


def test_the_config_is_kept_as_data_and_gives_the_title(published: Report, analysis: Analysis) -> None:
    assert published.title == "SqueezeNet 1.1 fire2/squeeze1x1 unit 3"
    assert published.config["unit"] == {"layer": "fire2/squeeze1x1", "index": 3}
    assert analysis.report == published
