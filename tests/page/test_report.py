from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from tests.page import example
from vizengine.page.report import UNIT_PIXELS, Report, build


@pytest.fixture(scope="module")
def report() -> Report:
    return example.report()


def test_every_input_has_the_figures_of_its_slice(report: Report) -> None:
    channels = {channel.index: channel for channel in example.circuit().inputs}
    assert len(report.inputs) == len(channels) == 256
    for each in report.inputs:
        channel = channels[each.index]
        assert np.array_equal(np.array([[cell.value for cell in row] for row in each.kernel.rows]), channel.kernel)
        assert each.norm.value == channel.norm
        assert each.total.value == channel.total
        assert (each.positive_count.value, each.negative_count.value) == (
            channel.positive_count,
            channel.negative_count,
        )
        assert (each.positive_mass.value, each.negative_mass.value) == (channel.positive_mass, channel.negative_mass)
        assert (each.rank, each.sign, each.by_count, each.by_mass) == (
            channel.rank, channel.sign, channel.by_count, channel.by_mass
        )  # fmt: skip


def test_inputs_come_by_rank_and_the_strongest_are_the_first_of_them(report: Report) -> None:
    assert [each.rank for each in report.inputs] == list(range(1, 257))
    assert [strong.slice for strong in report.strongest] == list(report.inputs[:6])


def test_each_strong_input_has_the_picture_of_its_own_channel(report: Report) -> None:
    for strong in report.strongest:
        assert (strong.feature.layer, strong.feature.channel) == (strong.slice.layer, strong.slice.channel)
        expected = example.visualization(
            strong.slice.layer, strong.slice.channel, strong.feature.verdict == "converged"
        )
        assert strong.feature.reached is not None
        assert strong.feature.reached.value == expected.reached


def test_counts_of_the_claim(report: Report) -> None:
    signs = [strong.slice.sign for strong in report.strongest]
    totals = report.totals
    assert (totals.inputs.value, totals.shown.value, totals.coefficients.value) == (256, 6, 9)
    assert totals.excitatory.value == signs.count("excitatory")
    assert totals.inhibitory.value == signs.count("inhibitory")
    assert totals.mixed.value == signs.count("mixed")
    assert (totals.pictures.value, totals.converged.value) == (7, 6)
    squares = [channel.norm**2 for channel in example.circuit().ranked]
    assert totals.share.value == pytest.approx(100 * sum(squares[:6]) / sum(squares))
    assert sum(float(each.share.value) for each in report.inputs) == pytest.approx(100)


def test_one_colour_scale_reaches_to_the_largest_coefficient_shown(report: Report) -> None:
    shown = [abs(cell.value) for strong in report.strongest for row in strong.slice.kernel.rows for cell in row]
    assert report.kernel_scale.value == max(shown)


def test_histograms_count_every_value_once(report: Report) -> None:
    assert sum(int(each.count.value) for each in report.norms.bins) == 256
    for strong in report.strongest:
        assert sum(int(each.count.value) for each in strong.histogram.bins) == 9
        below = sum(int(each.count.value) for each in strong.histogram.bins if each.high.value <= 0)
        assert below == strong.slice.negative_count.value
        assert (strong.histogram.low.value, strong.histogram.high.value) == (
            -report.kernel_scale.value, report.kernel_scale.value
        )  # fmt: skip


def test_pictures_are_the_ones_given(report: Report) -> None:
    encoded = report.feature.picture.source.partition(",")[2]
    decoded = np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGB"), np.float32)
    given = example.blobs(195).astype(np.float32)
    assert decoded.shape == given.shape
    assert np.abs(decoded - given).mean() < 4


def test_a_picture_is_no_larger_than_the_page_can_use() -> None:
    of = example.circuit(inputs=8)
    section = example.section(siblings=())
    report = build(
        section,
        example.network(),
        of,
        example.pictures(of, size=1024),
        example.unit_study(),
        example.measured(of),
        example.VERSIONS,
    )
    assert (report.feature.picture.width, report.feature.picture.height) == (UNIT_PIXELS, UNIT_PIXELS)
    assert report.strongest[0].feature.picture.width == 256


def test_verdicts_in_words(report: Report) -> None:
    assert "can be read as what the channel looks for" in report.feature.explanation
    doubtful = report.strongest[3].feature
    assert doubtful.verdict == "not converged"
    assert "don't read much into it" in doubtful.explanation
    assert "did not converge" in doubtful.picture.alt
    assert doubtful.ratio is not None and doubtful.ratio.value < 1


def test_a_search_that_was_still_rising_is_called_a_draft() -> None:
    of = example.circuit(inputs=8)
    pictures = example.pictures(of, (8, 11))
    key = (of.layer, of.unit)
    pictures[key] = type(pictures[key])(**{**vars(pictures[key]), "converged": False})
    report = build(
        example.section(),
        example.network(),
        of,
        pictures,
        example.unit_study(),
        example.measured(of),
        example.VERSIONS,
    )
    assert "still rising" in report.feature.explanation


def test_colours_of_the_image_need_no_search() -> None:
    report = example.first_layer_report()
    assert [strong.feature.verdict for strong in report.strongest] == ["exact"] * 3
    assert report.totals.pictures.value == 1
    assert {strong.slice.label for strong in report.strongest} == {"red", "green", "blue"}


def test_without_photos_nothing_is_compared() -> None:
    feature = example.first_layer_report().feature
    assert feature.photo_best is None
    assert feature.ratio is None
    assert "no photo to compare with" in feature.explanation


def test_a_title_is_made_where_the_config_has_none() -> None:
    assert example.first_layer_report().title == "VGG19 conv1 unit 4, random weights"


def test_the_config_section_is_kept_as_data(report: Report) -> None:
    assert report.config == example.section().model_dump(mode="json")


def test_equal_input_gives_an_equal_report(report: Report) -> None:
    assert example.report() == report


def test_a_missing_picture_is_an_error() -> None:
    of = example.circuit(inputs=8)
    with pytest.raises(KeyError):
        build(
            example.section(),
            example.network(),
            of,
            {},
            example.unit_study(),
            example.measured(of),
            example.VERSIONS,
        )
