"""What photos do to all units of a layer at once, against one unit at a time and against plain NumPy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.evidence.setups import circuit_of, save_photos
from tests.reference.convolution import convolve
from vizengine.evidence.examples import cut_examples
from vizengine.evidence.forward import Forward
from vizengine.evidence.photo_best import photo_extremes
from vizengine.evidence.selectivity import selectivity
from vizengine.evidence.survey import survey
from vizengine.evidence.survey_model import join
from vizengine.evidence.tuning import tune
from vizengine.networks.network import Network

SIZES = [(70, 90), (64, 64), (101, 75), (80, 120), (90, 66), (75, 75), (66, 99)]
LAYERS = ["first", "left", "right", "last", "end"]


@pytest.mark.parametrize("layer", LAYERS)
def test_parts_and_bias_make_the_pre_activation(tiny_network: Network, tmp_path: Path, layer: str) -> None:
    found = survey(tiny_network, layer, save_photos(tmp_path, SIZES))
    bias = tiny_network.weights[layer][1]
    assert found.pre.shape[1] == 6
    assert (np.diff(found.pre, axis=1) <= 0).all()
    np.testing.assert_allclose(found.parts.sum(axis=-1) + bias[:, None], found.pre, rtol=1e-4, atol=2e-3)


@pytest.mark.parametrize("layer", LAYERS)
def test_all_units_at_once_are_what_each_is_alone(tiny_network: Network, tmp_path: Path, layer: str) -> None:
    photos = save_photos(tmp_path, SIZES)
    found = survey(tiny_network, layer, photos)
    for unit in range(tiny_network.architecture.channels(layer)):
        forward = Forward(tiny_network, circuit_of(tiny_network, layer, unit))
        maps = [forward.one(photo.pixels(), index).unit_map for index, photo in enumerate(photos)]
        every = np.concatenate([each.pre.ravel() for each in maps]).astype(np.float64)
        assert found.count == len(every)
        np.testing.assert_allclose(found.mean[unit], every.mean(), rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(found.deviation[unit], every.std(), rtol=1e-4, atol=1e-3)
        assert found.firing[unit] == pytest.approx((every > 0).mean(), abs=2 / len(every))
        best = sorted((float(each.pre.max()) for each in maps), reverse=True)[:6]
        np.testing.assert_allclose(found.pre[unit], best, rtol=1e-4, atol=1e-3)
        for place in range(6):
            row, column = int(found.row[unit, place]), int(found.column[unit, place])
            alone = maps[int(found.photo[unit, place])].contributions[row, column]
            np.testing.assert_allclose(found.parts[unit, place], alone, rtol=1e-3, atol=1e-2)


def test_the_extremes_are_those_that_single_circuits_use(tiny_network: Network, tmp_path: Path) -> None:
    photos = save_photos(tmp_path, SIZES)
    for layer in (*LAYERS, "input"):
        expected, found = photo_extremes(tiny_network, layer, photos), survey(tiny_network, layer, photos).extremes
        assert found.names == expected.names
        np.testing.assert_array_equal(found.values, expected.values)
        np.testing.assert_array_equal(found.lowest, expected.lowest)


def test_pre_activations_are_those_of_numpy(tiny_network: Network, tmp_path: Path) -> None:
    (photo,) = save_photos(tmp_path, [(40, 50)])
    prepared = photo.pixels() * 255.0 - np.array([120.0, 110.0, 100.0])
    kernel, bias = tiny_network.weights["first"]
    plain = convolve(prepared.astype(np.float32), kernel, bias, 2, "valid")
    found = survey(tiny_network, "first", [photo])
    np.testing.assert_allclose(found.pre[:, 0], plain.max(axis=(0, 1)), rtol=1e-4)


def test_photos_may_be_shared_out(tiny_network: Network, tmp_path: Path) -> None:
    photos = save_photos(tmp_path, SIZES)
    whole = survey(tiny_network, "last", photos)
    parts = join(survey(tiny_network, "last", photos[:4]), survey(tiny_network, "last", photos[4:]), 4)
    for name in ("pre", "photo", "row", "column", "parts"):
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))
    np.testing.assert_array_equal(parts.extremes.values, whole.extremes.values)
    assert parts.count == whole.count
    np.testing.assert_allclose(parts.deviation, whole.deviation, rtol=1e-10)
    np.testing.assert_allclose(parts.firing, whole.firing, rtol=1e-10)


def test_no_photos_are_refused(tiny_network: Network) -> None:
    with pytest.raises(ValueError, match="at least one"):
        survey(tiny_network, "last", [])


def test_selectivity_is_that_of_the_tuning_curves(squeezenet: Network, tmp_path: Path) -> None:
    found = selectivity(squeezenet, "fire2/squeeze1x1")
    photos = save_photos(tmp_path, [(64, 64)])
    for unit in (0, 3, 7):
        forward = Forward(squeezenet, circuit_of(squeezenet, "fire2/squeeze1x1", unit))

        examples = cut_examples(
            squeezenet.architecture,
            "fire2/squeeze1x1",
            photos,
            forward.one(photos[0].pixels()).unit_map.at(np.arange(2)),
        )
        width = 1 + len(forward.channels)
        tuning = tune(forward, np.zeros(width), np.ones(width), photos, examples)
        alone = {index.name: index.value.mean for index in tuning.indices if index.channel == 0}
        np.testing.assert_allclose(found.orientation[unit], alone["orientation selectivity"], rtol=1e-3, equal_nan=True)
        np.testing.assert_allclose(found.hue[unit], alone["hue selectivity"], rtol=1e-3, equal_nan=True)
