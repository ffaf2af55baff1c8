"""Convolutional architectures as plain data: layers, shapes, receptive fields, who feeds whom.

Nothing here needs TensorFlow, so that a config can be checked in a fraction of a second.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

LayerKind = Literal["input", "conv", "max_pool", "concat", "global_average_pool", "flatten", "dense", "softmax"]
INPUT = "input"


@dataclass(frozen=True)
class LayerSpec:
    """One layer.

    Attributes:
        name: name in the literature, for example `block3_conv3` or `fire5/expand3x3`.
        kind: what it computes.
        inputs: names of the layers that feed it.
        filters: channels that it gives (for conv and dense), else 0.
        kernel: side of its square window in positions of its input (conv and max_pool), else 1.
        stride: step of that window.
        padding: `same` or `valid`, as in Keras.
        activation: `relu`, `softmax` or `linear`, applied to the pre-activation.
    """

    name: str
    kind: LayerKind
    inputs: tuple[str, ...] = ()
    filters: int = 0
    kernel: int = 1
    stride: int = 1
    padding: Literal["same", "valid"] = "same"
    activation: Literal["relu", "softmax", "linear"] = "linear"

    @property
    def keras_name(self) -> str:
        """The name inside the Keras model, where a slash isn't allowed."""
        return self.name.replace("/", "_")


@dataclass(frozen=True)
class ReceptiveField:
    """The square of input pixels that one position of a layer can see.

    Attributes:
        size: side in pixels.
        stride: pixels between the fields of two neighbouring positions.
        start: first pixel of the field of position 0; negative where padding reaches outside.
    """

    size: int
    stride: int
    start: float

    def window(self, position: int) -> tuple[int, int]:
        """First pixel and one past the last pixel that `position` can see, not clipped to the image."""
        first = round(self.start + position * self.stride)
        return first, first + self.size


@dataclass(frozen=True)
class SourceChannel:
    """A channel that feeds a conv layer, traced back through pooling and concatenation to its maker.

    Attributes:
        layer: the conv layer that makes it, or `input` for a colour channel of the image.
        channel: index among that layer's channels.
        label: `layer:channel`, or `red`, `green`, `blue`.
        path: names of the layers between maker and reader, in order, for example (`block2_pool`,).
    """

    layer: str
    channel: int
    label: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True)
class Architecture:
    """A network's layers in order of computation, and how to prepare its input.

    Attributes:
        name: the name a config uses, for example `vgg19`.
        title: the name a reader knows, for example `VGG19`.
        layers: from `input` to the class probabilities.
        input_size: side in pixels of the square image that the classifier takes.
        channel_order: order of colours in the network's input, `rgb` or `bgr`.
        channel_mean: subtracted from pixels in [0, 255], in `channel_order`.
        citation: paper that describes the network.
        weights_credit: who trained the published weights, and their licence.
        microscope: page of a unit in OpenAI Microscope with `{layer}` (as Microscope names it) and
            `{unit}`, or None where the network isn't there.
        microscope_layers: layer name here to layer name there.
    """

    name: str
    title: str
    layers: tuple[LayerSpec, ...]
    input_size: int
    channel_order: Literal["rgb", "bgr"]
    channel_mean: tuple[float, float, float]
    citation: str
    weights_credit: str
    microscope: str | None = None
    microscope_layers: tuple[tuple[str, str], ...] = ()

    @cached_property
    def _by_name(self) -> dict[str, LayerSpec]:
        return {layer.name: layer for layer in self.layers}

    def layer(self, name: str) -> LayerSpec:
        """The layer of that name.

        Raises:
            KeyError: there is none.
        """
        return self._by_name[name]

    @property
    def conv_layers(self) -> tuple[LayerSpec, ...]:
        """All conv layers, in order of computation."""
        return tuple(layer for layer in self.layers if layer.kind == "conv")

    def upto(self, *names: str) -> tuple[LayerSpec, ...]:
        """The layers that are needed to compute `names`, themselves included, in order of computation."""
        needed = set(names)
        for layer in reversed(self.layers):
            if layer.name in needed:
                needed.update(layer.inputs)
        return tuple(layer for layer in self.layers if layer.name in needed)

    def channels(self, name: str) -> int:
        """Number of channels that layer `name` gives."""
        layer = self.layer(name)
        if layer.kind == "input":
            return 3
        if layer.kind in ("conv", "dense"):
            return layer.filters
        return sum(self.channels(source) for source in layer.inputs)

    def side(self, name: str, size: int) -> int:
        """Side of layer `name`'s map, in positions, for a square image of `size` pixels."""
        layer = self.layer(name)
        if layer.kind == "input":
            return size
        side = self.side(layer.inputs[0], size)
        if layer.kind in ("conv", "max_pool"):
            return -(-side // layer.stride) if layer.padding == "same" else (side - layer.kernel) // layer.stride + 1
        return side if layer.kind == "concat" else 1

    def receptive_field(self, name: str, size: int | None = None) -> ReceptiveField:
        """What one position of `name` sees, after Araujo et al., Computing Receptive Fields, Distill 2019.

        Args:
            name: a layer with a map (conv, max_pool, concat or input).
            size: side of the input image in pixels, on which the split of `same` padding depends
                where a stride is over 1; the classifier's input by default.
        """
        size = size or self.input_size
        layer = self.layer(name)
        if layer.kind == "input":
            return ReceptiveField(1, 1, 0.0)
        fields = [self.receptive_field(source, size) for source in layer.inputs]
        field = max(fields, key=lambda each: each.size)
        if layer.kind == "concat":
            return field
        before = 0
        if layer.padding == "same":
            side = self.side(layer.inputs[0], size)
            total = max((-(-side // layer.stride) - 1) * layer.stride + layer.kernel - side, 0)
            before = total // 2
        return ReceptiveField(
            field.size + (layer.kernel - 1) * field.stride,
            field.stride * layer.stride,
            field.start - before * field.stride,
        )

    def kernel_shape(self, name: str) -> tuple[int, ...]:
        """Shape of layer `name`'s kernel: (height, width, in, out) for conv, (in, out) for dense."""
        layer = self.layer(name)
        before = self.layer(layer.inputs[0])
        width = self.channels(before.name)
        if before.kind == "flatten":
            width *= self.side(before.inputs[0], self.input_size) ** 2
        window = (layer.kernel, layer.kernel) if layer.kind == "conv" else ()
        return (*window, width, layer.filters)

    def parameters(self, name: str) -> int:
        """Number of trainable weights in layer `name` at the classifier's input size."""
        layer = self.layer(name)
        return math.prod(self.kernel_shape(name)) + layer.filters if layer.filters else 0

    def total_parameters(self) -> int:
        """Number of trainable weights of the whole network, classifier included."""
        return sum(self.parameters(layer.name) for layer in self.layers)

    def source_channels(self, name: str) -> tuple[SourceChannel, ...]:
        """The channels that feed conv layer `name`, in the order of its kernel's input axis."""
        return self._trace(self.layer(name).inputs[0], ())

    def _trace(self, name: str, path: tuple[str, ...]) -> tuple[SourceChannel, ...]:
        layer = self.layer(name)
        if layer.kind == "input":
            names = {"r": "red", "g": "green", "b": "blue"}
            colours = [names[letter] for letter in self.channel_order]
            return tuple(SourceChannel(INPUT, index, colour, path) for index, colour in enumerate(colours))
        if layer.kind == "conv":
            return tuple(SourceChannel(name, index, f"{name}:{index}", path) for index in range(layer.filters))
        traced: tuple[SourceChannel, ...] = ()
        for source in layer.inputs:
            traced += self._trace(source, (name, *path))
        return traced

    def microscope_page(self, layer: str, unit: int) -> str | None:
        """Address of the unit's page in OpenAI Microscope, or None where it has none."""
        there = dict(self.microscope_layers).get(layer)
        if self.microscope is None or there is None:
            return None
        return self.microscope.format(layer=there, unit=unit)
