"""Expanded weights: how the unit depends on the channels of earlier layers that aren't its neighbours.

- *Linearized*: the gradient of the unit's pre-activation in the channels of an earlier layer, in the network with
  identity activations, average pooling in place of max-pooling, and gates at 1 (Voss et al., Visualizing Weights,
  Distill 2021).
- *Activation-weighted*: the same gradient in the network as it is, averaged over the unit's top examples, each photo
  mirrored beyond its edge.
- *Agreement*: the cosine between the two over all channels and positions. Its control is the mean cosine with the
  channels shuffled, 19 draws.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vizengine.figures.drawing import weight_colour
from vizengine.figures.pictures import FEW_COLOURS, picture
from vizengine.figures.quantities import Documented, Picture, Quantity, fixed, if_finite, significant, whole
from vizengine.measures.examples import Examples
from vizengine.measures.inputs import Circuit
from vizengine.measures.measure import Measure
from vizengine.measures.patches import margin, surroundings
from vizengine.measures.photos import Photo
from vizengine.measures.statistics import largest_first
from vizengine.network.architecture import Architecture, Untraceable
from vizengine.network.layers import INPUT
from vizengine.network.linear import LinearNetwork
from vizengine.network.model import Canvas, Network, canvas_for
from vizengine.network.probes import PreActivation
from vizengine.runtime import tensorflow as tf

# Indirect layers that are looked at where the config names none, besides the image.
NEAREST = 2
CHANNELS = 4


@dataclass(frozen=True)
class ExpandedSection:
    """The unit's weights to one earlier layer.

    Attributes:
        layer: a conv layer, or `input` for the image.
        direct: whether the unit reads it without another conv layer between.
        labels: of the channels shown.
        channels: of the layer.
        norms: (channels,) float32, L2 norm of each channel's expanded kernel.
        shown: indices of the channels with the largest norms, largest first.
        linear: (shown, size, size) float32, pre-activation per unit of the channel's activation; of the image, per
            unit of a colour from 0 to 1.
        weighted: likewise, the gradient averaged over the unit's top examples.
        agreement: cosine between the two over all channels and positions, -1 to 1.
        channel_agreement: the same for each channel shown; not a number where one of the two is zero.
        control: the cosine between `linear` and `weighted` of other channels, shuffled: the mean of the draws;
            not a number where there are too few channels for that, such as the image's.
    """

    layer: str
    direct: bool
    labels: tuple[str, ...]
    channels: int
    norms: NDArray[np.float32]
    shown: tuple[int, ...]
    linear: NDArray[np.float32]
    weighted: NDArray[np.float32]
    agreement: float
    channel_agreement: tuple[float, ...]
    control: float


@dataclass(frozen=True)
class Untold:
    """Another layer to which or from which the weights can't be followed, and what stands in the way."""

    layer: str
    reason: str


@dataclass(frozen=True)
class Expanded:
    """A unit's weights to earlier layers.

    Attributes:
        sections: from the earliest layer to the unit's neighbours.
        untold: layers to which they can't be followed.
        examples: top examples over which gradients are averaged.
        draws: of the control.
    """

    sections: tuple[ExpandedSection, ...]
    untold: tuple[Untold, ...]
    examples: int
    draws: int


def earlier_layers(architecture: Architecture, layer: str) -> tuple[str, ...]:
    """The conv layers before `layer` and the image, from the latest to the earliest."""
    before = [spec.name for spec in architecture.upto(layer) if spec.is_conv and architecture.has_map(spec.name)]
    return (*reversed(before[:-1]), INPUT)


def layers_to_expand(architecture: Architecture, layer: str, unit: int, named: tuple[str, ...] | None) -> list[str]:
    """The earlier layers to look at, from the earliest on: those named, or the image and the nearest.

    Args:
        named: what the config says; None where it says nothing.

    Returns:
        With the unit's neighbours at the end; nothing where there are no other layers.
    """
    direct = dict.fromkeys(source.layer for source in architecture.source_channels(layer, unit))
    before = [name for name in earlier_layers(architecture, layer) if name not in direct]
    if named is None:
        chosen = [name for name in before[:NEAREST] if name != INPUT] + [INPUT] * (INPUT in before)
    else:
        chosen = [name for name in before if name in named]
    return [*reversed(chosen), *(name for name in direct if architecture.has_map(name))] if chosen else []


CONTROL_DRAWS = 19
# Fewer channels, such as the image's colours, fall back into their own places when they are shuffled.
_LEAST_CHANNELS = 8
COLOURS = ("red", "green", "blue")
# Pixels of all canvases that go through the network and back at a time.
_BATCH_PIXELS = 2**20


def measure_expanded(
    network: Network, circuit: Circuit, earlier: Sequence[str], photos: Sequence[Photo], examples: Examples
) -> Expanded:
    """Follow a unit's weights back to earlier layers, which come from the earliest on."""
    canvas = canvas_for(network.architecture, circuit.layer)
    border = margin(canvas)
    inner = slice(border, border + canvas.side)
    pixels = {index: photos[index].pixels() for index in {example.photo_index for example in examples.top}}
    around = [
        surroundings(pixels[example.photo_index], example.top, example.left, canvas)[inner, inner].astype(np.float32)
        for example in examples.top
    ]
    direct = {channel.source_layer for channel in circuit.inputs}
    sections, untold = [], []
    for layer in earlier:
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
    return Expanded(tuple(sections), tuple(untold), len(examples.top), CONTROL_DRAWS)


def _linear_weights(network: Network, linear: LinearNetwork, layer: str) -> NDArray[np.float32]:
    """(size, size, channels); of the image with respect to its colours, whatever the network does to them first."""
    if layer != INPUT:
        return linear.weights()
    canvas = linear.canvas
    images = tf.fill((1, canvas.side, canvas.side, 3), 0.5)
    with tf.GradientTape() as tape:
        tape.watch(images)
        value = linear(network.prepare(images, linear.layer))[0, canvas.position, canvas.position]
    inner = slice(canvas.first, canvas.first + canvas.size)
    return np.asarray(tape.gradient(value, images))[0, inner, inner]


def _weighted(
    network: Network, circuit: Circuit, linear: LinearNetwork, canvas: Canvas, around: Sequence[NDArray[np.float32]]
) -> NDArray[np.float32]:
    """The mean gradient over the examples, (size, size, channels), in the place of the linear weights."""
    layer = linear.first
    unit = PreActivation(network, circuit.layer, [circuit.unit])
    source = network.architecture.activation(layer) if layer != INPUT else INPUT
    model = network.model_upto(source, unit.feed)
    width = max(1, _BATCH_PIXELS // canvas.side**2)
    gradients = []
    for start in range(0, len(around), width):
        images = tf.constant(np.stack(around[start : start + width]))
        with tf.GradientTape() as tape:
            tape.watch(images)
            activation, feed = model(network.prepare(images, circuit.layer), training=False)
            value = tf.reduce_sum(unit(feed)[:, canvas.position, canvas.position, 0])
        gradient = tape.gradient(value, images if layer == INPUT else activation)
        gradients.append(np.asarray(gradient, np.float64).sum(axis=0))
    mean: NDArray[np.float64] = sum(gradients[1:], gradients[0]) / len(around)
    first, size = canvas.first, linear.canvas.size
    if layer != INPUT:
        first = linear.between.receptive_field(circuit.layer, len(mean)).window(canvas.position)[0]
    # Zeros where the window lies outside.
    before, after = max(-first, 0), max(first + size - min(mean.shape[:2]), 0)
    window = slice(first + before, first + before + size)
    return np.pad(mean, ((before, after), (before, after), (0, 0)))[window, window].astype(np.float32)


def _section(
    layer: str, names: tuple[str, ...], direct: bool, linear: NDArray[np.float32], weighted: NDArray[np.float32]
) -> ExpandedSection:
    norms = np.sqrt(np.square(linear.astype(np.float64)).sum(axis=(0, 1)))
    largest = largest_first(norms)[:CHANNELS].tolist()
    random = np.random.default_rng(0)
    shuffles = [random.permutation(len(norms)) for _ in range(CONTROL_DRAWS if len(norms) >= _LEAST_CHANNELS else 0)]
    draws = [_cosine(linear, weighted[..., order]) for order in shuffles]
    return ExpandedSection(
        layer,
        direct,
        tuple(names[channel] for channel in largest),
        len(norms),
        norms.astype(np.float32),
        tuple(largest),
        np.ascontiguousarray(np.moveaxis(linear[..., largest], -1, 0)),
        np.ascontiguousarray(np.moveaxis(weighted[..., largest], -1, 0)),
        _cosine(linear, weighted),
        tuple(_cosine(linear[..., channel], weighted[..., channel]) for channel in largest),
        float(np.mean(draws)) if draws else math.nan,
    )


def _cosine(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    a, b = first.astype(np.float64).ravel(), second.astype(np.float64).ravel()
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / size if size > 0 else math.nan


class ExpandedKernel(Documented):
    """One channel of an earlier layer."""

    label: str
    """The channel."""
    norm: Quantity
    """L2 norm of its expanded kernel."""
    linear: Picture
    """The expanded kernel, a pixel for each position."""
    weighted: Picture
    """The mean gradient on the top examples, likewise."""
    agreement: Quantity | None
    """Cosine between the two; null where one is zero."""


class ExpandedLayer(Documented):
    """The unit's weights to one earlier layer."""

    layer: str
    """Its name; `input` for the image."""
    direct: bool
    """Whether the unit reads it without another conv layer between."""
    channels: Quantity
    """Its channels."""
    side: Quantity
    """Side of the kernels in positions of this layer."""
    scale: Quantity
    """Value of the full colours of the expanded kernels."""
    weighted_scale: Quantity
    """Value of the full colours of the gradients."""
    agreement: Quantity | None
    """Cosine between expanded weights and gradients over all channels and positions; null where one is zero."""
    control: Quantity | None
    """The same with the channels shuffled; null likewise."""
    kernels: tuple[ExpandedKernel, ...]
    """Those with the largest norms."""


class UntoldLayer(Documented):
    """Another layer to which or from which the weights can't be followed."""

    layer: str
    """Its name."""
    reason: str
    """What stands in the way."""


class ExpandedReport(Documented):
    """The unit's weights to layers that aren't its neighbours, from the earliest on."""

    layers: tuple[ExpandedLayer, ...]
    """The layers that were looked at."""
    untold: tuple[UntoldLayer, ...]
    """Those to which the weights can't be followed."""
    examples: Quantity
    """Top examples over which gradients are averaged."""
    draws: Quantity
    """Draws of the control."""


# Wider kernels are made smaller: more positions than this can't be told apart in a tile.
MOST_POSITIONS = 64
# On either side of zero: so few colours that a picture is kept without loss.
_LEVELS = (FEW_COLOURS - 1) // 2
_PALETTE = np.array([weight_colour(level / _LEVELS - 1, 1.0) for level in range(2 * _LEVELS + 1)], np.uint8)


def expanded_report(expanded: Expanded) -> ExpandedReport:
    """What the page says of the weights to earlier layers."""
    return ExpandedReport(
        layers=tuple(_layer(section) for section in expanded.sections),
        untold=tuple(UntoldLayer(**vars(untold)) for untold in expanded.untold),
        examples=whole(expanded.examples),
        draws=whole(expanded.draws),
    )


def _layer(section: ExpandedSection) -> ExpandedLayer:
    scale, weighted_scale = (float(np.abs(kernels).max(initial=0.0)) for kernels in (section.linear, section.weighted))
    return ExpandedLayer(
        layer=section.layer,
        direct=section.direct,
        channels=whole(section.channels),
        side=whole(section.linear.shape[1]),
        scale=significant(scale),
        weighted_scale=significant(weighted_scale),
        agreement=if_finite(section.agreement, fixed, 2),
        control=if_finite(section.control, fixed, 2),
        kernels=tuple(
            ExpandedKernel(
                label=label,
                norm=significant(float(section.norms[channel])),
                linear=_drawn(section.linear[place], scale, f"Expanded weights to {label}"),
                weighted=_drawn(section.weighted[place], weighted_scale, f"Mean gradient to {label}"),
                agreement=if_finite(section.channel_agreement[place], fixed, 2),
            )
            for place, (label, channel) in enumerate(zip(section.labels, section.shown, strict=True))
        ),
    )


def _drawn(kernel: NDArray[np.float32], scale: float, alt: str) -> Picture:
    """A kernel in the page's colours, a pixel for each position."""
    if max(kernel.shape) > MOST_POSITIONS:
        small = Image.fromarray(kernel, "F").resize((MOST_POSITIONS, MOST_POSITIONS), Image.Resampling.BOX)
        kernel = np.asarray(small)
    share = kernel / scale if scale > 0 else np.zeros_like(kernel)
    levels = np.rint((np.clip(share, -1, 1) + 1) * _LEVELS).astype(np.uint8)
    return picture(_PALETTE[levels], alt, MOST_POSITIONS)


EXPANDED = Measure(
    name="expanded",
    result=Expanded,
    version=1,
    compute=measure_expanded,
    panel="built",
    report=expanded_report,
    part=ExpandedReport,
)
