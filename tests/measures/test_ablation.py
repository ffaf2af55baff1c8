"""Ablations and faithfulness against maps that are really changed and convolved again, in plain NumPy."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.convolution import convolve
from tests.measures.setups import REAL, circuit_of, noise, save_photos
from vizengine.measures.ablations import Ablations, measure_ablations, sign_verdict
from vizengine.measures.contributions import measure_contributions
from vizengine.measures.faithfulness import Curve, first_from, measure_faithfulness
from vizengine.measures.photos import Photo
from vizengine.measures.statistics import estimate
from vizengine.measures.stream import EvidenceSettings, Streamed, stream
from vizengine.measures.unit import Forward, Positions
from vizengine.network.model import Network

CASES = [("tiny_network", "last", 3), ("tiny_network", "first", 2), REAL[0]]


class Setting:
    """A unit, its photos and what streaming them gave."""

    def __init__(self, network: Network, layer: str, unit: int, photos: tuple[Photo, ...]) -> None:
        self.network = network
        self.layer = layer
        self.unit = unit
        self.photos = photos
        self.circuit = circuit_of(network, layer, unit)
        self.forward = Forward(network, self.circuit)
        self.streamed: Streamed = stream(self.forward, photos, EvidenceSettings(examples=6, sample=120))
        picture = self.forward.one(noise(48, 48, 9)).unit_map
        self.picture = picture.at(np.arange(picture.pre.size))

    def ablations(self, seed: int = 0) -> Ablations:
        settings = EvidenceSettings(seed=seed, control_draws=16)
        return measure_ablations(self.circuit, self.forward, self.streamed, self.picture, settings)

    def brute(self, keep: Collection[int], put: np.ndarray) -> list[np.ndarray]:
        """The unit's map on each photo, all channels but `keep` replaced by `put` on the map that feeds the layer."""
        kernel, bias = self.network.weights[self.layer]
        spec = self.network.architecture.layer(self.layer)
        unit = slice(self.unit, self.unit + 1)
        maps = []
        for photo in self.photos:
            below = self.forward.one(photo.pixels()).below.astype(np.float64)
            for channel in set(range(below.shape[-1])) - set(keep):
                below[..., channel] = put[channel]
            maps.append(convolve(below, kernel[..., unit], bias[unit], spec.stride, spec.padding)[..., 0])
        return maps


def at(maps: list[np.ndarray], positions: Positions) -> np.ndarray:
    places = zip(positions.photo, positions.row, positions.column, strict=True)
    return np.array([maps[photo][row, column] for photo, row, column in places])


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def setting(request: pytest.FixtureRequest, tmp_path: Path) -> Setting:
    fixture, layer, unit = request.param
    network: Network = request.getfixturevalue(fixture)
    # Small photos, so that many positions read the padding, where a mean isn't the kernel's sum.
    return Setting(network, layer, unit, save_photos(tmp_path, [(48, 40), (36, 52), (60, 44)]))


@pytest.mark.parametrize("to_mean", [False, True])
def test_ablation_equals_a_changed_map(setting: Setting, to_mean: bool) -> None:
    streamed, found = setting.streamed, setting.ablations()
    channels = len(setting.circuit.inputs)
    put = streamed.activation_mean if to_mean else np.zeros(channels)
    whole = setting.brute(range(channels), put)
    for ablation in (*found.single[:2], found.together, *found.control[:1]):
        maps = setting.brute(set(range(channels)) - set(ablation.channels), put)
        effects = ablation.to_mean if to_mean else ablation.to_zero
        for positions, effect in ((streamed.top, effects.examples), (streamed.sample, effects.photos)):
            changes = at(maps, positions) - at(whole, positions)
            scale = float(np.abs(positions.pre).max())
            assert effect.mean == pytest.approx(changes.mean(), rel=1e-3, abs=1e-4 * scale)
            assert effect.deviation == pytest.approx(changes.std(ddof=1), rel=1e-3, abs=1e-4 * scale)
            assert effect.count == len(changes)


def test_picture_effects_are_minus_contributions(setting: Setting) -> None:
    found = setting.ablations()
    parts = setting.picture.contributions.astype(np.float64)
    peak = int(np.argmax(setting.picture.pre))
    for ablation in found.single:
        (channel,) = ablation.channels
        assert ablation.to_zero.picture.mean == pytest.approx(-parts[:, channel].mean(), rel=1e-6, abs=1e-6)
        assert ablation.to_zero.picture_peak == pytest.approx(-parts[peak, channel])


def test_controls_are_seeded_others_of_like_norm(setting: Setting) -> None:
    circuit = setting.circuit
    found = setting.ablations()
    top = {channel.index for channel in circuit.strongest}
    assert not top & set(found.control_pool)
    others = len(circuit.inputs) - len(top)
    assert len(found.control) == min(len(top), others)
    assert found.control == setting.ablations().control
    if others >= 3 * len(top):
        assert len(found.control_pool) == 3 * len(top)
        ranks = [circuit.inputs[index].rank for index in found.control_pool]
        assert sorted(ranks) == list(range(len(top) + 1, 4 * len(top) + 1))
        assert found.control != setting.ablations(1).control
        assert len(found.control_together) == 16 and np.ptp(found.control_together) > 0


def test_faithfulness_equals_kept_channels(setting: Setting) -> None:
    streamed = setting.streamed
    found = measure_faithfulness(setting.circuit, setting.forward, streamed, EvidenceSettings(random_orders=3))
    assert found.by_norm.order.tolist() == [channel.index for channel in setting.circuit.ranked]
    assert found.by_contribution.order.tolist() == np.argsort(-streamed.contribution_size, kind="stable").tolist()
    whole = streamed.sample.pre.astype(np.float64)
    for curve in (found.by_norm, found.by_contribution):
        assert curve.correlation[-1] == pytest.approx(1) and curve.explained[-1] == pytest.approx(1)
        for k in {1, min(3, len(setting.circuit.inputs))}:
            kept = at(setting.brute(curve.order[:k].tolist(), streamed.activation_mean), streamed.sample)
            assert curve.correlation[k - 1] == pytest.approx(np.corrcoef(whole, kept)[0, 1], abs=1e-3)
            explained = 1 - np.square(whole - kept).sum() / np.square(whole - whole.mean()).sum()
            assert curve.explained[k - 1] == pytest.approx(explained, rel=1e-3, abs=1e-3)
            assert curve.low[k - 1] <= curve.correlation[k - 1] + 0.05
        assert (curve.low <= curve.high + 1e-12).all()


def _curve_of(contributions: np.ndarray, photo: np.ndarray) -> Curve:
    """Inputs in their order, whose activations are 0 on average."""
    positions, inputs = contributions.shape
    inside = np.ones((positions, 1, 1), bool)
    streamed = SimpleNamespace(
        sample=SimpleNamespace(contributions=contributions, photo=photo, inside=inside),
        activation_mean=np.zeros(inputs),
        contribution_size=np.zeros(inputs),
    )
    circuit = SimpleNamespace(ranked=[SimpleNamespace(index=index) for index in range(inputs)], top=1)
    forward = SimpleNamespace(kernel=np.zeros((1, 1, inputs), np.float32))
    return measure_faithfulness(circuit, forward, streamed, EvidenceSettings(random_orders=1)).by_norm


def test_intervals_redraw_photos() -> None:
    """Against a bootstrap that really puts the positions of drawn photos together."""
    generator = np.random.default_rng(5)
    photo = np.repeat(np.arange(8), 50)
    slope = generator.normal(1, 0.6, 8)[photo]
    first, second = generator.normal(size=400), generator.normal(size=400)
    contributions = np.stack([first * slope, second], axis=1).astype(np.float32)
    found = _curve_of(contributions, photo)
    whole = contributions.sum(1, dtype=np.float64)
    drawn = []
    for _ in range(3000):
        rows = np.concatenate([np.flatnonzero(photo == each) for each in generator.integers(0, 8, 8)])
        drawn.append(np.corrcoef(whole[rows], contributions[rows, 0])[0, 1])
    low, high = np.quantile(drawn, (0.025, 0.975))
    assert found.low[0] == pytest.approx(low, abs=0.04) and found.high[0] == pytest.approx(high, abs=0.04)
    alone = _curve_of(contributions, np.zeros(400, int))
    assert alone.low[0] == -1 and alone.high[0] == 1


def test_a_constant_unit_has_no_correlation() -> None:
    flat = np.tile(np.array([1.0, -2.0, 0.5], np.float32), (50, 1))
    found = _curve_of(flat, np.zeros(50, int))
    assert np.isnan(found.correlation).all() and found.needed_correlation == (None, None)


def test_first_from_looks_at_what_stays() -> None:
    assert first_from(np.array([0.95, 0.5, 0.91, 0.99]), 0.9) == 3
    assert first_from(np.array([0.95, 0.96]), 0.9) == 1
    assert first_from(np.array([0.95, 0.8]), 0.9) is None


@pytest.mark.parametrize(
    ("sign", "changes", "verdict"),
    [
        ("excitatory", [-5.0, -6.0, -4.0], "supported"),
        ("excitatory", [5.0, 6.0, 4.0], "contradicted"),
        ("inhibitory", [5.0, 6.0, 4.0], "supported"),
        ("inhibitory", [-5.0, -6.0, -4.0], "contradicted"),
        ("inhibitory", [9.0, -8.0, 2.0], "undecided"),
        ("excitatory", [-0.5, -0.6, -0.4], "undecided"),
        ("mixed", [-5.0, -6.0, -4.0], "undecided"),
        ("excitatory", [0.0, 0.0, 0.0], "undecided"),
    ],
)
def test_a_label_is_held_against_the_change(sign: str, changes: list[float], verdict: str) -> None:
    assert sign_verdict(sign, estimate(np.array(changes)), 1.0) == verdict


def test_shares_and_tail_equal_sums(setting: Setting) -> None:
    circuit, given = setting.circuit, setting.streamed
    found = measure_contributions(setting.forward, circuit, given)
    mean = given.top.contributions.astype(np.float64).mean(0)
    drive = given.top.pre.astype(np.float64).mean() - circuit.bias
    assert found.top_drive_share == pytest.approx(sum(mean[each.index] for each in circuit.strongest) / drive, rel=1e-4)
    sizes = sorted(np.abs(mean), reverse=True)
    tail = next(k for k in range(1, len(sizes) + 1) if sum(sizes[:k]) >= 0.9 * sum(sizes))
    assert found.tail_length == tail
    assert (found.photo_low <= found.photo_high).all()
