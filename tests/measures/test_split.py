"""What is shown and what held out, and what comes of the held-out photos, against maps in plain NumPy."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.convolution import convolve
from tests.measures.setups import circuit_of, save_photos, save_split
from vizengine.measures.by_photo import Drive
from vizengine.measures.photos import Photo
from vizengine.measures.shuffled import measure_shuffled
from vizengine.measures.statistics import SHUFFLES
from vizengine.measures.stream import (
    FEWEST_HELD_OUT,
    EvidenceSettings,
    Split,
    Streamed,
    Strongest,
    shuffled_kernels,
    stream,
)
from vizengine.measures.unit import Forward
from vizengine.network.model import Network

SHOWN = [(64, 48), (90, 90), (40, 70), (72, 72)]
HELD_OUT = [(60, 52), (64, 33), (90, 90), (70, 80), (36, 40), (64, 64), (48, 96), (90, 40), (52, 52)]
CASES = [("tiny_network", "last", 3), ("tiny_network", "left", 1), ("squeezenet", "fire3/expand3x3", 40)]


def _split(*held_out: bool) -> Split:
    photos: Any = [SimpleNamespace(held_out=value) for value in held_out]
    return Split.of(photos)


class Setting:
    """A unit on photos of which enough are held out, and its inputs on each of them, unrolled by hand."""

    def __init__(self, network: Network, layer: str, unit: int, photos: tuple[Photo, ...]) -> None:
        self.photos = photos
        self.circuit = circuit_of(network, layer, unit)
        self.forward = Forward(network, self.circuit)
        self.streamed: Streamed = stream(self.forward, photos, EvidenceSettings(seed=4))
        self.kernel = network.weights[layer][0][..., unit].astype(np.float64)
        self.bias = float(network.weights[layer][1][unit])
        self.held_out = [index for index, photo in enumerate(photos) if photo.held_out]
        self.shown = [index for index, photo in enumerate(photos) if not photo.held_out]
        self.windows, self.inside = {}, {}
        spec, size = network.architecture.layer(layer), self.kernel.size
        every = np.eye(size).reshape(*self.kernel.shape, size)
        for index in self.held_out:
            pixels = photos[index].pixels()
            below = np.asarray(network.model_upto(spec.inputs[0])(network.prepare(pixels[None])))[0]
            for unrolled, values in ((self.windows, below), (self.inside, np.ones_like(below))):
                read = convolve(values, every, np.zeros(size), spec.stride, spec.padding)
                unrolled[index] = read.reshape(-1, *self.kernel.shape)

    def parts(self, index: int, kernel: np.ndarray) -> np.ndarray:
        """(positions, inputs) what each input gives a unit with that kernel, over a held-out photo."""
        return (self.windows[index] * kernel).sum(axis=(1, 2))

    def at_strongest(self, index: int, kernel: np.ndarray) -> np.ndarray:
        """The positions at which such a unit is strongest."""
        pre = self.parts(index, kernel).sum(axis=1)
        return np.argsort(-pre)[: math.ceil(0.005 * len(pre))]


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def setting(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Setting:
    fixture, layer, unit = request.param
    network: Network = request.getfixturevalue(fixture)
    return Setting(network, layer, unit, save_split(tmp_path_factory.mktemp("photos"), SHOWN, HELD_OUT))


def test_enough_held_out_photos_judge_and_the_others_are_shown() -> None:
    held_out = [True, False, True] * 4
    found = _split(*held_out)
    assert found.judges and found.held_out.tolist() == held_out
    assert found.shown.tolist() == [not value for value in held_out]


@pytest.mark.parametrize("held_out", [[True] * 7 + [False] * 9, [True] * 12, [False] * 12, [True]])
def test_with_too_few_of_either_all_serve_for_both_and_judge_nothing(held_out: list[bool]) -> None:
    found = _split(*held_out)
    assert FEWEST_HELD_OUT == 8 and not found.judges
    assert found.shown.all() and found.held_out.all() and len(found.shown) == len(held_out)


def test_groups_are_of_like_size_and_at_most_64() -> None:
    held_out = np.random.default_rng(0).random(240) < 0.7
    groups = _split(*held_out.tolist()).groups
    assert (groups[~held_out] == -1).all()
    sizes = np.bincount(groups[held_out])
    assert len(sizes) == 64 and np.ptp(sizes) == 1
    assert sorted(_split(*[True, False] * 9).groups.tolist()) == [-1] * 9 + list(range(9))


def test_what_is_looked_at_comes_from_shown_photos(setting: Setting) -> None:
    given = setting.streamed
    assert given.split.judges
    for positions in (given.top, given.bottom, given.many, given.shown_patches):
        assert len(positions) and set(positions.photo.tolist()) <= set(setting.shown)
    assert set(given.judged_patches.photo.tolist()) <= set(setting.held_out)
    assert set(given.sample.photo.tolist()) == set(range(len(setting.photos)))


def test_with_few_photos_all_are_looked_at_and_measured(tiny_network: Network, tmp_path: Path) -> None:
    photos = save_photos(tmp_path, HELD_OUT[:4])
    given = stream(Forward(tiny_network, circuit_of(tiny_network, "last", 3)), photos, EvidenceSettings())
    assert not given.split.judges and given.strongest.photos.tolist() == [1, 1, 1, 1]
    assert set(given.top.photo.tolist()) == {0, 1, 2, 3}


def test_the_unit_is_strongest_at_each_held_out_photos_highest_half_percent(setting: Setting) -> None:
    given = setting.streamed.strongest
    assert given.photos.tolist() == [1] * len(HELD_OUT)
    for group, index in enumerate(setting.held_out):
        places = setting.at_strongest(index, setting.kernel)
        expected = setting.parts(index, setting.kernel)[places].mean(axis=0)
        scale = np.abs(expected).max()
        np.testing.assert_allclose(given.contributions[group], expected, rtol=1e-4, atol=1e-5 * scale)
        inside = setting.inside[index][places].mean(axis=0)[..., 0]
        np.testing.assert_allclose(given.inside[group], inside, atol=1e-7)
    drive = Drive(given.photos, given.contributions, True)
    highest = [
        np.sort(setting.parts(index, setting.kernel).sum(axis=1))[-len(setting.at_strongest(index, setting.kernel)) :]
        for index in setting.held_out
    ]
    assert drive.mean.sum() == pytest.approx(np.mean([values.mean() for values in highest]), rel=1e-4)


def test_each_shuffled_unit_is_measured_where_it_is_itself_strongest(setting: Setting) -> None:
    given = setting.streamed.strongest
    kernels = shuffled_kernels(setting.forward.kernel, 4).astype(np.float64)
    for group, index in enumerate(setting.held_out):
        for draw, kernel in enumerate(kernels):
            expected = setting.parts(index, kernel)[setting.at_strongest(index, kernel)].mean(axis=0)
            scale = np.abs(expected).max()
            np.testing.assert_allclose(given.shuffled[group, draw], expected, rtol=1e-4, atol=1e-4 * scale)
    drives = measure_shuffled(setting.streamed).drives
    assert len(drives) == SHUFFLES and all(drive.held_out for drive in drives)
    np.testing.assert_allclose(drives[3].mean, given.shuffled[:, 3].mean(axis=0))


def test_shuffled_units_are_correlated_with_their_strongest_inputs(setting: Setting) -> None:
    """Where a photo has at most 128 positions that read no padding, all of them count."""
    unpadded = {index: np.flatnonzero(setting.inside[index].all(axis=(1, 2, 3))) for index in setting.held_out}
    if max(map(len, unpadded.values())) > 128:
        assert (setting.streamed.strongest.sums[:, 0] <= 128).all()
        return
    kernels = shuffled_kernels(setting.forward.kernel, 4).astype(np.float64)
    found = measure_shuffled(setting.streamed).correlations
    for draw in (0, 7):
        parts = np.concatenate([setting.parts(index, kernels[draw])[places] for index, places in unpadded.items()])
        norms = np.sqrt((kernels[draw] ** 2).sum(axis=(0, 1)))
        order = np.argsort(-norms, kind="stable")
        for k in (1, 4):
            expected = np.corrcoef(parts.sum(axis=1), parts[:, order[:k]].sum(axis=1))[0, 1]
            assert found.value[draw, k - 1] == pytest.approx(expected, abs=1e-4)


def test_the_patch_of_a_photo_is_the_highest_whose_canvas_it_holds(setting: Setting) -> None:
    given, forward = setting.streamed.judged_patches, setting.forward
    expected = {}
    for index in setting.held_out:
        inside = forward.holds_canvas(*setting.photos[index].pixels().shape[:2]).ravel()
        if inside.any():
            pre = setting.parts(index, setting.kernel).sum(axis=1) + setting.bias
            expected[index] = np.where(inside, pre, -np.inf).max()
    assert expected and given.photo.tolist() == sorted(expected, key=lambda index: -expected[index])
    scale = np.abs(list(expected.values())).max()
    for index, pre in zip(given.photo.tolist(), given.pre.tolist(), strict=True):
        assert pre == pytest.approx(expected[index], rel=1e-3, abs=1e-4 * scale)


def test_shuffling_keeps_each_slices_norm_and_sum() -> None:
    kernel = np.random.default_rng(0).normal(size=(3, 3, 7)).astype(np.float32)
    found = shuffled_kernels(kernel, 0)
    assert found.shape == (SHUFFLES, 3, 3, 7)
    for draw in found:
        np.testing.assert_allclose(draw.sum(axis=(0, 1)), kernel.sum(axis=(0, 1)), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(np.square(draw).sum(axis=(0, 1)), np.square(kernel).sum(axis=(0, 1)), rtol=1e-5)
        for channel in range(7):
            assert sorted(draw[..., channel].ravel()) == sorted(kernel[..., channel].ravel())
        # Slices are shuffled apart from each other.
        moved = [np.argsort(draw[..., channel].ravel()).tolist() for channel in range(7)]
        was = [np.argsort(kernel[..., channel].ravel()).tolist() for channel in range(7)]
        assert len({tuple(np.argsort(one)[other]) for one, other in zip(was, moved, strict=True)}) > 1
    assert len({draw.tobytes() for draw in found}) == SHUFFLES
    np.testing.assert_array_equal(found, shuffled_kernels(kernel, 0))
    assert not np.array_equal(found, shuffled_kernels(kernel, 1))


def test_a_kernel_of_one_place_is_shuffled_among_its_inputs() -> None:
    kernel = np.arange(12, dtype=np.float32).reshape(1, 1, 12)
    found = shuffled_kernels(kernel, 0)
    assert all(sorted(draw.ravel().tolist()) == list(range(12)) for draw in found)
    assert any(draw.ravel().tolist() != list(range(12)) for draw in found)


def test_photos_of_one_group_add_up() -> None:
    generator = np.random.default_rng(0)
    one, other = (
        Strongest(*(generator.normal(size=shape) for shape in ((1,), (1, 3), (1, 3, 3), (1, 2, 3), (1, 6, 2, 3))))
        for _ in range(2)
    )
    together, beside = one + other, Strongest.joined([one, other])
    for name in ("photos", "contributions", "inside", "shuffled", "sums"):
        np.testing.assert_allclose(getattr(together, name), getattr(one, name) + getattr(other, name))
        np.testing.assert_array_equal(getattr(beside, name)[1:], getattr(other, name))
