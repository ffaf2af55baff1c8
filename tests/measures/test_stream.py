"""Streaming against everything in memory at once."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.measures.setups import circuit_of, save_photos
from vizengine.measures.examples import OUTSIDE, cut_examples, field_start, near_quantile
from vizengine.measures.photos import Photo, Photos
from vizengine.measures.stream import (
    Counts,
    EvidenceSettings,
    Extremes,
    PhotoPart,
    Sample,
    identity,
    sampling_rate,
    stream,
)
from vizengine.measures.unit import Forward, PooledMap, Positions, UnitMap
from vizengine.network.model import Network
from vizengine.network.probes import Probe

SIZES = [(40, 52), (64, 33), (90, 90), (70, 120), (32, 32)]


def _brute_top(maps: list[np.ndarray], count: int, per_photo: int, reach: int, sign: int) -> list[tuple[int, int, int]]:
    """Sort every position of every photo, and take each that no better one of its photo overlaps."""
    ordered = [
        (-sign * float(values[row, column]), photo, row, column)
        for photo, values in enumerate(maps)
        for row in range(values.shape[0])
        for column in range(values.shape[1])
    ]
    taken: list[tuple[int, int, int]] = []
    for _, photo, row, column in sorted(ordered):
        same = [place for place in taken if place[0] == photo]
        if len(same) < per_photo and all(max(abs(row - r), abs(column - c)) >= reach for _, r, c in same):
            taken.append((photo, row, column))
    return taken[:count]


def _pooled(values: np.ndarray, step: int) -> np.ndarray:
    rows, columns = range(0, values.shape[0], step), range(0, values.shape[1], step)
    return np.array([[values[row : row + step, column : column + step].max() for column in columns] for row in rows])


def _places(positions: Positions) -> list[tuple[int, int, int]]:
    return list(zip(positions.photo.tolist(), positions.row.tolist(), positions.column.tolist(), strict=True))


@pytest.mark.parametrize(
    ("fixture", "layer", "unit", "samples"),
    [
        ("tiny_network", "left", 1, False),
        ("tiny_network", "last", 3, False),
        ("squeezenet", "fire4/expand3x3", 23, True),
    ],
)
def test_stream_equals_brute_force(
    fixture: str, layer: str, unit: int, samples: bool, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    network: Network = request.getfixturevalue(fixture)
    photos = Photos("samples", Path()).found[:4] if samples else save_photos(tmp_path, SIZES)
    circuit = circuit_of(network, layer, unit)
    settings = EvidenceSettings(examples=7, per_photo=3, sample=300)
    calls: list[int] = []
    groups = np.random.default_rng(0).random((len(circuit.inputs), 2))
    streamed = stream(Forward(network, circuit), photos, settings, groups, calls.append)
    assert calls == [1] * len(photos)

    probe = Probe(network, layer, [unit])
    maps = [probe.numpy(photo.pixels()[None])[0, ..., 0] for photo in photos]
    field = network.architecture.receptive_field(layer)
    reach = -(-field.size // field.stride)
    assert _places(streamed.top) == _brute_top(maps, 7, 3, reach, 1)
    assert _places(streamed.bottom) == _brute_top(maps, 7, 3, reach, -1)
    assert _places(streamed.peaks) == _brute_top(maps, 32, 1, reach, 1)
    pre = np.concatenate([values.ravel() for values in maps]).astype(np.float64)
    scale = np.abs(pre).max()
    assert streamed.distribution.count == pre.size
    assert streamed.distribution.mean == pytest.approx(pre.mean(), abs=1e-5 * scale)
    assert streamed.distribution.deviation == pytest.approx(pre.std(), rel=1e-4)
    assert streamed.distribution.positive_share == pytest.approx((pre > 0).mean(), abs=2 / pre.size)
    for key, values in streamed.maps.items():
        np.testing.assert_allclose(values.pre, _pooled(maps[key], values.step), rtol=1e-3, atol=1e-5 * scale)
        assert max(values.pre.shape) <= 96 and (values.height, values.width) == photos[key].pixels().shape[:2]
    assert set(streamed.maps) == {photo for photo, _, _ in _places(streamed.top)}

    below = [
        np.asarray(
            network.model_upto(network.architecture.layer(layer).inputs[0])(network.prepare(photo.pixels()[None]))
        )
        for photo in photos
    ]
    activations = np.concatenate([values.reshape(-1, values.shape[-1]) for values in below]).astype(np.float64)
    np.testing.assert_allclose(streamed.activation_mean, activations.mean(0), rtol=1e-4)
    for group, (value, photo) in zip(groups.T, streamed.group_best, strict=True):
        highest = [float((values[0] @ group).max()) for values in below]
        assert photo == int(np.argmax(highest)) and value == pytest.approx(max(highest), rel=1e-4)
    channel = circuit.strongest[0]
    source = Probe(network, channel.source_layer, [channel.source_channel])
    driven = np.concatenate([source.numpy(photo.pixels()[None]).ravel() for photo in photos]).astype(np.float64)
    assert streamed.maker_mean[0] == pytest.approx(driven.mean(), rel=1e-4, abs=1e-5 * np.abs(driven).max())
    assert streamed.maker_deviation[0] == pytest.approx(driven.std(), rel=1e-4)


@pytest.mark.parametrize(
    ("fixture", "layer", "unit"),
    [("tiny_network", "left", 1), ("tiny_network", "last", 3), ("vgg19", "block3_conv3", 195)],
)
def test_what_the_kernel_reads_times_the_kernel_is_the_contribution(
    fixture: str, layer: str, unit: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    network: Network = request.getfixturevalue(fixture)
    circuit = circuit_of(network, layer, unit)
    photos = save_photos(tmp_path, SIZES)
    streamed = stream(Forward(network, circuit), photos, EvidenceSettings(sample=500))
    edges = 0
    for positions in (streamed.top, streamed.bottom, streamed.sample):
        edges += int((~positions.inside).any(axis=(1, 2)).sum())
        for place, channel in enumerate(circuit.strongest):
            summed = np.einsum("nhw,hw->n", positions.fields[..., place].astype(np.float64), channel.kernel)
            scale = np.abs(positions.contributions).max()
            np.testing.assert_allclose(summed, positions.contributions[:, channel.index], atol=1e-5 * scale)
    assert edges > 0 or circuit.strongest[0].kernel.size == 1


def test_contribution_means_over_photos_equal_all_positions(tiny_network: Network, tmp_path: Path) -> None:
    photos = save_photos(tmp_path, SIZES)
    forward = Forward(tiny_network, circuit_of(tiny_network, "last", 3))
    streamed = stream(forward, photos, EvidenceSettings())
    contributions = np.concatenate(
        [forward.one(photo.pixels()).unit_map.contributions.reshape(-1, 9) for photo in photos]
    )
    np.testing.assert_allclose(streamed.contribution_mean, contributions.mean(0, dtype=np.float64), rtol=1e-6)
    np.testing.assert_allclose(streamed.contribution_size, np.abs(contributions).mean(0, dtype=np.float64), rtol=1e-6)
    # The sample is larger than all positions, so it's all of them.
    assert len(streamed.sample) == len(contributions)
    np.testing.assert_allclose(streamed.sample.contributions.sum(0), contributions.sum(0), rtol=1e-3, atol=1e-2)


def _maps(count: int, seed: int = 0) -> list[UnitMap]:
    generator = np.random.default_rng(seed)
    maps = []
    for photo in range(count):
        down, across = generator.integers(1, 12, 2)
        pre = generator.integers(-9, 9, (down, across)).astype(np.float32)
        rows, columns = np.zeros((down, 3), np.int64), np.zeros((across, 3), np.int64)
        maps.append(UnitMap(photo, pre, pre[..., None], rows, columns, np.zeros((1, 1, 2), np.float32)))
    return maps


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("count", "per_photo", "reach"), [(5, 2, 3), (40, 5, 1), (9, 1, 30)])
def test_extremes_with_ties_equal_brute_force_in_any_order(sign: int, count: int, per_photo: int, reach: int) -> None:
    maps = _maps(30)
    expected = _brute_top([unit_map.pre for unit_map in maps], count, per_photo, reach, sign)
    extremes = Extremes(count, per_photo, reach, sign)
    for order in (maps, maps[::-1]):
        assert _places(functools.reduce(extremes.of_both, map(extremes.of, order))) == expected


def _drawn(sample: Sample, maps: list[UnitMap]) -> Positions:
    return functools.reduce(sample.of_both, map(sample.of, maps)).positions


def test_the_sample_does_not_depend_on_the_order_and_is_even() -> None:
    maps = _maps(200)
    drawn = _drawn(Sample(500, 4), maps)
    assert _places(drawn) == _places(_drawn(Sample(500, 4), maps[::-1]))
    assert len(set(_places(drawn))) == 500
    first_half = sum(unit_map.pre.size for unit_map in maps[:100]) / sum(unit_map.pre.size for unit_map in maps)
    assert np.mean(drawn.photo < 100) == pytest.approx(first_half, abs=4 * np.sqrt(0.25 / 500))
    assert _places(_drawn(Sample(500, 5), maps)) != _places(drawn)


def test_histogram_counts_exactly_in_any_order() -> None:
    generator = np.random.default_rng(1)
    parts = [generator.normal(0, 10.0**power, 400) for power in (-2, 1, 3, 0)]
    results = []
    for order in (parts, parts[::-1]):
        results.append(functools.reduce(operator.add, map(Counts.of, order)).distribution())
    values = np.concatenate(parts)
    for spread in results:
        counts, _ = np.histogram(values, spread.edges)
        np.testing.assert_array_equal(spread.counts, counts)
        assert 24 <= len(spread.counts) <= 96 and spread.counts.sum() == values.size
        assert (spread.minimum, spread.maximum) == (values.min(), values.max())
        assert np.isclose(spread.edges, 0).any()
        assert spread.mean == pytest.approx(values.mean()) and spread.deviation == pytest.approx(values.std())
    np.testing.assert_array_equal(results[0].edges, results[1].edges)


@pytest.mark.parametrize("value", [0.0, -3.25, 1e6])
def test_histogram_of_a_constant_has_one_bin(value: float) -> None:
    spread = Counts.of(np.full((3, 4), value, np.float32)).distribution()
    assert spread.counts.tolist() == [12] and spread.deviation == 0 and spread.edges[0] <= value < spread.edges[1]


def test_what_is_remembered_of_each_photo_gives_the_same(tiny_network: Network, tmp_path: Path) -> None:
    """Parts kept from an earlier run serve a later one with more photos, whatever place a photo has among them."""
    photos = save_photos(tmp_path, SIZES)
    settings = EvidenceSettings(examples=7, sample=300)
    forward = Forward(tiny_network, circuit_of(tiny_network, "last", 3))
    parts: dict[tuple[str, float], PhotoPart] = {}
    computed: list[str] = []

    def remember(photo: Photo, rate: float, compute: Callable[[], PhotoPart]) -> PhotoPart:
        key = (photo.name, rate)
        if key not in parts:
            computed.append(photo.name)
            parts[key] = compute()
        return parts[key]

    expected = stream(forward, photos, settings)
    stream(forward, photos[1:], settings, remember=remember)
    assert len(computed) == 4
    again = stream(forward, photos, settings, remember=remember)
    assert len(computed) == 5 and computed[-1] == photos[0].name
    for name in ("top", "bottom", "many", "peaks", "sample"):
        one, other = getattr(again, name), getattr(expected, name)
        assert _places(one) == _places(other)
        np.testing.assert_array_equal(one.contributions, other.contributions)
    np.testing.assert_array_equal(again.distribution.counts, expected.distribution.counts)


def test_a_part_is_small_however_many_photos_there_are() -> None:
    rates = [sampling_rate(8192, positions) for positions in (100, 10_240, 10_241, 200_000, 1e9)]
    assert rates[:3] == [1.0, 1.0, 1.0] and rates[3] == 2.0**-4
    assert 8192 * 1.25 <= 1e9 * rates[4] <= 8192 * 2.5


def test_the_sample_at_a_rate_is_that_of_all_positions() -> None:
    maps = _maps(200)
    rate = sampling_rate(500, sum(unit_map.pre.size for unit_map in maps))
    assert rate < 1 and _places(_drawn(Sample(500, 4, rate), maps)) == _places(_drawn(Sample(500, 4), maps))


def test_maps_keep_their_highest_positions() -> None:
    values = np.random.default_rng(0).normal(size=(130, 97)).astype(np.float32)
    pooled = PooledMap.of(values, 520, 388)
    assert pooled.step == 2 and pooled.pre.shape == (65, 49)
    np.testing.assert_array_equal(pooled.pre, _pooled(values, 2))
    assert PooledMap.of(values[:96, :96], 384, 384).step == 1


def test_an_identity_is_of_the_content() -> None:
    pixels = np.random.default_rng(0).random((6, 4, 3), np.float32)
    assert identity(pixels) == identity(pixels.copy())
    assert len({identity(pixels), identity(pixels.reshape(4, 6, 3)), identity(pixels[::-1])}) == 3


def test_crops_are_what_the_unit_saw(squeezenet: Network) -> None:
    """The crop alone, put on a canvas, drives the unit as the whole photo does."""
    photos = Photos("samples", Path()).found[:3]
    forward = Forward(squeezenet, circuit_of(squeezenet, "fire4/expand3x3", 23))
    streamed = stream(forward, photos, EvidenceSettings(examples=9))
    examples = cut_examples(squeezenet.architecture, "fire4/expand3x3", photos, streamed.top)
    whole = [example for example in examples if not (example.crop == OUTSIDE).all(-1).any()]
    assert len(examples) == 9 and len(whole) >= 5
    canvas = forward.canvas
    assert canvas.side == canvas.size
    centres = forward.centres(np.stack([example.crop for example in whole]).astype(np.float32) / 255)[:, 0]
    np.testing.assert_allclose(centres, [example.pre for example in whole], rtol=2e-3)


def test_a_photo_smaller_than_the_receptive_field_is_grey_outside(vgg19: Network, tmp_path: Path) -> None:
    (photo,) = save_photos(tmp_path, [(33, 35)])
    streamed = stream(Forward(vgg19, circuit_of(vgg19, "block3_conv3", 195)), [photo], EvidenceSettings())
    (example,) = cut_examples(vgg19.architecture, "block3_conv3", [photo], streamed.top.take(np.array([0])))
    assert example.crop.shape == (40, 40, 3)
    pixels = (photo.pixels() * 255).round().astype(np.uint8)
    for row in range(40):
        for column in range(40):
            y, x = example.top + row, example.left + column
            inside = 0 <= y < 33 and 0 <= x < 35
            expected = pixels[y, x] if inside else [OUTSIDE] * 3
            assert (example.crop[row, column] == expected).all()
    assert field_start(vgg19.architecture, "block3_conv3", 33, 35) == (-18, -18)


def test_quantile_rows_are_near_their_value_and_from_different_photos() -> None:
    sample = _drawn(Sample(2000, 0), _maps(100))
    for quantile in (0.1, 0.5, 0.99):
        value, chosen = near_quantile(sample, quantile, 6)
        assert value == np.quantile(sample.pre, quantile)
        assert len(set(sample.photo[chosen].tolist())) == 6
        assert np.abs(sample.pre[chosen] - value).max() <= 1
    few = sample.take(np.flatnonzero(sample.photo == sample.photo[0]))
    assert len(near_quantile(few, 0.5, 6)[1]) == min(6, len(few))


def test_no_photos_is_said(tiny_network: Network) -> None:
    photos: tuple[Photo, ...] = ()
    with pytest.raises(ValueError, match="at least one"):
        stream(Forward(tiny_network, circuit_of(tiny_network, "last", 3)), photos, EvidenceSettings())
