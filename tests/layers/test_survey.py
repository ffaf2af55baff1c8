"""What photos do to all units of a layer at once, against one unit at a time and against plain NumPy."""

from __future__ import annotations

import functools
import math
from pathlib import Path

import numpy as np
import pytest

from tests.convolution import convolve
from tests.measures.setups import circuit_of, save_photos
from tests.network.own_models import functional_model, network_of
from vizengine.layers.selectivity import selectivity, with_chance
from vizengine.layers.survey import EXAMPLES, PER_PHOTO, join, survey, top_places
from vizengine.measures.extremes import photo_extremes
from vizengine.measures.photos import Photo
from vizengine.measures.statistics import SHUFFLES
from vizengine.measures.stimuli import battery
from vizengine.measures.stream import EvidenceSettings, Extremes, Split, stream
from vizengine.measures.tuning import measure_tuning, orientation_selectivity
from vizengine.measures.unit import Forward, UnitMap
from vizengine.network.model import Network

SIZES = [(70, 90), (64, 64), (101, 75), (80, 120), (90, 66), (75, 75), (66, 99)]
LAYERS = ["first", "left", "right", "last", "end"]
ALL = Split(*np.ones((2, len(SIZES)), bool), judges=False)
SPLIT = Split(np.arange(len(SIZES)) % 3 == 1, np.arange(len(SIZES)) % 3 != 1, judges=True)


@pytest.mark.parametrize("layer", LAYERS)
def test_parts_and_bias_make_the_pre_activation(tiny_network: Network, tmp_path: Path, layer: str) -> None:
    found = survey(tiny_network, layer, save_photos(tmp_path, SIZES), ALL)
    bias = tiny_network.weights[layer][1]
    assert 2 * len(SIZES) < found.pre.shape[1] <= PER_PHOTO * len(SIZES)
    there = np.isfinite(found.pre)
    assert there[:, : len(SIZES)].all() and (there[:, 1:] <= there[:, :-1]).all()
    for unit, own in enumerate(there):
        assert (np.diff(found.pre[unit, own]) <= 0).all()
        sums = found.parts[unit, own].sum(axis=-1) + bias[unit]
        np.testing.assert_allclose(sums, found.pre[unit, own], rtol=1e-4, atol=2e-3)


@pytest.mark.parametrize("layer", LAYERS)
def test_all_units_at_once_are_what_each_is_alone(tiny_network: Network, tmp_path: Path, layer: str) -> None:
    photos = save_photos(tmp_path, SIZES)
    _assert_as_alone(tiny_network, layer, photos, range(tiny_network.architecture.channels(layer)))


def _assert_as_alone(network: Network, layer: str, photos: tuple[Photo, ...], units: range) -> None:
    found = survey(network, layer, photos, SPLIT)
    assert (found.shown, found.held_out) == (2, 5)
    field = network.architecture.receptive_field(layer)
    fired = []
    for unit in units:
        forward = Forward(network, circuit_of(network, layer, unit))
        maps = [forward.one(photo.pixels(), index).unit_map for index, photo in enumerate(photos)]
        every = np.concatenate([each.pre.ravel() for each in maps]).astype(np.float64)
        fired.append(np.maximum(every, 0))
        assert found.count == len(every)
        np.testing.assert_allclose(found.mean[unit], every.mean(), rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(found.deviation[unit], every.std(), rtol=1e-4, atol=1e-3)
        assert found.firing[unit] == pytest.approx((every > 0).mean(), abs=2 / len(every))
        # The same places as on the page of the unit alone.
        extremes = Extremes(EXAMPLES, PER_PHOTO, -(-field.size // field.stride))
        alone = functools.reduce(extremes.of_both, (extremes.of(maps[index]) for index in np.flatnonzero(SPLIT.shown)))
        own = found.examples(unit)
        assert len(own) == len(alone)
        np.testing.assert_allclose(found.pre[unit, own], alone.pre, rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(found.parts[unit, own], alone.contributions, rtol=1e-3, atol=1e-2)
        by_photo = [_where_strongest(maps[index]) for index in np.flatnonzero(SPLIT.held_out)]
        np.testing.assert_allclose(found.contributions(unit), np.mean(by_photo, axis=0), rtol=1e-3, atol=1e-2)
    table = np.stack(fired, axis=1)
    scale = np.sqrt((table**2).mean(axis=0)) + 1e-3
    own = slice(units.start, units.stop)
    np.testing.assert_allclose(found.activation[own] / scale, table.mean(axis=0) / scale, atol=1e-3)
    products = table.T @ table / len(table)
    scales = np.outer(scale, scale)
    np.testing.assert_allclose(found.products[own, own] / scales, products / scales, atol=1e-3)


def _where_strongest(unit_map: UnitMap) -> np.ndarray:
    """Mean contributions at the highest 0.5 % of a photo's positions."""
    ordered = sorted(range(unit_map.pre.size), key=lambda place: -unit_map.pre.flat[place])
    inputs = unit_map.contributions.shape[-1]
    places = ordered[: math.ceil(unit_map.pre.size / 200)]
    return unit_map.contributions.reshape(-1, inputs)[places].astype(np.float64).mean(axis=0)


def test_memory_is_that_of_one_photo(tiny_network: Network, tmp_path: Path) -> None:
    photos = save_photos(tmp_path, SIZES)
    one, all_of_them = (survey(tiny_network, "last", photos[:count], ALL) for count in (1, len(SIZES)))
    for name in ("mean", "products", "strongest"):
        assert getattr(one, name).shape == getattr(all_of_them, name).shape
    many = functools.reduce(lambda whole, _: join(whole, all_of_them, whole.held_out), range(9), all_of_them)
    assert many.parts.shape[1] == EXAMPLES and many.held_out == 10 * len(SIZES)
    np.testing.assert_allclose(many.contributions(3), all_of_them.contributions(3))


def test_the_extremes_are_those_that_single_circuits_use(tiny_network: Network, tmp_path: Path) -> None:
    photos = save_photos(tmp_path, SIZES)
    for layer, expected in photo_extremes(tiny_network, (*LAYERS, "input"), photos).items():
        found = survey(tiny_network, layer, photos, ALL).extremes
        assert found.names == expected.names
        for channel in range(len(expected.highest)):
            assert (found.best(channel), found.worst(channel)) == (expected.best(channel), expected.worst(channel))


def test_pre_activations_are_those_of_numpy(tiny_network: Network, tmp_path: Path) -> None:
    (photo,) = save_photos(tmp_path, [(40, 50)])
    prepared = photo.pixels() * 255.0 - np.array([120.0, 110.0, 100.0])
    kernel, bias = tiny_network.weights["first"]
    plain = convolve(prepared.astype(np.float32), kernel, bias, 2, "valid")
    found = survey(tiny_network, "first", [photo], ALL)
    np.testing.assert_allclose(found.pre[:, 0], plain.max(axis=(0, 1)), rtol=1e-4)
    fired = np.maximum(plain.reshape(-1, plain.shape[-1]).astype(np.float64), 0)
    np.testing.assert_allclose(found.activation, fired.mean(axis=0), rtol=1e-3)
    np.testing.assert_allclose(found.products, fired.T @ fired / len(fired), rtol=1e-3)


def test_photos_may_be_shared_out(tiny_network: Network, tmp_path: Path) -> None:
    photos = save_photos(tmp_path, SIZES)
    whole = survey(tiny_network, "last", photos, SPLIT)
    halves = slice(4), slice(4, None)
    first, second = (survey(tiny_network, "last", photos[half], SPLIT.part(half)) for half in halves)
    parts = join(first, second, 4)
    for name in ("pre", "photo", "row", "column", "parts"):
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))
    for name in ("highest", "highest_photo", "lowest", "lowest_photo"):
        np.testing.assert_array_equal(getattr(parts.extremes, name), getattr(whole.extremes, name))
    assert (parts.count, parts.shown, parts.held_out) == (whole.count, whole.shown, whole.held_out)
    np.testing.assert_allclose(parts.strongest, whole.strongest, rtol=1e-10)
    np.testing.assert_allclose(parts.deviation, whole.deviation, rtol=1e-10)
    for name in ("firing", "activation", "products"):
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-10)


def test_no_photos_are_refused(tiny_network: Network) -> None:
    with pytest.raises(ValueError, match="at least one"):
        survey(tiny_network, "last", [], ALL)


def test_selectivity_is_that_of_the_tuning_curves(squeezenet: Network, tmp_path: Path) -> None:
    found = selectivity(squeezenet, "fire2/squeeze1x1")
    photos, settings = save_photos(tmp_path, [(64, 64)]), EvidenceSettings(patches=2)
    for unit in (0, 3, 7):
        forward = Forward(squeezenet, circuit_of(squeezenet, "fire2/squeeze1x1", unit))
        streamed = stream(forward, photos, settings)
        tuning = measure_tuning(forward, streamed, photos, settings)
        alone = {index.name: index.value.value for index in tuning.indices if index.channel == 0}
        orientation = max(alone["orientation selectivity"], alone["crossed orientations"])
        np.testing.assert_allclose(found.orientation[unit], orientation, rtol=1e-3, equal_nan=True)
        np.testing.assert_allclose(found.hue[unit], alone["hue selectivity"], rtol=1e-3, equal_nan=True)


def test_selectivity_by_chance_is_that_of_answers_in_other_orders(squeezenet: Network) -> None:
    found = selectivity(squeezenet, "fire2/squeeze1x1")
    assert (found.gratings, found.colours) == (128, 72)
    for own, chance in ((found.orientation, found.orientation_chance), (found.hue, found.hue_chance)):
        silent = np.isnan(own)
        np.testing.assert_array_equal(silent, np.isnan(chance))
        assert ((chance[~silent] > 0) & (chance[~silent] <= 1)).all()
    gratings = [each for each in battery(20) if each.family == "grating"]
    one = np.array([each.orientation == 45.0 for each in gratings], np.float64)
    # Of answers that don't depend on the orientation, none in any order does.
    phases = np.array([each.phase for each in gratings]) + np.array([each.frequency for each in gratings])
    # One orientation at all phases is beyond any chance; a single answer is not, since any other would do as well.
    single = one * (phases == phases.min())
    own, chance = with_chance(gratings, np.stack([phases, single, *[one] * 9], axis=1), orientation_selectivity)
    np.testing.assert_allclose(own, [0, *[1] * 10], atol=1e-12)
    assert chance[0] == pytest.approx(0, abs=1e-12) and chance[1] == pytest.approx(1) and np.median(chance[2:]) < 0.95
    assert SHUFFLES == 19


@pytest.mark.parametrize("layer", ["stem", "oblong", "tall", "grouped", "wide", "separable", "deep"])
def test_layers_of_any_kind_are_surveyed(tmp_path: Path, layer: str) -> None:
    network = network_of(functional_model(side=None))
    name = next(each.name for each in network.architecture.conv_layers if each.name.split("/")[-1] == layer)
    _assert_as_alone(network, name, save_photos(tmp_path, SIZES), range(2))


@pytest.mark.parametrize(("shape", "reach"), [((20, 17), 4), ((5, 5), 2), ((6, 40), 1), ((4, 3), 9)])
def test_top_places_of_all_channels_are_those_of_each_alone(shape: tuple[int, int], reach: int) -> None:
    pre = np.random.default_rng(0).normal(size=(*shape, 7)).astype(np.float32).round(1)
    rows, columns, values = top_places(pre, 3, reach)
    for channel in range(7):
        nowhere = np.zeros((shape[0], 1), np.int64), np.zeros((shape[1], 1), np.int64)
        unit_map = UnitMap(0, pre[..., channel], np.zeros((*shape, 1)), *nowhere, np.zeros((1, 1, 1)))
        alone = Extremes(3, 3, reach).of(unit_map)
        found = len(alone)
        np.testing.assert_array_equal(rows[channel, :found], alone.row)
        np.testing.assert_array_equal(columns[channel, :found], alone.column)
        np.testing.assert_array_equal(values[channel, :found], alone.pre)
        assert np.isneginf(values[channel, found:]).all()
