"""The linearized network: activations are the identity, max-pooling averages, gates are 1.

Through it a unit's dependence on any earlier layer is one kernel, its expanded weights (Voss and others,
Visualizing Weights, Distill 2021). Excitation and inhibition along different ways can cancel in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vizengine.network.architecture import Architecture, Untraceable
from vizengine.network.layers import GLOBAL_KINDS, LayerSpec
from vizengine.network.model import Canvas, Network, canvas_for
from vizengine.network.probes import PreActivation
from vizengine.runtime import tensorflow as tf


class LinearNetwork:
    """The linearized network from `first`, a conv layer's pre-activations or `input`, to that of a unit behind it.

    Ways that go round the first layer, as the other branch of a sum does, carry nothing. A layer or group
    normalisation keeps its factor for each channel alone.

    Raises:
        ValueError: `layer` isn't behind `first`.
        Untraceable: a layer between them can't be linearized.
    """

    def __init__(self, network: Network, first: str, layer: str, unit: int) -> None:
        self.first = first
        self.layer = layer
        self._network = network
        self._unit = PreActivation(network, layer, [unit])
        whole = network.architecture
        behind = whole.behind(first)
        if layer not in behind or layer == first:
            raise ValueError(f"{layer} isn't behind {first}; expected a layer that is fed by it")
        layers = [
            replace(spec, inputs=tuple(name for name in spec.maps if name in behind), gates=())
            for spec in whole.upto(layer)
            if spec.name in behind
        ]
        layers[0] = LayerSpec(first, "input")
        # The geometry of what lies between, in positions of the first layer in place of pixels.
        self.between: Architecture = replace(whole, layers=tuple(layers), preprocess="")
        for spec in self.between.upto(self._unit.feed):
            joins_maps = spec.kind == "multiply" and len(whole.layer(spec.name).maps) != 1
            if joins_maps or spec.kind in (*GLOBAL_KINDS, "reshape", "flatten", "dense", "softmax", "other"):
                raise Untraceable(
                    f"the expanded weights of {layer} can't be found: {spec.name} ({spec.operation or spec.kind}) "
                    "stands between, and can't be linearised; expected an earlier layer behind it."
                )

    @cached_property
    def canvas(self) -> Canvas:
        """Where to look: the smallest map of `first` on which the unit's field lies whole."""
        return canvas_for(self.between, self._unit.spec.name)

    def __call__(self, tensor: tf.Tensor) -> tf.Tensor:
        """The unit's linearized pre-activation, (batch, down, across), of an output of `first`."""
        outputs: dict[str, Any] = {self.first: tensor}
        for spec in self.between.upto(self._unit.feed)[1:]:
            outputs[spec.name] = self._apply(spec, outputs)
        return self._unit(outputs[self._unit.feed])[..., 0]

    def weights(self) -> NDArray[np.float32]:
        """The unit's expanded weights: (size, size, channels of `first`), in units of pre-activation per unit there."""
        canvas = self.canvas
        shape = (1, canvas.side, canvas.side, self._network.architecture.channels(self.first))
        with tf.GradientTape() as tape:
            tensor = tf.zeros(shape)
            tape.watch(tensor)
            value = self(tensor)[0, canvas.position, canvas.position]
        gradient = tape.gradient(value, tensor)[0]
        end = canvas.first + canvas.size
        return np.asarray(gradient)[canvas.first : end, canvas.first : end]

    def _apply(self, spec: LayerSpec, outputs: Mapping[str, Any]) -> Any:
        architecture = self._network.architecture
        whole, feeds = architecture.layer(spec.name), [outputs[name] for name in spec.inputs]
        if spec.is_conv:
            return PreActivation(self._network, spec.name)(feeds[0])
        match spec.kind:
            case "max_pool" | "average_pool":
                return tf.nn.avg_pool2d(feeds[0], spec.window, spec.stride, spec.padding.upper())
            case "zero_padding":
                return tf.pad(feeds[0], ((0, 0), *spec.margins, (0, 0)))
            case "cropping":
                (top, bottom), (left, right) = spec.margins
                return feeds[0][:, top : feeds[0].shape[1] - bottom, left : feeds[0].shape[2] - right]
            case "concat" | "add":
                # Zeros for branches that don't come from `first`.
                shape = feeds[0].shape[:-1]
                branches = [
                    outputs[name] if name in spec.inputs else tf.zeros((*shape, architecture.channels(name)))
                    for name in whole.maps
                ]
                if spec.kind == "concat":
                    return tf.concat(branches, -1)
                factors = self._network.branch_factors(whole)
                return tf.add_n([branch * factor for branch, factor in zip(branches, factors, strict=True)])
            case "batch_norm" if architecture.is_folded(whole):
                return feeds[0]
            case "batch_norm" | "scale" | "layer_norm" | "group_norm":
                return feeds[0] * tf.constant(self._network.channel_factor(whole), tf.float32)
        return feeds[0]
