"""Weights to earlier layers: exact between neighbours, the network's own slopes further back."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from tests.measures.setups import circuit_of
from tests.network.own_models import functional_model, network_of
from vizengine.measures.examples import Example
from vizengine.measures.expanded import Expanded, layers_to_expand, measure_expanded
from vizengine.measures.inputs import Circuit
from vizengine.measures.photos import Photos
from vizengine.network.layers import INPUT
from vizengine.network.model import Network, canvas_for
from vizengine.network.probes import Probe


def _expanded(
    network: Network, layer: str, unit: int, named: tuple[str, ...] | None = None, count: int = 5
) -> tuple[Circuit, np.ndarray, Expanded]:
    """What was found, with the canvases of the examples, which lie well inside two photos."""
    circuit = circuit_of(network, layer, unit)
    photos = Photos("samples", Path()).found[:2]
    canvas = canvas_for(network.architecture, layer)
    random = np.random.default_rng(5)
    examples, around = [], []
    for number in range(count):
        photo = number % 2
        top, left = random.integers(20, 80, 2).tolist()
        examples.append(Example(photos[photo].name, photo, 0, 0, top, left, 1.0, np.zeros((1, 1, 3), np.uint8)))
        down, across = top - canvas.first, left - canvas.first
        around.append(photos[photo].pixels()[down : down + canvas.side, across : across + canvas.side])
    layers = layers_to_expand(network.architecture, layer, unit, named)
    expanded = measure_expanded(network, circuit, layers, photos, SimpleNamespace(top=examples))
    return circuit, np.stack(around).astype(np.float32), expanded


@pytest.mark.parametrize(
    ("fixture", "layer", "unit"), [("tiny_network", "end", 1), ("squeezenet", "fire4/expand3x3", 23)]
)
def test_between_neighbours_the_weights_are_the_kernel(
    request: pytest.FixtureRequest, fixture: str, layer: str, unit: int
) -> None:
    circuit, _, found = _expanded(request.getfixturevalue(fixture), layer, unit)
    *earlier, last = found.sections
    assert found.examples == 5 and last.direct and not any(section.direct for section in earlier)
    for place, channel in enumerate(last.shown):
        kernel = circuit.inputs[channel].kernel
        np.testing.assert_allclose(last.linear[place], kernel, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(last.weighted[place], kernel, rtol=1e-5, atol=1e-7)
    assert last.agreement == pytest.approx(1)
    assert last.shown == tuple(channel.index for channel in circuit.ranked[: len(last.shown)])


def test_across_a_pool_each_window_passes_its_slope_to_one_place(vgg19: Network) -> None:
    circuit, _, found = _expanded(vgg19, "block3_conv1", 7)
    section = found.sections[-1]
    assert section.layer == "block2_conv2" and section.direct and section.linear.shape[1] == 6
    for place, channel in enumerate(section.shown):
        kernel = circuit.inputs[channel].kernel
        np.testing.assert_allclose(section.linear[place], np.kron(kernel, np.full((2, 2), 0.25)), rtol=1e-4, atol=1e-7)
        windows = section.weighted[place].reshape(3, 2, 3, 2).sum(axis=(1, 3))
        np.testing.assert_allclose(windows, kernel, rtol=1e-4, atol=1e-7)


def test_of_the_image_it_is_the_slope_in_its_colours(tiny_network: Network) -> None:
    """Against differences of the unit's own values, for the layers' bends and the network's preparation alike."""
    _, around, found = _expanded(tiny_network, "last", 2)
    image = found.sections[0]
    assert image.layer == INPUT and set(image.labels) == {"red", "green", "blue"}
    canvas = canvas_for(tiny_network.architecture, "last")
    probe = Probe(tiny_network, "last", [2])
    random = np.random.default_rng(1)
    step = 1e-3
    for _ in range(6):
        down, across = random.integers(0, canvas.size, 2)
        place = int(random.integers(0, 3))
        changed = np.stack([around, around], axis=1)
        changed[:, 0, canvas.first + down, canvas.first + across, image.shown[place]] += step
        changed[:, 1, canvas.first + down, canvas.first + across, image.shown[place]] -= step
        values = probe.numpy(changed.reshape(-1, *changed.shape[2:]))[:, canvas.position, canvas.position, 0]
        slope = (values[0::2] - values[1::2]).mean() / (2 * step)
        tolerance = 0.02 * float(np.abs(image.weighted).max())
        assert image.weighted[place, down, across] == pytest.approx(slope, rel=0.05, abs=tolerance)


def test_the_colours_are_in_order_whatever_the_network_takes(vgg19: Network) -> None:
    """VGG19 takes blue first; the linear weights to the image say what red, green and blue do."""
    _, _, found = _expanded(vgg19, "block1_conv2", 3, (INPUT,))
    image = found.sections[0]
    (first, _), (second, _) = (vgg19.weights[f"block1_conv{number}"] for number in (1, 2))
    colours = 255 * first[:, :, ::-1]
    expected = np.zeros((5, 5, 3))
    for down, across in np.ndindex(3, 3):
        expected[down : down + 3, across : across + 3] += colours @ second[down, across, :, 3]
    for place, channel in enumerate(image.shown):
        tolerance = 1e-3 * abs(expected).max()
        np.testing.assert_allclose(image.linear[place], expected[..., channel], rtol=1e-3, atol=tolerance)


def test_across_a_concatenation_slopes_are_those_of_the_classifiers_own_layers(squeezenet: Network) -> None:
    """Against a second model that begins at the concatenation."""
    layer, source = "fire4/squeeze1x1", "fire3/expand3x3"
    _, around, found = _expanded(squeezenet, layer, 5, (source, "fire3/squeeze1x1"))
    section = found.sections[0]
    assert section.layer == "fire3/squeeze1x1"
    canvas = canvas_for(squeezenet.architecture, layer)
    images = squeezenet.prepare(tf.constant(around))
    squeezed = squeezenet.model_upto("fire3/squeeze1x1")(images)
    with tf.GradientTape() as tape:
        tape.watch(squeezed)
        parts = []
        for name, padding in (("fire3/expand1x1", "VALID"), ("fire3/expand3x3", "SAME")):
            kernel, bias = squeezenet.weights[name]
            parts.append(tf.nn.relu(tf.nn.conv2d(squeezed, kernel, 1, padding) + bias))
        joined = tf.nn.max_pool2d(tf.concat(parts, -1), 3, 2, "VALID")
        kernel, bias = squeezenet.weights[layer]
        pre = tf.nn.conv2d(joined, kernel, 1, "VALID") + bias
        value = tf.reduce_sum(pre[:, canvas.position, canvas.position, 5])
    gradient = np.asarray(tape.gradient(value, squeezed)).mean(axis=0)
    support = np.argwhere(np.abs(gradient).sum(axis=-1) > 0)
    assert np.ptp(support, axis=0).max() < section.weighted.shape[1]
    for place, channel in enumerate(section.shown):
        assert section.weighted[place].sum() == pytest.approx(gradient[..., channel].sum(), rel=1e-4)
        assert np.abs(section.weighted[place]).sum() == pytest.approx(np.abs(gradient[..., channel]).sum(), rel=1e-4)


def test_agreement_beats_chance(squeezenet: Network) -> None:
    _, _, found = _expanded(squeezenet, "fire4/expand3x3", 23)
    image, *others = found.sections
    assert image.layer == INPUT and -1 <= image.agreement <= 1
    assert len(others) == 3
    assert all(-1 <= section.control < 0.5 * section.agreement < 0.501 for section in others)


def test_the_images_three_colours_are_too_few_for_a_control(tiny_network: Network) -> None:
    _, _, found = _expanded(tiny_network, "last", 0)
    assert found.sections[0].layer == INPUT and np.isnan(found.sections[0].control)


def test_a_first_layer_has_nothing_behind_it(tiny_network: Network) -> None:
    assert layers_to_expand(tiny_network.architecture, "first", 0, None) == []
    assert layers_to_expand(tiny_network.architecture, "last", 0, ()) == []


def test_a_grey_network_has_one_kernel_to_the_image_and_no_control() -> None:
    """Against the slope of its own unit when all three colours of a photo's pixels rise together."""
    network = network_of(functional_model(1))
    layer, unit = "wide", 1
    _, around, found = _expanded(network, layer, unit, count=3)
    image = found.sections[0]
    assert (image.layer, image.labels, image.channels) == (INPUT, ("grey",), 1)
    assert np.isnan(image.control) and np.isfinite(image.agreement)
    canvas, probe, step = canvas_for(network.architecture, layer), Probe(network, layer, [unit]), 0.02
    change = np.zeros_like(around)
    inside = slice(canvas.first, canvas.first + canvas.size)
    change[:, inside, inside] = step * np.sign(image.weighted[0])[..., None]
    up, down = (
        probe.numpy(around + sign * change)[:, canvas.position, canvas.position, 0].mean() for sign in (0.1, -0.1)
    )
    assert (up - down) / (0.2 * step) == pytest.approx(float(np.abs(image.weighted).sum()), rel=0.02)
