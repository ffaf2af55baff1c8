"""Contributions, ablations and faithfulness against maps that are changed and convolved again, in plain NumPy."""

from __future__ import annotations

import math
from collections.abc import Collection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.convolution import convolve
from tests.measures.setups import REAL, circuit_of, save_split
from vizengine.measures.ablations import Ablations, measure_ablations
from vizengine.measures.by_photo import Drive, Interval
from vizengine.measures.contributions import Contributions, effect, effects_report, measure_contributions
from vizengine.measures.faithfulness import Curve, first_from, joint_order, measure_faithfulness
from vizengine.measures.inputs import analyse
from vizengine.measures.photos import Photo
from vizengine.measures.stream import EvidenceSettings, Streamed, stream
from vizengine.measures.unit import Forward, Positions
from vizengine.network.architecture import SourceChannel
from vizengine.network.model import Network

CASES = [("tiny_network", "last", 3), ("tiny_network", "first", 2), REAL[0]]
# Small photos, so that many positions read the padding, where a mean isn't the kernel's sum.
SHOWN = [(48, 40), (36, 52), (60, 44)]
HELD_OUT = [(44, 40), (36, 56), (60, 40), (52, 52), (40, 40), (33, 61), (48, 36), (56, 44)]
# Student's t for 7 degrees of freedom at 97.5 %, from a table.
T_7 = 2.36462


class Setting:
    """A unit, its photos and what streaming them gave."""

    def __init__(self, network: Network, layer: str, unit: int, photos: tuple[Photo, ...]) -> None:
        self.network = network
        self.layer = layer
        self.unit = unit
        self.photos = photos
        self.circuit = circuit_of(network, layer, unit)
        self.forward = Forward(network, self.circuit)
        self.streamed: Streamed = stream(self.forward, photos, EvidenceSettings(examples=6, sample=400))
        self.held_out = [index for index, photo in enumerate(photos) if photo.held_out]
        self.below = [self.forward.one(photo.pixels()).below.astype(np.float64) for photo in photos]
        self.whole = self.brute(range(len(self.circuit.inputs)))
        self.strongest = [
            np.argsort(-values, axis=None)[: math.ceil(0.005 * values.size)] if photo.held_out else np.zeros(0, int)
            for values, photo in zip(self.whole, photos, strict=True)
        ]

    def ablations(self, seed: int = 0) -> Ablations:
        settings = EvidenceSettings(seed=seed, control_draws=16)
        return measure_ablations(self.circuit, self.forward, self.streamed, settings)

    def brute(self, keep: Collection[int]) -> list[np.ndarray]:
        """The unit's map on each photo, all channels but `keep` at their mean on the map that feeds the layer."""
        kernel, bias = self.network.weights[self.layer]
        spec = self.network.architecture.layer(self.layer)
        unit = slice(self.unit, self.unit + 1)
        maps = []
        for below in self.below:
            changed = below.copy()
            for channel in set(range(below.shape[-1])) - set(keep):
                changed[..., channel] = self.streamed.activation_mean[channel]
            maps.append(convolve(changed, kernel[..., unit], bias[unit], spec.stride, spec.padding)[..., 0])
        return maps

    def changes(self, *channels: int) -> np.ndarray:
        """(held-out photos,) mean change where the unit is strongest, with these channels at their mean."""
        changed = self.brute(set(range(len(self.circuit.inputs))) - set(channels))
        apart = [(changed[index] - self.whole[index]).ravel()[self.strongest[index]] for index in self.held_out]
        return np.array([values.mean() for values in apart])


def at(maps: list[np.ndarray], positions: Positions) -> np.ndarray:
    places = zip(positions.photo, positions.row, positions.column, strict=True)
    return np.array([maps[photo][row, column] for photo, row, column in places])


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def setting(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Setting:
    fixture, layer, unit = request.param
    network: Network = request.getfixturevalue(fixture)
    return Setting(network, layer, unit, save_split(tmp_path_factory.mktemp("photos"), SHOWN, HELD_OUT))


def test_an_ablation_equals_changed_maps_of_held_out_photos(setting: Setting) -> None:
    found = setting.ablations()
    channels = [channel.index for channel in setting.circuit.strongest]
    scale = max(float(np.abs(values).max()) for values in setting.whole)
    cases = [*zip(found.single[:2], [[channel] for channel in channels[:2]], strict=True), (found.together, channels)]
    for interval, changed in cases:
        changes = setting.changes(*changed)
        assert interval.photos == len(changes) == 8
        assert interval.value == pytest.approx(changes.mean(), rel=1e-3, abs=1e-4 * scale)
        # Photos that count alike have Student's interval.
        reach = T_7 * changes.std(ddof=1) / math.sqrt(8)
        assert interval.high - interval.value == pytest.approx(reach, rel=1e-3, abs=1e-4 * scale)
        assert interval.value - interval.low == pytest.approx(reach, rel=1e-3, abs=1e-4 * scale)


def test_controls_are_seeded_others_of_like_norm(setting: Setting) -> None:
    circuit, found = setting.circuit, setting.ablations()
    top = {channel.index for channel in circuit.strongest}
    assert not top & set(found.control_pool)
    np.testing.assert_array_equal(found.control_together, setting.ablations().control_together)
    others = len(circuit.inputs) - len(top)
    assert len(found.control_together) == (16 if others else 0)
    if others >= 3 * len(top):
        ranks = [circuit.inputs[index].rank for index in found.control_pool]
        assert sorted(ranks) == list(range(len(top) + 1, 4 * len(top) + 1))
        assert not np.array_equal(found.control_together, setting.ablations(1).control_together)
        assert np.ptp(found.control_together) > 0
    elif others:
        # All that there are, whatever the draw.
        expected = setting.changes(*found.control_pool).mean() if others <= len(top) else None
        if expected is not None:
            np.testing.assert_allclose(found.control_together, expected, rtol=1e-3)


def test_faithfulness_equals_kept_channels_on_held_out_photos(setting: Setting) -> None:
    streamed = setting.streamed
    found = measure_faithfulness(setting.circuit, setting.forward, streamed, EvidenceSettings(random_orders=3))
    sample = streamed.sample.take(np.flatnonzero(np.isin(streamed.sample.photo, setting.held_out)))
    assert 0 < found.positions == len(sample) < len(streamed.sample)
    assert found.by_norm.order.tolist() == [channel.index for channel in setting.circuit.ranked]
    assert found.by_contribution.order.tolist() == np.argsort(-streamed.contribution_size, kind="stable").tolist()
    assert sorted(found.jointly.order.tolist()) == list(range(len(setting.circuit.inputs)))
    whole = sample.pre.astype(np.float64)
    for curve in (found.by_norm, found.by_contribution, found.jointly):
        last = curve.correlations.interval(len(curve.order) - 1)
        assert last.value == pytest.approx(1) and last.low > 0.999 and curve.explained[-1] == pytest.approx(1)
        for k in {1, min(3, len(setting.circuit.inputs))}:
            kept = at(setting.brute(curve.order[:k].tolist()), sample)
            interval = curve.correlations.interval(k - 1)
            assert interval.value == pytest.approx(np.corrcoef(whole, kept)[0, 1], abs=1e-3)
            explained = 1 - np.square(whole - kept).sum() / np.square(whole - whole.mean()).sum()
            assert curve.explained[k - 1] == pytest.approx(explained, rel=1e-3, abs=1e-3)
            if k == len(setting.circuit.inputs):
                continue
            without = []
            for index in setting.held_out:
                rest = sample.photo != index
                without.append(math.atanh(np.corrcoef(whole[rest], kept[rest])[0, 1]))
            reach = T_7 * math.sqrt(7 / 8 * np.square(np.array(without) - np.mean(without)).sum())
            z = math.atanh(interval.value)
            assert (interval.low, interval.high) == pytest.approx(
                (math.tanh(z - reach), math.tanh(z + reach)), abs=2e-3
            )


def _greedy(contributions: np.ndarray) -> list[int]:
    """Inputs by the variance of the whole that is left, every one tried at every step."""
    whole, order = contributions.sum(axis=1), list[int]()
    for _ in range(contributions.shape[1]):
        rest = [channel for channel in range(contributions.shape[1]) if channel not in order]
        left = [np.var(whole - contributions[:, [*order, channel]].sum(axis=1)) for channel in rest]
        order.append(rest[int(np.argmin(left))])
    return order


@pytest.mark.parametrize("seed", range(6))
def test_the_joint_order_equals_trying_every_input(seed: int) -> None:
    generator = np.random.default_rng(seed)
    mixed = generator.normal(size=(9, 9)) * generator.gamma(1, 1, 9)
    contributions = (generator.normal(size=(60, 9)) @ mixed + generator.normal(0, 5, 9)).astype(np.float32)
    assert joint_order(contributions).tolist() == _greedy(contributions.astype(np.float64))


def test_the_joint_order_is_chosen_on_shown_photos(setting: Setting) -> None:
    streamed = setting.streamed
    found = measure_faithfulness(setting.circuit, setting.forward, streamed, EvidenceSettings(random_orders=1))
    shown = ~np.isin(streamed.sample.photo, setting.held_out)
    assert found.jointly.order[:4].tolist() == _greedy(streamed.sample.contributions[shown].astype(np.float64))[:4]


@pytest.mark.parametrize("positions", [0, 1])
def test_an_order_is_chosen_without_a_word_where_nothing_varies(
    positions: int, recwarn: pytest.WarningsRecorder
) -> None:
    assert joint_order(np.ones((positions, 4), np.float32)).tolist() == [0, 1, 2, 3]
    assert not list(recwarn)


def _curve_of(contributions: np.ndarray, photo: np.ndarray) -> Curve:
    """Inputs in their order, whose activations are 0 on average, all photos being held out."""
    positions, inputs = contributions.shape
    none = np.zeros(positions, np.int64)
    sample = Positions(
        photo=photo,
        row=none,
        column=none,
        pre=contributions.sum(axis=1),
        contributions=contributions,
        inside=np.ones((positions, 1, 1), bool),
        fields=np.zeros((positions, 1, 1, 1), np.float32),
    )
    photos = np.ones(int(photo.max()) + 1, bool)
    split = SimpleNamespace(shown=photos, held_out=photos, groups=np.arange(len(photos)))
    streamed: Any = SimpleNamespace(
        split=split, sample=sample, activation_mean=np.zeros(inputs), contribution_size=np.zeros(inputs)
    )
    circuit: Any = SimpleNamespace(ranked=[SimpleNamespace(index=index) for index in range(inputs)], top=1)
    forward: Any = SimpleNamespace(kernel=np.zeros((1, 1, inputs), np.float32))
    return measure_faithfulness(circuit, forward, streamed, EvidenceSettings(random_orders=1)).by_norm


def test_one_photo_says_nothing_of_others() -> None:
    contributions = np.random.default_rng(5).normal(size=(400, 2)).astype(np.float32)
    alone = _curve_of(contributions, np.zeros(400, np.int64)).correlations.interval(0)
    assert (alone.low, alone.high) == (-1, 1) and 0.5 < alone.value < 0.9


def test_a_constant_unit_has_no_correlation() -> None:
    flat = np.tile(np.array([1.0, -2.0, 0.5], np.float32), (50, 1))
    found = _curve_of(flat, np.repeat(np.arange(10), 5))
    assert np.isnan(found.correlations.value).all() and found.needed_correlation == (None, None)
    assert np.isnan(found.explained).all()


def test_first_from_looks_at_what_stays() -> None:
    assert first_from(np.array([0.95, 0.5, 0.91, 0.99]), 0.9) == 3
    assert first_from(np.array([0.95, 0.96]), 0.9) == 1
    assert first_from(np.array([0.95, 0.8]), 0.9) is None


def test_an_input_excites_or_inhibits_by_over_5_percent_of_the_drive() -> None:
    assert effect(Interval(0.2, 0.06, 0.4, 9)) == "excites" and effect(Interval(-0.2, -0.4, -0.06, 9)) == "inhibits"
    assert effect(Interval(0.2, 0.04, 0.4, 9)) == effect(Interval(-0.2, -0.4, -0.04, 9)) == ""
    assert effect(Interval(0.2, -math.inf, math.inf, 1)) == effect(Interval(math.nan, -math.inf, math.inf, 0)) == ""


@pytest.mark.parametrize(
    ("sign", "share", "finding"),
    [
        ("excitatory", 0.3, "supported"),
        ("excitatory", -0.3, "contradicted"),
        ("inhibitory", -0.3, "supported"),
        ("inhibitory", 0.3, "contradicted"),
        ("inhibitory", 0.0, "undecided"),
        ("excitatory", 0.04, "undecided"),
        ("mixed", 0.3, "undecided"),
    ],
)
def test_a_label_is_held_against_the_contribution(sign: str, share: float, finding: str) -> None:
    kernel = np.zeros((3, 3, 2, 1), np.float32)
    kernel[..., 0, 0] = {"excitatory": 1.0, "inhibitory": -1.0, "mixed": 0.0}[sign]
    if sign == "mixed":
        kernel[:, :, 0, 0] = [[-1, -1, -1], [-1, 100, -1], [-1, -1, -1]]
    sources = [SourceChannel("below", index, f"below:{index}") for index in range(2)]
    circuit = analyse("layer", 0, kernel, np.zeros(1, np.float32), sources, 1)
    by_photo = np.random.default_rng(0).normal([share, 1 - share], 0.003, (12, 2))
    drive = Drive(np.ones(12), by_photo, True)
    parts, nothing = np.zeros((1, 2), np.float32), Interval(0.0, 0.0, 0.0, 12)
    contributions = Contributions(0.0, parts[:, 0], parts, drive, drive.mean, np.arange(2), 2, np.zeros(2), np.ones(2))
    ablations = Ablations((nothing,), nothing, np.zeros(0), ())
    (found,) = effects_report(contributions, ablations, np.zeros((1, 3, 3, 1), np.float32), circuit).inputs
    assert circuit.strongest[0].sign == sign and found.finding == finding
    assert found.share and found.share_low and found.share_high
    assert float(found.share.value) == pytest.approx(100 * by_photo[:, 0].sum() / by_photo.sum())


def test_drive_and_tail_equal_sums_over_held_out_photos(setting: Setting) -> None:
    found = measure_contributions(setting.forward, setting.streamed)
    assert found.drive.held_out and found.bias == setting.circuit.bias
    reached = [setting.whole[index].ravel()[setting.strongest[index]].mean() for index in setting.held_out]
    assert found.mean.sum() + found.bias == pytest.approx(np.mean(reached), rel=1e-4, abs=1e-4)
    sizes = sorted(np.abs(found.mean), reverse=True)
    assert found.tail_length == next(k for k in range(1, len(sizes) + 1) if sum(sizes[:k]) >= 0.9 * sum(sizes))
    assert np.abs(found.mean)[found.order].tolist() == sizes
    np.testing.assert_array_equal(found.pre, setting.streamed.top.pre)
    np.testing.assert_allclose(found.parts.sum(1) + found.bias, found.pre, rtol=1e-3, atol=1e-3)


def test_with_few_photos_the_drive_is_not_held_out(tiny_network: Network, tmp_path: Path) -> None:
    photos = save_split(tmp_path, SHOWN, HELD_OUT[:7])
    forward = Forward(tiny_network, circuit_of(tiny_network, "last", 3))
    found = measure_contributions(forward, stream(forward, photos, EvidenceSettings()))
    assert not found.drive.held_out and found.drive.photos.sum() == 10
