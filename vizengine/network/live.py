"""A network whose layers are those of a Keras model, run node by node at any image size."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vizengine.network.architecture import Architecture
from vizengine.network.graph import FoldedWeights, ModelGraph, channel_scale
from vizengine.network.layers import INPUT, LayerSpec
from vizengine.network.model import Network, Precision, Prepare
from vizengine.network.probes import PreActivation
from vizengine.runtime import keras
from vizengine.runtime import tensorflow as tf


class LiveNetwork(Network):
    """A Keras model as a network; its arguments are those of `Network`, with `graph` in the place of weights."""

    precisions = ("float32",)

    def __init__(
        self,
        architecture: Architecture,
        graph: ModelGraph,
        prepare: Prepare | None = None,
        labels: tuple[str, ...] = (),
    ) -> None:
        self.nodes = {node.name: node for node in graph.nodes}
        super().__init__(architecture, FoldedWeights(architecture, self.nodes), prepare, labels)

    def has_weights(self, spec: LayerSpec) -> bool:
        return True

    def apply(self, spec: LayerSpec, outputs: dict[str, Any]) -> Any:
        return self.nodes[spec.name](outputs)

    def channel_factor(self, spec: LayerSpec) -> NDArray[np.float32]:
        operation: Any = self.nodes[spec.name].layer
        if isinstance(operation, keras.layers.BatchNormalization):
            return channel_scale(operation)[0].astype(np.float32)
        if isinstance(operation, (keras.layers.LayerNormalization, keras.layers.GroupNormalization)):
            gamma = 1.0 if operation.gamma is None else keras.ops.convert_to_numpy(operation.gamma)
            return np.asarray(gamma, np.float32)
        # Other scalings multiply by constants, which the difference of two of their values shows.
        shape = (1, 1, 1, self.architecture.channels(spec.inputs[0]))
        ones, zeros = tf.ones(shape), tf.zeros(shape)
        at_one, at_zero = (
            np.asarray(self.apply(spec, {spec.inputs[0]: tensor}), np.float32) for tensor in (ones, zeros)
        )
        return np.asarray((at_one - at_zero)[0, 0, 0])

    def branch_factors(self, spec: LayerSpec) -> tuple[float, ...]:
        ones, zeros = tf.ones((1, 1, 1, 1)), tf.zeros((1, 1, 1, 1))
        feeds = [dict.fromkeys(spec.inputs, zeros) | {name: ones} for name in spec.maps]
        return tuple(float(np.asarray(self.apply(spec, feed)).ravel()[0]) for feed in feeds)

    def before_softmax(self, spec: LayerSpec, outputs: dict[str, Any]) -> Any:
        if spec.kind == "softmax":
            return outputs[spec.inputs[0]]
        if spec.is_conv:
            return PreActivation(self, spec.name)(outputs[spec.inputs[0]])
        layer: Any = self.nodes[spec.name].layer
        return tf.matmul(outputs[spec.inputs[0]], layer.kernel.value) + (
            0.0 if layer.bias is None else layer.bias.value
        )

    def model_upto(self, *layers: str, size: int | None = None, precision: Precision = "float32") -> keras.Model:
        tensors: dict[str, Any] = {}
        for spec in self.architecture.upto(*layers):
            if spec.kind == "input":
                tensors[INPUT] = keras.Input((size, size, self.architecture.channels(INPUT)))
            else:
                tensors[spec.name] = self.nodes[spec.name](tensors)
        outputs = [tensors[name] for name in layers]
        return keras.Model(tensors[INPUT], outputs if len(outputs) > 1 else outputs[0])
