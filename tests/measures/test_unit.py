"""The parts of a unit against the network itself, with channels cut off, and against plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.convolution import convolve
from tests.measures.setups import KINDS, circuit_of, noise, without
from vizengine.measures.examples import field_start
from vizengine.measures.unit import Forward
from vizengine.network.layers import INPUT
from vizengine.network.model import Network, nearest_position
from vizengine.network.probes import Probe

PIXELS = noise(61, 83)
Case = tuple[Network, Forward]


@pytest.fixture(scope="module", params=KINDS, ids=lambda case: f"{case[0]}-{case[1]}")
def case(request: pytest.FixtureRequest) -> Case:
    fixture, layer, unit = request.param
    network: Network = request.getfixturevalue(fixture)
    return network, Forward(network, circuit_of(network, layer, unit))


def _map(network: Network, layer: str, channel: int, images: np.ndarray) -> np.ndarray:
    """(batch, down, across), the network's own pre-activation; of the input, the prepared pixels."""
    if layer == INPUT:
        return np.asarray(network.prepare(tf.constant(images)))[..., channel]
    return Probe(network, layer, [channel]).numpy(images)[..., 0]


def test_parts_add_up_to_the_networks_own_pre_activation(case: Case) -> None:
    network, forward = case
    unit_map = forward.one(PIXELS).unit_map
    expected = _map(network, forward.circuit.layer, forward.circuit.unit, PIXELS[None])[0]
    scale = np.abs(unit_map.contributions).sum(-1).max()
    for values in (unit_map.pre, unit_map.contributions.sum(-1) + forward.circuit.bias):
        np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-5 * scale)


def test_a_contribution_is_what_is_lost_with_the_channel(case: Case) -> None:
    network, forward = case
    layer, unit = forward.circuit.layer, forward.circuit.unit
    whole = _map(network, layer, unit, PIXELS[None])[0]
    contributions = forward.one(PIXELS).unit_map.contributions
    for channel in forward.channels[:2]:
        left = _map(without(network, layer, channel.index), layer, unit, PIXELS[None])[0]
        lost, scale = whole - left, np.abs(whole).max()
        np.testing.assert_allclose(contributions[..., channel.index], lost, rtol=1e-3, atol=1e-5 * scale)


def test_contributions_equal_numpy(tiny_network: Network) -> None:
    given = Forward(tiny_network, circuit_of(tiny_network, "last", 3)).one(noise(61, 70))
    kernel, _ = tiny_network.weights["last"]
    for channel in range(kernel.shape[2]):
        alone = convolve(given.below[..., [channel]], kernel[:, :, [channel], 3:4], np.zeros(1), 2, "same")
        np.testing.assert_allclose(given.unit_map.contributions[..., channel], alone[..., 0], rtol=1e-4, atol=1e-4)


def test_makers_are_the_layers_that_feed_the_unit(case: Case) -> None:
    network, forward = case
    for channel, values in zip(forward.channels, forward.one(PIXELS).makers, strict=True):
        expected = _map(network, channel.source_layer, channel.source_channel, PIXELS[None])[0]
        np.testing.assert_allclose(values, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def test_the_canvas_holds_exactly_what_the_unit_sees(case: Case) -> None:
    network, forward = case
    canvas = forward.canvas
    reached = np.zeros((canvas.side, canvas.side), bool)
    probe = Probe(network, forward.circuit.layer)
    for seed in range(6):
        images = tf.constant(noise(canvas.side, canvas.side, seed)[None])
        with tf.GradientTape() as tape:
            tape.watch(images)
            value = tf.reduce_sum(probe(images)[:, canvas.position, canvas.position])
        reached |= np.abs(np.asarray(tape.gradient(value, images))[0]).sum(-1) > 0
    inside = slice(canvas.first, canvas.first + canvas.size)
    outside = reached.copy()
    outside[inside, inside] = False
    assert not outside.any()
    # Max-pooling passes the gradient to one pixel only, so the rim may be reached in part.
    rows = np.flatnonzero(reached.any(1))
    assert rows[0] - canvas.first <= 1 and canvas.first + canvas.size - 1 - rows[-1] <= 1


def test_centres_are_the_maps_middles(case: Case) -> None:
    network, forward = case
    canvas, circuit, last = forward.canvas, forward.circuit, forward.channels[-1]
    images = np.stack([noise(canvas.side, canvas.side, seed) for seed in range(3)])
    centres = forward.centres(images)
    assert centres.shape == (3, 1 + len(forward.channels))
    unit = _map(network, circuit.layer, circuit.unit, images)[:, canvas.position, canvas.position]
    np.testing.assert_allclose(centres[:, 0], unit, rtol=1e-3, atol=1e-4 * np.abs(unit).max())
    position = nearest_position(network.architecture, last.source_layer, canvas)
    maker = _map(network, last.source_layer, last.source_channel, images)[:, position, position]
    np.testing.assert_allclose(centres[:, -1], maker, rtol=1e-3, atol=1e-3 * np.abs(maker).max())


@pytest.mark.parametrize(("fixture", "layer", "unit"), KINDS)
def test_a_canvas_that_a_photo_holds_answers_as_the_photo(
    fixture: str, layer: str, unit: int, request: pytest.FixtureRequest
) -> None:
    """At every position whose canvas lies inside, patches cut by hand give the unit's map; the others don't fit."""
    network: Network = request.getfixturevalue(fixture)
    forward = Forward(network, circuit_of(network, layer, unit))
    field, side = network.architecture.receptive_field(layer), forward.canvas.side
    for seed, (height, width) in enumerate([(61, 83), (90, 64), (77, 70), (64, 95)]):
        pixels = noise(height, width, seed)
        pre = forward.one(pixels).unit_map.pre
        held = forward.holds_canvas(height, width)
        assert held.shape == pre.shape
        down, across = field_start(network.architecture, layer, height, width)
        tops = down - forward.canvas.first + field.stride * np.arange(pre.shape[0])
        lefts = across - forward.canvas.first + field.stride * np.arange(pre.shape[1])
        fits = ((tops >= 0) & (tops + side <= height))[:, None] & ((lefts >= 0) & (lefts + side <= width))
        np.testing.assert_array_equal(held, fits)
        places = np.argwhere(held)
        assert len(places)
        places = places[np.random.default_rng(seed).permutation(len(places))[:12]]
        cut = [pixels[tops[row] : tops[row] + side, lefts[column] : lefts[column] + side] for row, column in places]
        found = forward.centres(np.stack(cut))[:, 0]
        expected = pre[tuple(places.T)]
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(pre).max())


@pytest.mark.parametrize(("fixture", "layer", "unit"), KINDS)
def test_other_kernels_answer_as_units_of_their_own(
    fixture: str, layer: str, unit: int, request: pytest.FixtureRequest
) -> None:
    """On a photo and on canvases, against networks that have the kernel as a unit's own."""
    network: Network = request.getfixturevalue(fixture)
    circuit = circuit_of(network, layer, unit)
    forward = Forward(network, circuit)
    kernels = np.random.default_rng(1).normal(size=(3, *forward.kernel.shape)).astype(np.float32)
    pixels = noise(61, 70)
    canvases = np.stack([noise(forward.canvas.side, forward.canvas.side, seed) for seed in (2, 3)])
    maps = forward.maps(forward.one(pixels).below, kernels)
    centres = forward.centres(canvases, kernels)
    assert centres.shape == (2, 1 + len(circuit.strongest) + 3)
    np.testing.assert_allclose(centres[:, :-3], forward.centres(canvases), rtol=1e-6)
    for number, kernel in enumerate(kernels):
        weights, bias = (array.copy() for array in network.weights[layer])
        weights[..., unit] = kernel
        other = Probe(Network(network.architecture, {**network.weights, layer: (weights, bias)}), layer, [unit])
        expected = other.numpy(pixels[None])[0, ..., 0] - bias[unit]
        np.testing.assert_allclose(maps[number], expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
        position = forward.canvas.position
        middle = other.numpy(canvases)[:, position, position, 0]
        np.testing.assert_allclose(centres[:, number - 3], middle, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
