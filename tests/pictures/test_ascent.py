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
from vizengine.pictures import objectives
from vizengine.pictures.ascent import LAST_LEARNING_RATE, ascend, schedule
from vizengine.pictures.result import PhotoBest, Settings
from vizengine.pictures.search import Job, last_slope, visualize
from vizengine.pictures.spectrum import derive_seed, noise, transform


def test_the_objective_rises(tiny_network: Network) -> None:
    ascent = ascend(Probe(tiny_network, "last", [0, 3]), noise(["a", "b"], 0, 64), objectives.channel([0, 1]), 0, 40)
    assert ascent.images.shape == (2, 64, 64, 3) and ascent.images.dtype == np.uint8
    assert (ascent.traces[:, -8:].mean(1) > ascent.traces[:, :8].mean(1)).all()


def test_the_negative_direction_falls(tiny_network: Network) -> None:
    best = {0: PhotoBest(0.0, "none")}
    made = visualize(tiny_network, Job("last", best, Settings(64, 40, 0, 1, "float32"), "negative"))[0]
    assert made.trace[-8:].mean() < made.trace[:8].mean()
    assert made.reached < made.mean < 0


def test_phases_alone_rise_too(squeezenet: Network) -> None:
    settings = Settings(64, 48, 0, 1, "auto", image="phase")
    made = visualize(squeezenet, Job("fire4/squeeze1x1", {12: PhotoBest(0.0, "none")}, settings))[12]
    assert made.trace[-8:].mean() > made.trace[:8].mean() > made.trace[0]


def test_a_picture_can_begin_as_a_photo(squeezenet: Network) -> None:
    square = np.random.default_rng(0).uniform(0.4, 0.6, (64, 64, 3)).astype(np.float32)
    square[20:40, 20:40] = 0.9
    settings = Settings(64, 1, 0, 1, "float32", start="photo")
    best = {12: PhotoBest(0.0, "square")}
    made = visualize(squeezenet, Job("fire4/squeeze1x1", best, settings, squares={"square": square}))[12]
    correlation = np.corrcoef(made.image[..., 0].ravel(), square[..., 0].ravel())[0, 1]
    assert correlation > 0.5


def test_alone_and_in_a_batch_give_the_same_picture(squeezenet: Network) -> None:
    channels = [12, 22, 9, 5]
    names = [str(each) for each in channels]
    probe = Probe(squeezenet, "fire4/squeeze1x1", channels)
    together = ascend(probe, noise(names, 0, 64), objectives.channel(range(4)), 0, 8)
    alone = ascend(Probe(squeezenet, "fire4/squeeze1x1", [9]), noise(["9"], 0, 64), objectives.channel([0]), 0, 8)
    difference = np.abs(together.images[2].astype(int) - alone.images[0].astype(int))
    assert difference.max() <= 1


def test_alone_and_in_a_batch_give_the_same_verdict(squeezenet: Network) -> None:
    best = {channel: PhotoBest(1500.0, "none") for channel in (12, 22, 9)}
    settings = Settings(64, 64, 0, 1, "auto")
    together = visualize(squeezenet, Job("fire4/squeeze1x1", best, settings))
    for channel in best:
        alone = visualize(squeezenet, Job("fire4/squeeze1x1", {channel: best[channel]}, settings))[channel]
        assert alone.converged == together[channel].converged
        assert alone.reached == pytest.approx(together[channel].reached, rel=0.1)


def test_twice_is_the_same_to_the_bit(squeezenet: Network) -> None:
    settings = Settings(64, 10, 3, 1, "auto")
    best = {12: PhotoBest(0.0, "none"), 22: PhotoBest(0.0, "none")}
    first, second = (visualize(squeezenet, Job("fire4/squeeze1x1", best, settings)) for _ in range(2))
    for channel in (12, 22):
        np.testing.assert_array_equal(first[channel].image, second[channel].image)
        np.testing.assert_array_equal(first[channel].trace, second[channel].trace)
        assert first[channel].reached == second[channel].reached


def test_reached_is_measured_in_float32_on_the_shown_picture(squeezenet: Network) -> None:
    settings = Settings(96, 6, 0, 1, "auto")
    made = visualize(squeezenet, Job("fire4/squeeze1x1", {12: PhotoBest(0.0, "none")}, settings))[12]
    values = Probe(squeezenet, "fire4/squeeze1x1").numpy(made.image[None].astype(np.float32) / 255)[0, :, :, 12]
    assert made.reached == pytest.approx(values.max(), rel=1e-5)
    assert made.mean == pytest.approx(values.mean(), rel=1e-4)


def test_what_no_picture_can_reach_is_tried_and_not_called_converged(tiny_network: Network) -> None:
    best = {0: PhotoBest(1e9, "impossible"), 1: PhotoBest(-1e9, "easy")}
    made = visualize(tiny_network, Job("last", best, Settings(64, 20, 0, 3, "float32")))
    assert not made[0].converged
    attempts = [(each.objective, each.seed, each.steps, each.continued) for each in made[0].attempts]
    assert attempts == [("channel", 0, 20, False), ("channel", 1, 40, False), ("neuron", 2, 40, False)]
    assert made[0].reached == max(each.reached for each in made[0].attempts)


def test_progress_and_pictures_come_as_they_are_made(tiny_network: Network) -> None:
    class Watch:
        def __init__(self) -> None:
            self.totals: list[int] = []
            self.done = 0
            self.notes: list[str] = []

        def expect(self, n: int) -> None:
            self.totals.append(n)

        def advance(self, n: int = 1, note: str = "") -> None:
            self.done += n
            self.notes += [note] if note else []

    best = {channel: PhotoBest(1e9 if channel == 3 else -1e9, "photo") for channel in range(7)}
    finished: list[tuple[int, int]] = []
    watch = Watch()
    job = Job("last", best, Settings(64, 48, 0, 2, "float32"))
    made = visualize(tiny_network, job, lambda each: finished.append((each.channel, len(watch.notes))), watch)
    # The total is the number of pictures and stays it, whatever is tried again.
    assert watch.totals == [7] and watch.done == 7
    assert watch.notes[:48] == [f"attempt 1, step {step} of 48" for step in range(1, 49)]
    assert watch.notes[48:] and all(note.startswith("attempt 2, step ") for note in watch.notes[48:])
    assert sorted(channel for channel, _ in finished) == list(range(7))
    # What has converged isn't held back by what is tried again.
    at = dict(finished)
    for channel, visualization in made.items():
        assert at[channel] > 48 if len(visualization.attempts) > 1 else at[channel] == 48
    assert 48 in at.values() and len(watch.notes) in at.values()


def test_what_still_rises_is_continued(squeezenet: Network) -> None:
    best = {12: PhotoBest(-1e9, "easy")}
    made = visualize(squeezenet, Job("fire4/squeeze1x1", best, Settings(64, 16, 0, 8, "float32")))[12]
    first, *others = made.attempts
    assert not first.continued and not first.converged and others
    assert all(each.continued and each.seed == first.seed for each in others)
    assert made.converged and made.attempts[-1].converged
    assert len(made.trace) == sum(each.steps for each in made.attempts)


def test_an_input_colour_needs_no_search(tiny_network: Network) -> None:
    made = visualize(tiny_network, Job("input", {0: PhotoBest(135.0, "photo")}, Settings(32, 5, 0, 1, "auto")))[0]
    assert made.image[0, 0].tolist() == [255, 0, 0] and made.reached == 135.0 and made.converged


def test_a_bgr_networks_first_channel_is_blue(squeezenet: Network) -> None:
    made = visualize(squeezenet, Job("input", {0: PhotoBest(0.0, "photo")}, Settings(32, 5, 0, 1, "auto")))[0]
    assert made.image[0, 0].tolist() == [0, 0, 255]


def test_without_strength_the_transformation_only_shifts() -> None:
    images = tf.random.stateless_uniform((1, 16, 16, 3), (1, 2))
    shifted = np.asarray(transform(images, derive_seed(0), tf.constant(5), tf.constant(0.0)))
    assert np.abs(shifted - images).max() > 0.1
    np.testing.assert_allclose(np.sort(shifted.ravel()), np.sort(np.ravel(images)), atol=1e-4)
    turned = np.asarray(transform(images, derive_seed(0), tf.constant(5), tf.constant(1.0)))
    assert np.abs(np.sort(turned.ravel()) - np.sort(np.ravel(images))).max() > 1e-3


def test_the_schedule_settles() -> None:
    rates, strengths = zip(*(schedule(index, 101) for index in range(101)), strict=True)
    assert rates[0] == rates[40] > rates[41] and strengths[30] == 1 and not any(strengths[60:])
    assert all(before >= after for before, after in zip(rates, rates[1:], strict=False))
    assert rates[-1] == pytest.approx(LAST_LEARNING_RATE)


def test_slope_of_known_traces() -> None:
    straight, flat = np.linspace(0, 1, 100), np.minimum(np.linspace(0, 10, 100), 1)
    assert last_slope(straight.astype(np.float32), 100) == pytest.approx(0.115, abs=0.005)
    assert last_slope(flat.astype(np.float32), 100) == pytest.approx(0, abs=1e-6)
    assert last_slope(straight[::-1].astype(np.float32), 100) == 1.0
    assert last_slope(np.array([3.0], np.float32), 1) == 1.0


def test_a_continued_search_that_ends_flat_is_flat_whatever_it_lost_at_its_start() -> None:
    first = np.linspace(0, 1, 100)
    recovering = np.concatenate([np.linspace(0.6, 1.05, 60), np.full(40, 1.05)])
    trace = np.concatenate([first, recovering]).astype(np.float32)
    assert last_slope(trace, 100) == pytest.approx(0, abs=1e-6)
    still = np.concatenate([first, np.linspace(0.6, 1.6, 100)]).astype(np.float32)
    assert last_slope(still, 100) > 0.05


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
    grams = [(each.T @ each).ravel() for each in active]
    cosine = grams[0] @ grams[1] / np.linalg.norm(grams[0]) / np.linalg.norm(grams[1])
    np.testing.assert_allclose(objectives.diversity()(different), [-cosine, -cosine], rtol=1e-4)
    np.testing.assert_allclose(objectives.diversity()(alike), [-1, -1], rtol=1e-4)


def test_seven_of_seven_converge(squeezenet: Network) -> None:
    network, layer, unit = squeezenet, "fire4/expand3x3", 23
    kernel, bias = network.weights[layer]
    circuit = analyse(layer, unit, kernel, bias, network.architecture.source_channels(layer), 6)
    photos = Photos("samples", Path()).found
    below = circuit.strongest[0].source_layer
    inputs = [channel.source_channel for channel in circuit.strongest]
    for each_layer, channels in ((layer, [unit]), (below, inputs)):
        maxima = photo_extremes(network, each_layer, photos)
        best = {channel: PhotoBest(*maxima.best(channel)) for channel in channels}
        made = visualize(network, Job(each_layer, best, Settings(128, 96, 0, 3, "auto")))
        for channel in channels:
            assert made[channel].converged, (channel, made[channel].attempts, best[channel])
            assert made[channel].reached > best[channel].value
