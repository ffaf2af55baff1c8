"""Who makes the channels that a conv layer reads: traced back to the layer whose pre-activation each one is.

A channel's site is the layer at which it is visualized and measured: what the last activation function before the
reader gets, or the conv layer or sum itself where there is none. Its label names the layer that makes it, which lies
further back where a normalisation or a concatenation stands between.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from vizengine.networks.layer import GLOBAL_KINDS, INPUT, POOL_KINDS, LayerSpec


class Untraceable(ValueError):
    """A layer stands between a conv layer and its inputs, and mixes or moves channels."""


@dataclass(frozen=True)
class SourceChannel:
    """A channel that feeds a conv layer.

    Attributes:
        layer: its site, a conv layer as a rule, or `input` for a colour channel of the image.
        channel: index among that layer's channels.
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


class Graph(Protocol):
    """What tracing asks of a network; `vizengine.networks.architecture.Architecture` is one."""

    @property
    def channel_order(self) -> str: ...
    @property
    def readers(self) -> Mapping[str, tuple[str, ...]]: ...
    def layer(self, name: str) -> LayerSpec: ...
    def channels(self, name: str) -> int: ...
    def norm_after(self, name: str) -> LayerSpec | None: ...


_COLOURS = {"rgb": ("red", "green", "blue"), "bgr": ("blue", "green", "red"), "grey": ("grey",)}
# Layers that give each channel from the same channel alone, so that the reader's channel is its maker's.
_OWN_CHANNEL = ("batch_norm", "layer_norm", "group_norm", "scale", "zero_padding", "cropping", *POOL_KINDS)
_SILENT = ("activation", "identity")
_REASONS = {
    "reshape": "moves values between channels and positions",
    "flatten": "has no map of positions any more",
    "dense": "has no map of positions any more",
    "softmax": "makes each channel depend on all others",
    "other": "is of a kind that this package doesn't know",
}


def trace(graph: Graph, name: str) -> tuple[SourceChannel, ...]:
    """The channels of the tensor that feeds conv layer `name`, in order.

    Raises:
        Untraceable: with the name of the layer in the way.
    """
    return _Tracer(graph, name).channels(graph.layer(name).inputs[0], (), False)


class _Tracer:
    def __init__(self, graph: Graph, reader: str) -> None:
        self._graph = graph
        self._reader = reader

    def channels(self, name: str, path: tuple[str, ...], fired: bool) -> tuple[SourceChannel, ...]:
        """Channels of a layer's output.

        Args:
            name: the layer.
            path: from here to the reader.
            fired: whether an activation function lies between here and the reader, with nothing but
                concatenations after this layer and before it, so that this layer's output is what it gets.
        """
        layer = self._graph.layer(name)
        if layer.kind == "input":
            colours = _COLOURS[self._graph.channel_order]
            return tuple(SourceChannel(INPUT, index, colour, path) for index, colour in enumerate(colours))
        if layer.is_conv:
            return self._made(name, path)
        if layer.kind == "concat":
            traced: tuple[SourceChannel, ...] = ()
            for source in layer.maps:
                traced += self.channels(source, (name, *path), fired)
            return traced
        if layer.kind in _SILENT:
            return self.channels(layer.maps[0], path, fired or _bends(layer))
        if layer.kind == "batch_norm" and self._folded(layer):
            return self._made(layer.inputs[0], path)
        if layer.kind == "add":
            return self._sum(layer, path)
        if layer.kind in _OWN_CHANNEL or (layer.kind == "multiply" and len(layer.maps) == 1):
            further = self.channels(layer.maps[0], (name, *path), False)
            if not fired:
                return further
            # What the activation gets is this layer's output: that is where the channel is seen.
            return tuple(
                SourceChannel(name, index, source.label, source.path, source.branches)
                for index, source in enumerate(further)
            )
        raise self._untraceable(layer)

    def _made(self, name: str, path: tuple[str, ...]) -> tuple[SourceChannel, ...]:
        return tuple(SourceChannel(name, index, f"{name}:{index}", path) for index in range(self._graph.channels(name)))

    def _folded(self, norm: LayerSpec) -> bool:
        feed = self._graph.layer(norm.inputs[0])
        return feed.is_conv and self._graph.norm_after(feed.name) == norm

    def _sum(self, layer: LayerSpec, path: tuple[str, ...]) -> tuple[SourceChannel, ...]:
        branches = [self._labels(name) for name in layer.maps]
        return tuple(
            SourceChannel(layer.name, index, f"{layer.name}:{index}", path, tuple(labels[index] for labels in branches))
            for index in range(self._graph.channels(layer.name))
        )

    def _labels(self, name: str) -> tuple[str, ...]:
        """Label of each channel of a branch; a branch that can't be followed is named by its own layer."""
        try:
            return tuple(source.label for source in self.channels(name, (), False))
        except Untraceable:
            return tuple(f"{name}:{index}" for index in range(self._graph.channels(name)))

    def _untraceable(self, layer: LayerSpec) -> Untraceable:
        if layer.kind in GLOBAL_KINDS:
            reason = "has one value for the whole image"
        elif layer.kind == "multiply":
            reason = "multiplies maps with each other"
        else:
            reason = _REASONS.get(layer.kind, "can't be followed")
        kind = layer.operation or layer.kind
        return Untraceable(
            f"the inputs of {self._reader} can't be traced: {layer.name} ({kind}) stands in the way and {reason}; "
            "expected convolutions, pooling, padding, normalisation, activations, concatenation and sums alone. "
            "Choose a conv layer before it, or one further behind it."
        )


def _bends(layer: LayerSpec) -> bool:
    return layer.kind == "activation" and layer.activation != "linear"
