"""Who makes the channels that a conv layer reads: traced back to the layer whose pre-activation each one is.

A channel's site is the layer at which it is visualized and measured: what the last activation function before the
reader gets, or the conv layer or sum itself where there is none. Its label names the layer that makes it, which lies
further back where a normalisation or a concatenation stands between.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from typing import Literal

from vizengine.network.layers import (
    GLOBAL_KINDS,
    INPUT,
    POOL_KINDS,
    Extent,
    LayerKind,
    LayerSpec,
    ReceptiveField,
    extents,
    fitting,
    union,
)


class Untraceable(ValueError):
    """A layer stands between a conv layer and its inputs, and mixes or moves channels."""


@dataclass(frozen=True)
class SourceChannel:
    """A channel that feeds a conv layer.

    Attributes:
        layer: its site, a conv layer as a rule, or `input` for a colour channel of the image.
        label: `layer:channel` of the layer that makes it, or `red`, `green`, `blue`, `grey`.
        path: names of the layers between maker and reader that change it, in order, for example (`block2_pool`,).
            Activation functions and folded normalisations aren't among them.
        branches: for a sum, the labels of what it adds.
    """

    layer: str
    channel: int
    label: str
    path: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()


_COLOURS = {"rgb": ("red", "green", "blue"), "bgr": ("blue", "green", "red"), "grey": ("grey",)}
# Layers that give each channel from the same channel alone, so that the reader's channel is its maker's.
_OWN_CHANNEL = ("batch_norm", "layer_norm", "group_norm", "scale", "zero_padding", "cropping", *POOL_KINDS)
_SILENT = ("activation", "identity")
_REASONS = {
    "reshape": "moves values between channels and positions",
    "flatten": "has no map of positions any more",
    "dense": "has no map of positions any more",
    "softmax": "makes each channel depend on all others",
    "multiply": "multiplies maps with each other",
    **dict.fromkeys(GLOBAL_KINDS, "has one value for the whole image"),
    "other": "is of a kind that this package doesn't know",
}


def _trace(
    architecture: Architecture, reader: str, name: str, path: tuple[str, ...] = (), fired: bool = False
) -> tuple[SourceChannel, ...]:
    """The channels of layer `name`'s output, which feeds conv layer `reader`.

    Args:
        path: from the layer to the reader.
        fired: whether an activation function lies between here and the reader, with nothing but concatenations after
            this layer and before it, so that this layer's output is what it gets.

    Raises:
        Untraceable: with the name of the layer in the way.
    """
    layer = architecture.layer(name)
    if layer.kind == "input":
        colours = _COLOURS[architecture.channel_order]
        return tuple(SourceChannel(INPUT, index, colour, path) for index, colour in enumerate(colours))
    if layer.is_conv or architecture.is_folded(layer):
        maker = name if layer.is_conv else layer.inputs[0]
        return tuple(SourceChannel(maker, index, label, path) for index, label in enumerate(architecture.labels(maker)))
    if layer.kind == "concat":
        traced = (_trace(architecture, reader, feed, (name, *path), fired) for feed in layer.maps)
        return tuple(source for sources in traced for source in sources)
    if layer.kind in _SILENT:
        nonlinear = layer.kind == "activation" and layer.activation != "linear"
        return _trace(architecture, reader, layer.maps[0], path, fired or nonlinear)
    if layer.kind == "add":
        branches = [_branch_labels(architecture, reader, feed) for feed in layer.maps]
        return tuple(
            SourceChannel(name, index, label, path, tuple(labels[index] for labels in branches))
            for index, label in enumerate(architecture.labels(name))
        )
    if layer.kind in _OWN_CHANNEL or (layer.kind == "multiply" and len(layer.maps) == 1):
        sources = _trace(architecture, reader, layer.maps[0], (name, *path))
        if not fired:
            return sources
        # What the activation gets is this layer's output: that is where the channel is visualized.
        return tuple(replace(source, layer=name, channel=index) for index, source in enumerate(sources))
    reason = _REASONS.get(layer.kind, "can't be followed")
    raise Untraceable(
        f"the inputs of {reader} can't be traced: {name} ({layer.operation or layer.kind}) stands in the way and "
        f"{reason}; expected convolutions, pooling, padding, normalisation, activations, concatenation and sums alone. "
        "Choose a conv layer before it, or one further behind it."
    )


def _branch_labels(architecture: Architecture, reader: str, name: str) -> list[str]:
    """Label of each channel of a sum's branch; a branch that can't be followed is named by its own layer."""
    try:
        return [source.label for source in _trace(architecture, reader, name)]
    except Untraceable:
        return architecture.labels(name)


@dataclass(frozen=True)
class Architecture:
    """A network's layers in order of computation, and how to prepare its input.

    The input is `(pixels in [0, 1] × scale − channel_mean) ÷ channel_deviation`, in `channel_order`.

    Attributes:
        name, title: as a config has it (`vgg19`), and as a reader knows it (`VGG19`).
        layers: from `input` to the class probabilities.
        input_size: side in pixels of the square image that the classifier takes.
        channel_mean, channel_deviation: in `channel_order`; no division where empty.
        citation: paper that describes the network; empty where it isn't known.
        weights_credit: who trained the published weights, and their licence.
        microscope: page of a unit in OpenAI Microscope with `{layer}` and `{unit}`; None where the network isn't there.
        microscope_layers: layer name here to layer name there.
        preprocess: `module:function` that prepares images in place of the formula; none where empty.
    """

    name: str
    title: str
    layers: tuple[LayerSpec, ...]
    input_size: int
    channel_order: Literal["rgb", "bgr", "grey"]
    channel_mean: tuple[float, ...]
    citation: str
    weights_credit: str
    microscope: str | None = None
    microscope_layers: tuple[tuple[str, str], ...] = ()
    scale: float = 255.0
    channel_deviation: tuple[float, ...] = ()
    preprocess: str = ""

    @cached_property
    def _by_name(self) -> dict[str, LayerSpec]:
        return {layer.name: layer for layer in self.layers}

    @cached_property
    def _extents(self) -> dict[tuple[str, int, int], Mapping[str, Extent]]:
        return {}

    @cached_property
    def readers(self) -> Mapping[str, tuple[str, ...]]:
        """For each layer the names of those that it feeds."""
        readers: dict[str, tuple[str, ...]] = {layer.name: () for layer in self.layers}
        for layer in self.layers:
            for name in layer.inputs:
                readers[name] += (layer.name,)
        return readers

    def layer(self, name: str) -> LayerSpec:
        """The layer of that name, or KeyError."""
        return self._by_name[name]

    @cached_property
    def _whole_image(self) -> frozenset[str]:
        """Layers that have one value per image and channel."""
        whole: set[str] = set()
        for layer in self.layers:
            pooled = layer.kind in (*GLOBAL_KINDS, "flatten", "dense") or layer.sides == "one"
            if pooled or (layer.maps and whole.issuperset(layer.maps)):
                whole.add(layer.name)
        return frozenset(whole)

    def has_map(self, name: str) -> bool:
        """Whether layer `name` has positions, and not one value for the whole image."""
        return name not in self._whole_image

    @property
    def conv_layers(self) -> tuple[LayerSpec, ...]:
        """All conv layers with a map, in order of computation."""
        return tuple(layer for layer in self.layers if layer.is_conv and self.has_map(layer.name))

    def upto(self, *names: str) -> tuple[LayerSpec, ...]:
        """The layers that are needed to compute `names`, these included, in order of computation."""
        needed = set(names)
        for layer in reversed(self.layers):
            if layer.name in needed:
                needed.update(layer.inputs)
        return tuple(layer for layer in self.layers if layer.name in needed)

    def behind(self, name: str, gates: bool = False) -> frozenset[str]:
        """Layer `name` and those that it reaches through maps, or through gates too."""
        reached = {name}
        for layer in self.layers:
            if reached.intersection(layer.inputs if gates else layer.maps):
                reached.add(layer.name)
        return frozenset(reached)

    @cached_property
    def _channels(self) -> dict[str, int]:
        channels: dict[str, int] = {}
        for layer in self.layers:
            feeds = [channels[name] for name in layer.maps]
            if layer.kind == "input":
                channels[layer.name] = 1 if self.channel_order == "grey" else 3
            elif layer.filters:
                channels[layer.name] = layer.filters
            else:
                channels[layer.name] = sum(feeds) if layer.kind == "concat" else feeds[0]
        return channels

    def channels(self, name: str) -> int:
        """Number of channels that layer `name` gives."""
        return self._channels[name]

    def labels(self, name: str) -> list[str]:
        """`layer:channel` of each channel that layer `name` gives."""
        return [f"{name}:{index}" for index in range(self.channels(name))]

    @cached_property
    def resized_by(self) -> Mapping[str, str]:
        """Layers whose maps can't be measured, each with the first layer of unknown sides on the way to it."""
        resized: dict[str, str] = {}
        for layer in self.layers:
            if layer.sides == "unknown":
                resized[layer.name] = layer.name
            elif behind := [resized[name] for name in layer.maps if name in resized]:
                resized[layer.name] = behind[0]
        return resized

    @cached_property
    def _fitting(self) -> dict[tuple[int, tuple[str, ...]], int]:
        return {}

    def fitting(self, size: int, *names: str) -> int:
        """The largest image side up to `size` at which branches fit together; nearly always `size`.

        Some networks pad for images of a certain parity; an image of another size is cropped to this side, on the
        right and at the bottom, before it goes in. `names` are the layers up to which branches must fit, all by
        default; those that can't be measured are left out.

        Raises:
            Misfit: there is none.
        """
        key = size, names
        if key not in self._fitting:
            layers = self.upto(*names) if names else self.layers
            self._fitting[key] = fitting([layer for layer in layers if layer.name not in self.resized_by], size)
        return self._fitting[key]

    def _extent(self, name: str, size: int, axis: int) -> Extent:
        size = self.fitting(size, name)
        key = (name, size, axis)
        if key not in self._extents:
            self._extents[key] = extents(self.upto(name), size, axis)
        return self._extents[key][name]

    def side(self, name: str, size: int, axis: int = 0) -> int:
        """Side of layer `name`'s map along one axis, in positions, for an image of `size` pixels along it.

        Raises:
            Misfit, Vanished: as `extents` and `fitting`.
        """
        return self._extent(name, size, axis).side

    def receptive_field(self, name: str, size: int | None = None, axis: int | None = None) -> ReceptiveField:
        """The receptive field of one position of `name` through its maps; that of gates is the whole image.

        Args:
            name: a layer with a map.
            size: side of the input image in pixels, on which the split of `same` padding depends
                where a stride is over 1; the classifier's input by default.
            axis: 0 (rows) or 1 (columns); by default the smallest square that holds both.

        Raises:
            Misfit, Vanished: as `extents` and `fitting`.
        """
        axes = (0, 1) if axis is None else (axis,)
        return union([self._extent(name, size or self.input_size, axis).field for axis in axes])

    def kernel_shape(self, name: str) -> tuple[int, ...]:
        """Shape of a plain layer's kernel: (height, width, in, out) for conv, (in, out) for dense."""
        layer = self.layer(name)
        before = self.layer(layer.inputs[0])
        width = self.channels(before.name) // layer.groups
        if before.kind == "flatten":
            width *= self.side(before.inputs[0], self.input_size) ** 2
        window = layer.window if layer.is_conv else ()
        return (*window, width, layer.filters)

    def parameters(self, name: str) -> int:
        """Number of trainable weights in layer `name` at the classifier's input size."""
        layer = self.layer(name)
        if layer.weights is not None:
            return layer.weights
        return math.prod(self.kernel_shape(name)) + layer.filters if layer.filters else 0

    @property
    def total_parameters(self) -> int:
        """Number of trainable weights of the whole network, classifier included."""
        return sum(self.parameters(layer.name) for layer in self.layers)

    @property
    def is_classifier(self) -> bool:
        """Whether the last layer gives class probabilities of the image, or what their softmax gets."""
        last = self.layers[-1]
        return (last.gives_softmax and not self.has_map(last.name)) or self.gives_logits

    @property
    def gives_logits(self) -> bool:
        """Whether the last layer is a dense one without an activation, whose softmax is left to the reader."""
        last = self.layers[-1]
        return last.kind == "dense" and last.activation == "linear"

    def _only_reader(self, name: str, kind: LayerKind) -> LayerSpec | None:
        """The one layer that `name` feeds, where it feeds one alone and that is of a kind."""
        readers = self.readers[name]
        reader = self.layer(readers[0]) if len(readers) == 1 else None
        return reader if reader and reader.kind == kind else None

    def norm_after(self, name: str) -> LayerSpec | None:
        """The batch normalisation that is folded into conv layer `name`, or None.

        It is folded where it is the only reader and nothing stands between, so that the layer's pre-activation
        is what comes after it: what the activation function gets.
        """
        return self._only_reader(name, "batch_norm") if self.layer(name).activation == "linear" else None

    def is_folded(self, layer: LayerSpec) -> bool:
        """Whether a layer is a batch normalisation that is folded into the conv layer before it."""
        if layer.kind != "batch_norm":
            return False
        feed = self.layer(layer.inputs[0])
        return feed.is_conv and self.norm_after(feed.name) == layer

    def pre_activation(self, name: str) -> str:
        """The layer that gives the pre-activations of `name`: itself, or the batch normalisation folded into it."""
        norm = self.norm_after(name) if self.layer(name).is_conv else None
        return norm.name if norm else name

    def activation(self, name: str) -> str:
        """The layer that gives the activations of `name`: where its pre-activations have gone through a function."""
        before = self.pre_activation(name)
        function = self._only_reader(before, "activation")
        return function.name if function else before

    def obstacle(self, name: str) -> str:
        """Why units of conv layer `name` can't have pages, in words; empty where they can."""
        if name not in self._obstacles:
            try:
                self.source_channels(name)
                self._obstacles[name] = ""
            except Untraceable as error:
                self._obstacles[name] = str(error)
        return self._obstacles[name]

    @cached_property
    def _obstacles(self) -> dict[str, str]:
        return {}

    def reads(self, name: str, unit: int) -> slice:
        """The channels of its input that unit `unit` of conv layer `name` reads: all, or those of its group."""
        layer = self.layer(name)
        width = self.channels(layer.inputs[0]) // layer.groups
        first = unit // (layer.filters // layer.groups) * width
        return slice(first, first + width)

    def source_channels(self, name: str, unit: int | None = None) -> tuple[SourceChannel, ...]:
        """The channels that feed conv layer `name`, in the order of its kernel's input axis.

        Of one of its units, where `unit` names one, those of its group alone.

        Raises:
            Untraceable: a layer in the way mixes or moves channels in a way that can't be followed, or the layer lies
                behind one whose map has unknown sides.
        """
        if name in self.resized_by:
            resizing = self.layer(self.resized_by[name])
            raise Untraceable(
                f"{name} can't be looked at: {resizing.name} ({resizing.operation or resizing.kind}) lies before it, "
                "and the sides of the map that it gives aren't known; expected no upsampling, transposed convolution "
                "or other resizing on the way. Choose a conv layer before it."
            )
        sources = _trace(self, name, self.layer(name).inputs[0])
        return sources if unit is None else sources[self.reads(name, unit)]


# VGG's layers in the literature and in OpenAI Microscope: conv3_3, relu3_3, conv3_3_conv3_3_0.
_BLOCK_AND_LAYER = re.compile(r"(?:conv|relu)(\d+)_(\d+)\b|(?:conv|relu)(\d+)_(\d+)_", re.IGNORECASE)
_COMPUTABLE = re.compile(r"[A-Za-z0-9_./>-]*")


def nearest_layers(name: str, layers: Sequence[str], count: int = 1) -> list[str]:
    """At most `count` layers that a wrong name may mean, nearest first; the literature's names of VGG's are known."""
    written = _BLOCK_AND_LAYER.match(name)
    if written:
        block, layer = (number for number in written.groups() if number)
        if (same := f"block{block}_conv{layer}") in layers:
            return [same]
    return get_close_matches(name, layers, count, 0.3)


def readable_layers(architecture: Architecture) -> list[str]:
    """The conv layers whose units can be shown: those with a map, and with inputs that can be found."""
    return [layer.name for layer in architecture.conv_layers if not architecture.obstacle(layer.name)]


def expected_layers(architecture: Architecture) -> str:
    """What a setting that names a layer expects, in words."""
    layers = readable_layers(architecture)
    return f"a conv layer: {', '.join(layers)}" if layers else "a network with conv layers, and this has none"


def no_such_layer(name: str, architecture: Architecture) -> str:
    """Why `name` is none of the conv layers with a map, in words: it isn't there, or is of another kind."""
    known = {layer.name: layer for layer in architecture.layers}
    if name not in known:
        return f"{architecture.title} has no layer {name}"
    if known[name].is_conv:
        return f"{name} of {architecture.title} has one value for the whole image, and no positions to look at"
    return f"{name} of {architecture.title} is no conv layer ({known[name].operation or known[name].kind})"


def not_computable(names: Iterable[str]) -> list[str]:
    """Those of the names that TensorFlow refuses when it computes, though Keras takes them for layers."""
    return [name for name in names if not _COMPUTABLE.fullmatch(name)]
