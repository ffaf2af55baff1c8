"""Whole photos with the unit's activation over them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.measures.setups import circuit_of, measured, save_photos
from vizengine.figures.pictures import decoded
from vizengine.measures.examples import examples_report, strength
from vizengine.measures.stream import EvidenceSettings
from vizengine.network.model import Network

SMALL = EvidenceSettings(examples=6, sample=400, cluster_examples=24, patches=2, downstream_photos=2)


@pytest.mark.parametrize(("fixture", "layer", "unit"), [("tiny_network", "last", 3), ("vgg19", "block3_conv3", 195)])
def test_the_overlay_lies_where_the_unit_fires(
    fixture: str, layer: str, unit: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Over the middle of each patch the overlay is as opaque as the patch's pre-activation says."""
    network: Network = request.getfixturevalue(fixture)
    circuit = circuit_of(network, layer, unit)
    photos = save_photos(tmp_path, [(120, 84), (90, 130), (64, 64)])
    picture = np.zeros((64, 64, 3), np.uint8)
    examples = measured(network, circuit, photos, picture, SMALL).examples
    reports = examples_report(examples).maps
    assert reports[0].photo == examples.top[0].photo
    by_name = {report.photo: report for report in reports}
    assert by_name.keys() == {example.photo for example in examples.top}
    strongest = max(example.pre for example in examples.top)
    assert strongest > 0
    field = network.architecture.receptive_field(layer)
    for example in examples.top:
        report = by_name[example.photo]
        opacity = np.asarray(decoded(report.overlay).convert("RGBA"), float)[..., 3] / 255
        middle_row, middle_column = example.top + field.size / 2, example.left + field.size / 2
        row = int((middle_row - report.overlay_top) / report.overlay_height * opacity.shape[0])
        column = int((middle_column - report.overlay_left) / report.overlay_width * opacity.shape[1])
        assert opacity[row, column] == pytest.approx(max(example.pre, 0) / strongest, abs=1 / 25)
        assert (example.top, example.left) in {(place.top, place.left) for place in report.places}
    pixels = photos[examples.top[0].photo_index].pixels()
    assert (reports[0].height, reports[0].width) == pixels.shape[:2]
    grey = np.asarray(decoded(reports[0].picture).convert("L"), float)
    np.testing.assert_allclose(grey.mean(), (pixels @ [0.299, 0.587, 0.114] * 255).mean(), atol=3)


def test_a_unit_that_never_fires_has_an_empty_overlay() -> None:
    assert not strength(np.full((3, 4), -2.0, np.float32), -2.0).any()
    assert strength(np.array([[-1.0, 2.0, 4.0]], np.float32), 4.0).tolist() == [[0.0, 0.5, 1.0]]
