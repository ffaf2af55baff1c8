"""The ascent: it rises, it doesn't depend on its batch, it converges on real networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from vizengine.measures.extremes import photo_extremes
from vizengine.measures.inputs import analyse
from vizengine.measures.photos import Photos
from vizengine.network.model import Network
from vizengine.network.probes import Probe
from vizengine.output import Task
from vizengine.pictures import objectives
from vizengine.pictures.ascent import LAST_LEARNING_RATE, ascend, schedule
from vizengine.pictures.result import PhotoBest, Settings, Visualization
from vizengine.pictures.search import Job, last_slope, visualize
from vizengine.pictures.spectrum import derive_seed, noise, transform

LAYER = "fire4/squeeze1x1"


def _pictures(network: Network, best: dict[int, float], settings: Settings) -> dict[int, Visualization]:
    return visualize(
        network, Job(LAYER, {channel: PhotoBest(value, "none") for channel, value in best.items()}, settings)
    )


def test_the_objective_rises(tiny_network: Network) -> None:
    ascent = ascend(Probe(tiny_network, "last", [0, 3]), noise(["a", "b"], 0, 64), objectives.channel([0, 1]), 0, 40)
    assert ascent.images.shape == (2, 64, 64, 3) and ascent.images.dtype == np.uint8
    assert (ascent.traces[:, -8:].mean(1) > ascent.traces[:, :8].mean(1)).all()


def test_the_negative_direction_falls(tiny_network: Network) -> None:
    job = Job("last", {0: PhotoBest(0.0, "none")}, Settings(64, 40, 0, 1, "float32"), "negative")
    picture = visualize(tiny_network, job)[0]
    assert picture.trace[-8:].mean() < picture.trace[:8].mean()
    assert picture.reached < picture.mean < 0


def test_phases_alone_rise_too(squeezenet: Network) -> None:
    trace = _pictures(squeezenet, {12: 0.0}, Settings(64, 48, 0, 1, "auto", image="phase"))[12].trace
    assert trace[-8:].mean() > trace[:8].mean() > trace[0]


def test_a_picture_can_begin_as_a_photo(squeezenet: Network) -> None:
    square = np.random.default_rng(0).uniform(0.4, 0.6, (64, 64, 3)).astype(np.float32)
    square[20:40, 20:40] = 0.9
    settings = Settings(64, 1, 0, 1, "float32", start="photo")
    job = Job(LAYER, {12: PhotoBest(0.0, "square")}, settings, squares={"square": square})
    image = visualize(squeezenet, job)[12].image
    assert np.corrcoef(image[..., 0].ravel(), square[..., 0].ravel())[0, 1] > 0.5


def test_alone_and_in_a_batch_give_the_same_picture(squeezenet: Network) -> None:
    channels = [12, 22, 9, 5]
    names = [str(channel) for channel in channels]
    together = ascend(Probe(squeezenet, LAYER, channels), noise(names, 0, 64), objectives.channel(range(4)), 0, 8)
    alone = ascend(Probe(squeezenet, LAYER, [9]), noise(["9"], 0, 64), objectives.channel([0]), 0, 8)
    assert np.abs(together.images[2].astype(int) - alone.images[0].astype(int)).max() <= 1


def test_alone_and_in_a_batch_give_the_same_verdict(squeezenet: Network) -> None:
    settings = Settings(64, 64, 0, 1, "auto")
    for channel, picture in _pictures(squeezenet, dict.fromkeys((12, 22, 9), 1500.0), settings).items():
        alone = _pictures(squeezenet, {channel: 1500.0}, settings)[channel]
        assert alone.converged == picture.converged
        assert alone.reached == pytest.approx(picture.reached, rel=0.1)


def test_twice_is_the_same_to_the_bit_and_measured_on_the_shown_picture(squeezenet: Network) -> None:
    first, second = (_pictures(squeezenet, {12: 0.0, 22: 0.0}, Settings(64, 10, 3, 1, "auto")) for _ in range(2))
    for channel, picture in first.items():
        np.testing.assert_array_equal(picture.image, second[channel].image)
        np.testing.assert_array_equal(picture.trace, second[channel].trace)
        values = Probe(squeezenet, LAYER, [channel]).numpy(picture.image[None].astype(np.float32) / 255)
        assert picture.reached == second[channel].reached == pytest.approx(values.max(), rel=1e-5)
        assert picture.mean == pytest.approx(values.mean(), rel=1e-4)


def test_what_no_picture_can_reach_is_tried_and_not_called_converged(tiny_network: Network) -> None:
    best = {0: PhotoBest(1e9, "impossible"), 1: PhotoBest(-1e9, "easy")}
    picture = visualize(tiny_network, Job("last", best, Settings(64, 20, 0, 3, "float32")))[0]
    assert not picture.converged
    attempts = [(attempt.objective, attempt.seed, attempt.steps, attempt.continued) for attempt in picture.attempts]
    assert attempts == [("channel", 0, 20, False), ("channel", 1, 40, False), ("neuron", 2, 40, False)]
    assert picture.reached == max(attempt.reached for attempt in picture.attempts)


def test_progress_and_pictures_come_as_they_are_made(tiny_network: Network) -> None:
    totals: list[int] = []
    advances: list[int] = []
    notes: list[str] = []

    class Watch(Task):
        def expect(self, n: int) -> None:
            totals.append(n)

        def advance(self, n: int = 1, note: str = "") -> None:
            advances.append(n)
            notes.extend([note] if note else [])

    best = {channel: PhotoBest(1e9 if channel == 3 else -1e9, "photo") for channel in range(7)}
    finished_at: dict[int, int] = {}
    job = Job("last", best, Settings(64, 48, 0, 2, "float32"))
    pictures = visualize(tiny_network, job, lambda picture: finished_at.update({picture.channel: len(notes)}), Watch())
    # The total is the number of pictures and stays it, whatever is tried again.
    assert totals == [7] and sum(advances) == 7 and sorted(finished_at) == list(range(7))
    assert notes[:48] == [f"attempt 1, step {step} of 48" for step in range(1, 49)]
    assert notes[48:] and all(note.startswith("attempt 2, step ") for note in notes[48:])
    # What has converged isn't held back by what is tried again.
    for channel, picture in pictures.items():
        at = finished_at[channel]
        assert at > 48 if len(picture.attempts) > 1 else at == 48
    assert {48, len(notes)} <= set(finished_at.values())


def test_what_still_rises_is_continued(squeezenet: Network) -> None:
    picture = _pictures(squeezenet, {12: -1e9}, Settings(64, 16, 0, 8, "float32"))[12]
    first, *others = picture.attempts
    assert not first.continued and not first.converged and others
    assert all(attempt.continued and attempt.seed == first.seed for attempt in others)
    assert picture.converged and picture.attempts[-1].converged
    assert len(picture.trace) == sum(attempt.steps for attempt in picture.attempts)


@pytest.mark.parametrize(
    ("network", "colour", "reached"), [("tiny_network", [255, 0, 0], 135.0), ("squeezenet", [0, 0, 255], None)]
)
def test_an_input_colour_needs_no_search(
    network: str, colour: list[int], reached: float | None, request: pytest.FixtureRequest
) -> None:
    """The first channel of a network that reads BGR is blue."""
    job = Job("input", {0: PhotoBest(135.0, "photo")}, Settings(32, 5, 0, 1, "auto"))
    picture = visualize(request.getfixturevalue(network), job)[0]
    assert picture.image[0, 0].tolist() == colour and picture.converged
    assert reached is None or picture.reached == reached


def test_without_strength_the_transformation_only_shifts() -> None:
    images = tf.random.stateless_uniform((1, 16, 16, 3), (1, 2))
    shifted, turned = (
        np.asarray(transform(images, derive_seed(0), tf.constant(5), tf.constant(strength))) for strength in (0.0, 1.0)
    )
    assert np.abs(shifted - images).max() > 0.1
    np.testing.assert_allclose(np.sort(shifted.ravel()), np.sort(np.ravel(images)), atol=1e-4)
    assert np.abs(np.sort(turned.ravel()) - np.sort(np.ravel(images))).max() > 1e-3


def test_the_schedule_settles() -> None:
    rates, strengths = zip(*(schedule(index, 101) for index in range(101)), strict=True)
    assert rates[0] == rates[40] > rates[41] and strengths[30] == 1 and not any(strengths[60:])
    assert list(rates) == sorted(rates, reverse=True)
    assert rates[-1] == pytest.approx(LAST_LEARNING_RATE)


RISING = np.linspace(0, 1, 100)


@pytest.mark.parametrize(
    ("trace", "slope"),
    [
        (RISING, pytest.approx(0.115, abs=0.005)),
        (np.minimum(10 * RISING, 1), pytest.approx(0, abs=1e-6)),
        (RISING[::-1], 1.0),
        ([3.0], 1.0),
        # A continued search that ends flat is flat, whatever it lost at its start.
        ([*RISING, *np.linspace(0.6, 1.05, 60), *np.full(40, 1.05)], pytest.approx(0, abs=1e-6)),
        ([*RISING, *np.linspace(0.6, 1.6, 100)], pytest.approx(0.068, abs=0.005)),
    ],
)
def test_slope_of_known_traces(trace: list[float], slope: float) -> None:
    assert last_slope(np.array(trace, np.float32), 100) == slope


def test_objectives_add_and_scale() -> None:
    pre = tf.random.stateless_normal((3, 5, 5, 4), (0, 1))
    columns = [2, 0, 2]
    channel, neuron = objectives.channel(columns), objectives.neuron(columns)
    combined = 2 * channel + -neuron
    np.testing.assert_allclose(combined(pre), 2 * channel(pre) - neuron(pre), rtol=1e-5)
    means = [pre[index, :, :, column].numpy().mean() for index, column in enumerate(columns)]
    np.testing.assert_allclose(channel(pre), means, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(neuron(pre), [pre[index, 2, 2, column].numpy() for index, column in enumerate(columns)])
    assert combined.name == "2 × channel + -1 × neuron"


def test_diversity_is_lower_for_alike_pictures() -> None:
    different = tf.random.stateless_normal((2, 6, 6, 5), (0, 1))
    alike = tf.repeat(different[:1], 2, axis=0)
    active = np.maximum(different.numpy(), 0).reshape(2, 36, 5)
    grams = [(picture.T @ picture).ravel() for picture in active]
    cosine = grams[0] @ grams[1] / np.linalg.norm(grams[0]) / np.linalg.norm(grams[1])
    np.testing.assert_allclose(objectives.diversity()(different), [-cosine, -cosine], rtol=1e-4)
    np.testing.assert_allclose(objectives.diversity()(alike), [-1, -1], rtol=1e-4)


def test_seven_of_seven_converge(squeezenet: Network) -> None:
    layer, unit = "fire4/expand3x3", 23
    kernel, bias = squeezenet.weights[layer]
    circuit = analyse(layer, unit, kernel, bias, squeezenet.architecture.source_channels(layer), 6)
    inputs = [channel.source_channel for channel in circuit.strongest]
    for searched, channels in ((layer, [unit]), (circuit.strongest[0].source_layer, inputs)):
        extremes = photo_extremes(squeezenet, [searched], Photos("samples", Path()).found)[searched]
        best = {channel: PhotoBest(*extremes.best(channel)) for channel in channels}
        pictures = visualize(squeezenet, Job(searched, best, Settings(128, 96, 0, 3, "auto")))
        for channel, picture in pictures.items():
            assert picture.converged, (channel, picture.attempts, best[channel])
            assert picture.reached > best[channel].value
