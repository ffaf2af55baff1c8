"""A unit's weights to any earlier layer: through the network without its bends, and as its top examples bend it.

Between neighbours the weights are the kernel. Further back, the first way takes max-pooling for averaging and
activations for the identity, so that the whole is one kernel (Voss and others, Visualizing Weights, Distill 2021); the
second is the gradient of the unit's pre-activation, which knows which activations were at zero and which position a
maximum came from, averaged over the places that drive the unit most.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from vizengine.circuit.model import Circuit
from vizengine.evidence.examples import Example
from vizengine.evidence.expanded_model import CHANNELS, Expanded, ExpandedSection, Untold
from vizengine.evidence.photos import Photo
from vizengine.evidence.transforms import margin, surroundings
from vizengine.networks.architecture import INPUT
from vizengine.networks.canvas import Canvas, canvas_for
from vizengine.networks.linear import LinearNetwork
from vizengine.networks.network import Network
from vizengine.networks.pre_activation import PreActivation
from vizengine.networks.sources import Untraceable

CONTROL_DRAWS = 19
# Fewer channels, such as the image's colours, fall back into their own places when they are dealt anew.
_LEAST_CHANNELS = 8
COLOURS = ("red", "green", "blue")
# Pixels of all canvases that go through the network and back at a time.
_BATCH_PIXELS = 2**20


def expand(
    network: Network, circuit: Circuit, layers: Sequence[str], photos: Sequence[Photo], examples: Sequence[Example]
) -> Expanded:
    """Follow a unit's weights back.

    Args:
        network: one with all weights up to the unit.
        circuit: the unit.
        layers: earlier layers, from the earliest on; see `layers_to_expand`.
        photos: those in which the examples are.
        examples: the unit's top examples.
    """
    canvas = canvas_for(network.architecture, circuit.layer)
    border = margin(canvas)
    inner = slice(border, border + canvas.side)
    pixels = {index: photos[index].pixels() for index in {each.photo_index for each in examples}}
    around = [
        surroundings(pixels[each.photo_index], each.top, each.left, canvas)[inner, inner].astype(np.float32)
        for each in examples
    ]
    direct = {channel.source_layer for channel in circuit.inputs}
    sections, untold = [], []
    for layer in layers:
        try:
            linear = LinearNetwork(network, layer, circuit.layer, circuit.unit)
            weights = _linear_weights(network, linear, layer)
            weighted = _weighted(network, circuit, linear, canvas, around)
        except Untraceable as error:
            untold.append(Untold(layer, str(error)))
            continue
        names = tuple(f"{layer}:{channel}" for channel in range(weights.shape[-1]))
        if layer == INPUT and network.architecture.channel_order == "grey":
            # Photos have three colours; such a network is told their sum alone.
            names, weights, weighted = ("grey",), weights.sum(-1, keepdims=True), weighted.sum(-1, keepdims=True)
        elif layer == INPUT:
            names = COLOURS
        sections.append(_section(layer, names, layer in direct, weights, weighted))
    return Expanded(tuple(sections), tuple(untold), len(examples), CONTROL_DRAWS)


def _linear_weights(network: Network, linear: LinearNetwork, layer: str) -> NDArray[np.float32]:
    """(size, size, channels); of the image with respect to its colours, whatever the network does to them first."""
    if layer != INPUT:
        return linear.weights()
    canvas = linear.canvas
    images = tf.fill((1, canvas.side, canvas.side, 3), 0.5)
    with tf.GradientTape() as tape:
        tape.watch(images)
        value = linear(network.prepare(images, linear.layer))[0, canvas.position, canvas.position]
    end = canvas.first + canvas.size
    return np.asarray(tape.gradient(value, images))[0, canvas.first : end, canvas.first : end]


def _weighted(
    network: Network, circuit: Circuit, linear: LinearNetwork, canvas: Canvas, around: Sequence[NDArray[np.float32]]
) -> NDArray[np.float32]:
    """The mean gradient over the examples, (size, size, channels), in the place of the linear weights."""
    architecture, layer = network.architecture, linear.first
    unit = PreActivation(network, circuit.layer, [circuit.unit])
    source = architecture.activation(layer) if layer != INPUT else INPUT
    model = network.model_upto_each([source, unit.feed])
    width = max(1, _BATCH_PIXELS // canvas.side**2)
    total: NDArray[np.float64] | None = None
    for start in range(0, len(around), width):
        images = tf.constant(np.stack(around[start : start + width]))
        with tf.GradientTape() as tape:
            tape.watch(images)
            activation, feed = model(network.prepare(images, circuit.layer), training=False)
            value = tf.reduce_sum(unit(feed)[:, canvas.position, canvas.position, 0])
        gradient = tape.gradient(value, images if layer == INPUT else activation)
        added = np.asarray(gradient, np.float64).sum(axis=0)
        total = added if total is None else total + added
    assert total is not None
    first = canvas.first
    if layer != INPUT:
        first = linear.between.receptive_field(circuit.layer, int(total.shape[0])).window(canvas.position)[0]
    return _window(total / len(around), first, linear.canvas.size).astype(np.float32)


def _window(values: NDArray[np.float64], first: int, size: int) -> NDArray[np.float64]:
    """The square of `size` from position `first` on, with zeros where that lies outside."""
    before, after = max(-first, 0), max(first + size - min(values.shape[:2]), 0)
    padded = np.pad(values, ((before, after), (before, after), (0, 0)))
    return padded[first + before : first + before + size, first + before : first + before + size]


def _section(
    layer: str, names: tuple[str, ...], direct: bool, linear: NDArray[np.float32], weighted: NDArray[np.float32]
) -> ExpandedSection:
    norms = np.sqrt(np.square(linear.astype(np.float64)).sum(axis=(0, 1)))
    shown = np.argsort(-norms, kind="stable")[:CHANNELS]
    random = np.random.default_rng(0)
    dealt = [random.permutation(len(norms)) for _ in range(CONTROL_DRAWS if len(norms) >= _LEAST_CHANNELS else 0)]
    draws = [_cosine(linear, weighted[..., each]) for each in dealt]
    return ExpandedSection(
        layer,
        direct,
        tuple(names[channel] for channel in shown),
        len(norms),
        norms.astype(np.float32),
        tuple(int(channel) for channel in shown),
        np.ascontiguousarray(np.moveaxis(linear[..., shown], -1, 0)),
        np.ascontiguousarray(np.moveaxis(weighted[..., shown], -1, 0)),
        _cosine(linear, weighted),
        tuple(_cosine(linear[..., channel], weighted[..., channel]) for channel in shown),
        float(np.mean(draws)) if draws else float("nan"),
    )


def _cosine(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    one, other = first.astype(np.float64).ravel(), second.astype(np.float64).ravel()
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / size if size > 0 else float("nan")
