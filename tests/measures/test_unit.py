"""The parts of a unit against the network itself, with channels cut off, and against plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.convolution import convolve
from tests.measures.setups import KINDS, circuit_of, noise, without
from vizengine.measures.unit import Forward
from vizengine.network.layers import INPUT
from vizengine.network.model import Network, nearest_position
from vizengine.network.probes import Probe


@pytest.mark.parametrize(("fixture", "layer", "unit"), KINDS)
def test_parts_add_up_to_the_networks_own_pre_activation(
    fixture: str, layer: str, unit: int, request: pytest.FixtureRequest
) -> None:
    network: Network = request.getfixturevalue(fixture)
    forward = Forward(network, circuit_of(network, layer, unit))
    pixels = noise(61, 83)
    given = forward.one(pixels).unit_map
    expected = Probe(network, layer, [unit]).numpy(pixels[None])[0, ..., 0]
    summed = given.contributions.sum(-1) + network.weights[layer][1][unit]
    scale = np.abs(given.contributions).sum(-1).max()
    np.testing.assert_allclose(given.pre, expected, rtol=1e-4, atol=1e-5 * scale)
    np.testing.assert_allclose(summed, expected, rtol=1e-4, atol=1e-5 * scale)


@pytest.mark.parametrize(("fixture", "layer", "unit"), KINDS)
def test_a_contribution_is_what_is_lost_with_the_channel(
    fixture: str, layer: str, unit: int, request: pytest.FixtureRequest
) -> None:
    network: Network = request.getfixturevalue(fixture)
    circuit = circuit_of(network, layer, unit)
    pixels = noise(61, 83)
    given = Forward(network, circuit).one(pixels).unit_map
    whole = Probe(network, layer, [unit]).numpy(pixels[None])[0, ..., 0]
    for channel in circuit.strongest[:2]:
        left = Probe(without(network, layer, channel.index), layer, [unit]).numpy(pixels[None])[0, ..., 0]
        found = given.contributions[..., channel.index]
        np.testing.assert_allclose(found, whole - left, rtol=1e-3, atol=1e-5 * np.abs(whole).max())


def test_contributions_equal_numpy(tiny_network: Network) -> None:
    given = Forward(tiny_network, circuit_of(tiny_network, "last", 3)).one(noise(61, 70))
    kernel, _ = tiny_network.weights["last"]
    for channel in range(kernel.shape[2]):
        alone = convolve(given.below[..., [channel]], kernel[:, :, [channel], 3:4], np.zeros(1), 2, "same")
        np.testing.assert_allclose(given.unit_map.contributions[..., channel], alone[..., 0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("fixture", "layer", "unit"), KINDS)
def test_makers_are_the_layers_that_feed_the_unit(
    fixture: str, layer: str, unit: int, request: pytest.FixtureRequest
) -> None:
    network: Network = request.getfixturevalue(fixture)
    circuit = circuit_of(network, layer, unit)
    pixels = noise(50, 64)
    given = Forward(network, circuit).one(pixels)
    assert len(given.makers) == len(circuit.strongest)
    for channel, found in zip(circuit.strongest, given.makers, strict=True):
        if channel.source_layer == INPUT:
            expected = np.asarray(network.prepare(tf.constant(pixels[None])))[0, ..., channel.source_channel]
        else:
            expected = Probe(network, channel.source_layer, [channel.source_channel]).numpy(pixels[None])[0, ..., 0]
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize(("fixture", "layer", "unit"), KINDS)
def test_the_canvas_holds_exactly_what_the_unit_sees(
    fixture: str, layer: str, unit: int, request: pytest.FixtureRequest
) -> None:
    network: Network = request.getfixturevalue(fixture)
    forward = Forward(network, circuit_of(network, layer, unit))
    canvas = forward.canvas
    reached = np.zeros((canvas.side, canvas.side), bool)
    probe = Probe(network, layer)
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


@pytest.mark.parametrize(("fixture", "layer", "unit"), KINDS)
def test_centres_are_the_maps_middles(fixture: str, layer: str, unit: int, request: pytest.FixtureRequest) -> None:
    network: Network = request.getfixturevalue(fixture)
    circuit = circuit_of(network, layer, unit)
    forward = Forward(network, circuit)
    canvas = forward.canvas
    images = np.stack([noise(canvas.side, canvas.side, seed) for seed in range(3)])
    found = forward.centres(images)
    assert found.shape == (3, 1 + len(circuit.strongest))
    own = Probe(network, layer, [unit]).numpy(images)[:, canvas.position, canvas.position, 0]
    np.testing.assert_allclose(found[:, 0], own, rtol=1e-3, atol=1e-4 * np.abs(own).max())
    channel = circuit.strongest[-1]
    position = nearest_position(network.architecture, channel.source_layer, canvas)
    if channel.source_layer == INPUT:
        expected = np.asarray(network.prepare(tf.constant(images)))[:, position, position, channel.source_channel]
    else:
        maps = Probe(network, channel.source_layer, [channel.source_channel]).numpy(images)
        expected = maps[:, position, position, 0]
    np.testing.assert_allclose(found[:, -1], expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())
