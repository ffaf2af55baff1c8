"""Drawn stimuli against hard shapes sampled finely, changed patches against array operations, indices by hand."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tests.measures.setups import circuit_of, noise, save_split
from vizengine.measures.examples import field_start
from vizengine.measures.patches import SWEEPS, change, margin, surroundings
from vizengine.measures.photos import Photos
from vizengine.measures.stimuli import Stimulus, battery, draw
from vizengine.measures.stream import EvidenceSettings, Streamed, shuffled_kernels, stream
from vizengine.measures.tuning import (
    Rival,
    Tuning,
    crossed_orientations,
    describe,
    hue_selectivity,
    invariance,
    measure_tuning,
    orientation_or_crossed,
    orientation_selectivity,
    rivals,
    selectivity,
    tuning_report,
)
from vizengine.measures.unit import Forward
from vizengine.network.model import Canvas, Network
from vizengine.network.probes import Probe

CANVAS = Canvas(side=42, position=5, first=2, size=40)
FINE = 16


def _hard(inside: np.ndarray) -> np.ndarray:
    """Share of each pixel that a hard shape covers, from FINE by FINE points in it."""
    return inside.reshape(42, FINE, 42, FINE).mean((1, 3))


def _points() -> tuple[np.ndarray, np.ndarray]:
    """Coordinates right of and above the middle."""
    axis = (np.arange(42 * FINE) + 0.5) / FINE - CANVAS.centre
    right, down = np.meshgrid(axis, axis)
    return right, -down


def _shape(stimulus: Stimulus) -> np.ndarray:
    """Which points a stimulus covers, written from its description."""
    right, up = _points()
    if stimulus.family in ("disk", "position"):
        return np.hypot(right - (stimulus.x or 0), up + (stimulus.y or 0)) < stimulus.radius
    if stimulus.family == "ring":
        distance = np.hypot(right, up)
        return (distance > stimulus.radius - stimulus.width / 2) & (distance < stimulus.radius + stimulus.width / 2)
    angle = np.deg2rad(stimulus.orientation)
    towards = np.array([np.cos(angle), np.sin(angle)])
    along = right * towards[0] + up * towards[1]
    across = -right * towards[1] + up * towards[0]
    if stimulus.family in ("bar", "scale"):
        scale = stimulus.scale or 1
        return (np.abs(across) < scale * stimulus.width / 2) & (np.abs(along) < scale * 16)
    if stimulus.family == "cross":
        half = stimulus.width / 2
        return (np.abs(across) < half) & (np.abs(along) < 16) | (np.abs(along) < half) & (np.abs(across) < 16)
    if stimulus.family == "lattice":
        period, half = 40 / stimulus.frequency, stimulus.width / 2
        start = half - period * stimulus.phase / 360
        return (np.mod(along + start, period) < 2 * half) | (np.mod(across + start, period) < 2 * half)
    if stimulus.family == "lined_corner":
        lit = np.zeros_like(right, bool)
        for turn in (-45, 45):
            arm = np.deg2rad(stimulus.orientation + turn)
            outwards = right * np.cos(arm) + up * np.sin(arm)
            aside = -right * np.sin(arm) + up * np.cos(arm)
            lit |= (np.abs(aside) < stimulus.width / 2) & (outwards > -stimulus.width / 2) & (outwards < 16)
        return lit
    if stimulus.family == "edge":
        return along > 0
    if stimulus.family == "corner":
        return np.abs(np.rad2deg(np.arctan2(across, along))) < 45
    middle = stimulus.radius * towards
    distance = np.hypot(right - middle[0], up - middle[1])
    return (np.abs(distance - stimulus.radius) < stimulus.width / 2) & (along < stimulus.radius)


def _drawn(stimulus: Stimulus) -> np.ndarray:
    return draw(stimulus, CANVAS.side, CANVAS.centre, CANVAS.size)


@pytest.mark.parametrize(
    "family",
    ["disk", "position", "ring", "bar", "cross", "lattice", "scale", "edge", "corner", "lined_corner", "curve"],
)
def test_shapes_equal_finely_sampled_ones(family: str) -> None:
    shapes = [stimulus for stimulus in battery(40) if stimulus.family == family and stimulus.hue is None]
    assert len(shapes) >= 8
    for stimulus in shapes[::3]:
        expected = _hard(_shape(stimulus).astype(float))
        if stimulus.polarity == "dark":
            expected = 1 - expected
        picture = _drawn(stimulus)
        assert np.ptp(picture, axis=-1).max() == 0
        # A pixel in a tip or at a tangent is covered a little differently than the distance says: so in each period.
        assert np.abs(picture[..., 0] - expected).mean() < 0.005 * (stimulus.frequency or 1)
        assert np.abs(picture[..., 0] - expected).max() < 0.35


def test_edges_are_soft_by_one_pixel() -> None:
    picture = _drawn(Stimulus("disk", radius=9.0))[..., 0]
    between = (picture > 0.02) & (picture < 0.98)
    assert 30 < between.sum() < 110
    assert picture.sum() == pytest.approx(np.pi * 81, rel=0.005)


def test_a_grating_has_its_frequency_orientation_and_phase() -> None:
    stimulus = Stimulus("grating", frequency=4.0, orientation=0.0, phase=0.0)
    picture = draw(stimulus, 40, 20.0, 40)[..., 0]
    assert np.ptp(picture, axis=1).max() == 0
    spectrum = np.abs(np.fft.rfft(picture[:, 0] - picture[:, 0].mean()))
    assert spectrum.argmax() == 4
    rows = np.arange(40) + 0.5 - 20
    np.testing.assert_allclose(picture[:, 0], 0.5 + 0.5 * np.cos(2 * np.pi * 4 * rows / 40), atol=1e-6)
    turned = draw(dataclasses.replace(stimulus, orientation=90.0), 40, 20.0, 40)[..., 0]
    np.testing.assert_allclose(turned, picture.T, atol=1e-6)
    opposite = draw(dataclasses.replace(stimulus, phase=180.0), 40, 20.0, 40)[..., 0]
    np.testing.assert_allclose(opposite, 1 - picture, atol=1e-6)


def test_colours_are_the_hues_they_say() -> None:
    for hue, colour in ((0.0, (1, 0, 0)), (120.0, (0, 1, 0)), (240.0, (0, 0, 1)), (60.0, (1, 1, 0)), (None, (1, 1, 1))):
        picture = _drawn(Stimulus("uniform", hue=hue, brightness=0.67))
        np.testing.assert_allclose(picture, np.broadcast_to(0.67 * np.array(colour), picture.shape), atol=1e-6)
        dark = _drawn(Stimulus("disk", "dark", hue, radius=8.0))
        np.testing.assert_allclose(dark[0, 0], colour, atol=1e-6)
        assert dark[22, 22].max() == 0


def test_the_battery_is_in_range_and_each_once() -> None:
    for size in (3, 40, 131):
        stimuli = battery(size)
        assert len(set(stimuli)) == len(stimuli) < 520
        for stimulus in stimuli:
            picture = draw(stimulus, size, size / 2, size)
            assert picture.dtype == np.float32 and picture.min() >= 0 and picture.max() <= 1 + 1e-6


@pytest.fixture(scope="module")
def around() -> np.ndarray:
    """A patch in the middle of a photo."""
    return surroundings(noise(200, 210, 3), 80, 85, CANVAS)


def test_the_untouched_step_is_the_patch_itself(around: np.ndarray) -> None:
    photo = noise(200, 210, 3)
    for sweep in SWEEPS:
        changed = change(around, sweep.kind, sweep.untouched, CANVAS)
        np.testing.assert_array_equal(changed, photo[78:120, 83:125])
        assert sweep.untouched in sweep.steps


def test_beyond_the_photo_it_is_mirrored() -> None:
    photo = noise(45, 50, 4)
    around = surroundings(photo, -8, 20, CANVAS)
    border = margin(CANVAS)
    padded = np.pad(photo, ((200, 200), (200, 200), (0, 0)), mode="reflect")
    top, left = 200 - 8 - 2 - border, 200 + 20 - 2 - border
    np.testing.assert_array_equal(around, padded[top : top + len(around), left : left + len(around)])


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_quarter_turns_equal_rot90(around: np.ndarray, quarters: int) -> None:
    changed = change(around, "rotation", 90.0 * quarters, CANVAS)
    # The middle is that of the receptive field, which starts at pixel 2 of the canvas.
    untouched = change(around, "rotation", 0.0, CANVAS)[2:, 2:]
    np.testing.assert_allclose(changed[2:, 2:], np.rot90(untouched, quarters), atol=1e-5)


def test_scaling_moves_a_disk_as_a_larger_disk() -> None:
    canvas = Canvas(40, 0, 0, 40)
    wide = draw(Stimulus("disk", radius=8.0), canvas.side + 2 * margin(canvas), margin(canvas) + canvas.centre, 40)
    # Twice as large, the outline is twice as soft.
    for step, radius, apart in ((2.0, 16.0, 0.04), (0.5, 4.0, 0.002)):
        changed = change(wide, "scale", step, canvas)
        expected = draw(Stimulus("disk", radius=radius), 40, 20.0, 40)
        assert np.abs(changed - expected).mean() < apart
        assert changed.sum() == pytest.approx(expected.sum(), rel=0.02)


def test_other_changes_equal_array_operations(around: np.ndarray) -> None:
    patch = change(around, "polarity", 0.0, CANVAS)
    np.testing.assert_array_equal(change(around, "polarity", 1.0, CANVAS), 1 - patch)
    moved = change(around, "position", 0.25, CANVAS)
    np.testing.assert_array_equal(moved[10:, 10:], patch[:-10, :-10])
    red = np.zeros_like(around)
    red[..., 0] = 0.8
    np.testing.assert_allclose(change(red, "hue", 120.0, CANVAS)[0, 0], [0, 0.8, 0], atol=1e-5)
    grey = np.full_like(around, 0.3)
    np.testing.assert_allclose(change(grey, "hue", 90.0, CANVAS), grey[:42, :42], atol=1e-5)
    blurred = change(around, "blur", 0.1, CANVAS)
    assert blurred.std() < patch.std() and blurred.mean() == pytest.approx(patch.mean(), abs=0.02)


def test_indices_by_hand() -> None:
    angles = np.arange(8) * 22.5
    assert selectivity(np.ones(8), angles, 180.0) == pytest.approx(0, abs=1e-12)
    assert selectivity(np.eye(8)[3], angles, 180.0) == pytest.approx(1)
    # A cosine tuning curve 1 + m cos(2(θ - θ0)) has length m / 2.
    curve = 1 + 0.6 * np.cos(2 * np.deg2rad(angles - 40))
    assert selectivity(curve, angles, 180.0) == pytest.approx(0.3)
    assert np.isnan(selectivity(np.zeros(8), angles, 180.0))
    assert invariance(np.array([2.0, 4.0, 3.0])) == 0.5
    assert invariance(np.array([-2.0, 4.0])) == 0 and np.isnan(invariance(np.array([-1.0, 0.0])))


def test_selectivity_finds_planted_tuning() -> None:
    stimuli = battery(40)

    def planted(**parameters: object) -> np.ndarray:
        """1 where a stimulus has these parameters, else 0."""
        return np.array([float(parameters.items() <= vars(stimulus).items()) for stimulus in stimuli])

    assert orientation_selectivity(stimuli, planted(family="grating", orientation=45, frequency=4)) == pytest.approx(1)
    assert orientation_selectivity(stimuli, planted(family="grating")) < 1e-9
    # Two orientations at a right angle cancel each other in the second harmonic and add up in the fourth.
    crossed = planted(family="grating", orientation=45) + planted(family="grating", orientation=135)
    for index, value in (
        (orientation_selectivity, 0.0),
        (crossed_orientations, 1.0),
        (orientation_or_crossed, 1.0),
    ):
        assert index(stimuli, crossed) == pytest.approx(value, abs=1e-9)
    # A cosine of twice the angle has no fourth harmonic.
    angles = np.array([stimulus.orientation or 0.0 for stimulus in stimuli])
    broad = planted(family="grating") * (1 + np.cos(2 * np.deg2rad(angles - 45)))
    assert crossed_orientations(stimuli, broad) < 1e-9
    assert orientation_or_crossed(stimuli, broad) == pytest.approx(0.5)
    assert np.isnan(orientation_or_crossed(stimuli, np.zeros(len(stimuli))))
    red = planted(family="disk", polarity="light", hue=0)
    assert hue_selectivity(stimuli, red) == pytest.approx(1)
    # Uniform colours that drive more come before it.
    assert hue_selectivity(stimuli, red + 2 * planted(family="uniform")) < 1e-9


@pytest.mark.parametrize(
    ("fixture", "layer", "unit"), [("squeezenet", "fire4/expand3x3", 23), ("vgg19", "block3_conv3", 195)]
)
def test_untouched_patches_drive_as_in_their_photos(
    fixture: str, layer: str, unit: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """As it is, the best patch of each shown photo that holds one answers as the photo does there."""
    network: Network = request.getfixturevalue(fixture)
    photos = save_split(tmp_path, [(150, 120), (100, 160), (131, 131), (64, 90)], [(140, 120)] * 9)
    forward, settings = Forward(network, circuit_of(network, layer, unit)), EvidenceSettings(judged_patches=6)
    streamed = stream(forward, photos, settings)
    mean, deviation = streamed.distribution.mean, streamed.distribution.deviation
    found = measure_tuning(forward, streamed, photos, settings)
    assert found.responses.shape == (len(found.stimuli), 7) and len(found.indices) == 7 * 9
    assert len(streamed.judged_patches) == 6 and 3 <= found.patches == len(streamed.shown_patches) <= 4
    scale = np.abs(streamed.shown_patches.pre).max()
    for sweep in found.sweeps:
        assert sweep.responses.shape == (len(sweep.steps), found.patches, 7)
        own = sweep.responses[sweep.steps.tolist().index(sweep.untouched), :, 0]
        raw = own.astype(np.float64) * deviation + mean
        np.testing.assert_allclose(raw, streamed.shown_patches.pre, atol=1e-4 * scale)


def test_an_invariance_is_the_median_over_held_out_photos(tiny_network: Network, tmp_path: Path) -> None:
    """Against patches that are cut, changed and sent through the network one by one."""
    photos = save_split(tmp_path, [(64, 64)] * 3, [(60 + 4 * number, 90) for number in range(9)])
    forward, settings = Forward(tiny_network, circuit_of(tiny_network, "last", 3)), EvidenceSettings()
    streamed, canvas = stream(forward, photos, settings), forward.canvas
    found = measure_tuning(forward, streamed, photos, settings)
    patches, probe = streamed.judged_patches, Probe(tiny_network, "last", [3])
    assert len(patches) == 9 and all(photos[index].held_out for index in patches.photo.tolist())
    for kind in ("hue", "scale"):
        sweep = next(each for each in SWEEPS if each.kind == kind)
        expected = []
        for index, row, column in zip(patches.photo, patches.row, patches.column, strict=True):
            pixels = photos[index].pixels()
            down, across = field_start(tiny_network.architecture, "last", *pixels.shape[:2])
            stride = tiny_network.architecture.receptive_field("last").stride
            around = surroundings(pixels, down + row * stride, across + column * stride, canvas)
            changed = np.stack([change(around, sweep.kind, step, canvas) for step in sweep.steps])
            fires = np.maximum(probe.numpy(changed)[:, canvas.position, canvas.position, 0], 0)
            expected.append(fires.min() / fires.max() if fires.max() > 0 else np.nan)
        index = next(each for each in found.indices if each.name == f"{kind} invariance" and each.channel == 0)
        np.testing.assert_allclose(index.by_photo, expected, rtol=1e-3, atol=1e-4)
        assert index.value.value == pytest.approx(np.nanmedian(expected), abs=1e-4)
        assert index.value.photos == np.isfinite(expected).sum() and index.value.low <= index.value.value


def test_shuffled_units_see_the_same_drawings(tiny_network: Network, tmp_path: Path) -> None:
    photos = save_split(tmp_path, [(64, 64)] * 2, [(64, 64)] * 8)
    forward, settings = Forward(tiny_network, circuit_of(tiny_network, "last", 3)), EvidenceSettings(seed=5)
    found = measure_tuning(forward, stream(forward, photos, settings), photos, settings)
    kernels, canvas = shuffled_kernels(forward.kernel, 5), forward.canvas
    assert found.shuffled.shape == (len(found.stimuli), len(kernels))
    drawings = [draw(each, canvas.side, canvas.centre, canvas.size) for each in found.stimuli[::40]]
    below = [forward.one(drawing).below for drawing in drawings]
    maps = np.stack([forward.maps(each, kernels)[:, canvas.position, canvas.position] for each in below])
    np.testing.assert_allclose(found.shuffled[::40], maps, rtol=1e-3, atol=1e-4 * np.abs(maps).max())


def test_rivals_are_other_kinds_that_drive_as_far_or_nearly() -> None:
    stimuli = (
        Stimulus("disk", radius=4.0),
        Stimulus("disk", radius=8.0),
        Stimulus("disk", "dark", radius=4.0),
        Stimulus("ring", "dark", radius=4.0, width=2.0),
        Stimulus("ring", "dark", radius=8.0, width=2.0),
        Stimulus("blur", radius=4.0, blur=1.0),
        Stimulus("uniform", brightness=0.5),
        Stimulus("edge", orientation=0.0),
    )
    # The range is 10 wide: what is 1 below the best of those preferred still counts.
    responses = np.array([5.0, 8.0, 3.9, 4.0, 4.5, 7.0, -2.0, np.nan])
    preferred = np.array([True] + [False] * 7)
    # Larger light disks and a blurred one are light disks.
    assert rivals(stimuli, responses, preferred) == (Rival("dark rings", 4.5),)
    assert rivals(stimuli, np.where(responses == 3.9, 9.0, responses), preferred)[0] == Rival("dark disks", 9.0)
    alone = np.array([False] * 6 + [True, False])
    names = ["light disks", "dark rings", "dark disks"]
    assert [rival.name for rival in rivals(stimuli, responses, alone)] == names
    assert rivals(stimuli, responses, np.array([False] * 7 + [True])) == ()


REAL = {"squeezenet": ("fire4/expand3x3", 23), "vgg19": ("block3_conv3", 195)}
_MEASURED: dict[str, tuple[Streamed, Tuning]] = {}


def _real(request: pytest.FixtureRequest, fixture: str) -> tuple[Streamed, Tuning]:
    """A real unit on three sample photos, which serve as shown and as held out."""
    network: Network = request.getfixturevalue(fixture)
    if fixture not in _MEASURED:
        photos = Photos("samples", Path()).found[:3]
        forward, settings = Forward(network, circuit_of(network, *REAL[fixture])), EvidenceSettings(examples=6)
        streamed = stream(forward, photos, settings)
        _MEASURED[fixture] = streamed, measure_tuning(forward, streamed, photos, settings)
    return _MEASURED[fixture]


def test_a_unit_of_crossing_diagonals_is_found_out(request: pytest.FixtureRequest) -> None:
    tuning = _real(request, "squeezenet")[1]
    responses = tuning.responses[:, 0]
    assert describe(tuning.stimuli[int(responses.argmax())]).startswith("light lattice, 45°")
    highest = {
        family: max(float(r) for s, r in zip(tuning.stimuli, responses, strict=True) if s.family == family)
        for family in ("bar", "cross", "lattice")
    }
    assert highest["cross"] > 1.7 * highest["bar"] and highest["lattice"] > highest["cross"]
    indices = {index.name: index.value.value for index in tuning.indices if index.channel == 0}
    assert indices["crossed orientations"] > 2 * indices["orientation selectivity"]


def test_dark_rings_are_named_beside_light_disks(request: pytest.FixtureRequest) -> None:
    tuning = _real(request, "vgg19")[1]
    preferred = np.array([(each.family, each.polarity) == ("disk", "light") for each in tuning.stimuli])
    assert "dark rings" in [rival.name for rival in rivals(tuning.stimuli, tuning.responses[:, 0], preferred)]
    assert "dark rings" in [rival.name for rival in tuning_report(tuning).rivals]
