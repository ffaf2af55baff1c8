"""A network that can compute: the Keras model of an architecture with its weights, cut where it is needed."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from vizengine.networks.architecture import Architecture, LayerSpec
from vizengine.networks.formats import LayerWeights

Precision = str


def make_deterministic() -> None:
    """Make every TensorFlow operation give the same result at each run on the same machine."""
    tf.config.experimental.enable_op_determinism()


def use_threads(count: int) -> None:
    """Have TensorFlow use so many threads for each operation; before it computes anything."""
    tf.config.threading.set_intra_op_parallelism_threads(count)
    tf.config.threading.set_inter_op_parallelism_threads(1)


class Network:
    """An architecture and its weights.

    Args:
        architecture: the layers.
        weights: kernel and bias of at least the layers up to the unit.

    Raises:
        KeyError: a method needs a layer whose weights weren't given.
    """

    def __init__(self, architecture: Architecture, weights: LayerWeights) -> None:
        self.architecture = architecture
        self.weights = weights

    def prepare(self, images: tf.Tensor) -> tf.Tensor:
        """Images as a person sees them to what the network takes.

        Args:
            images: (batch, height, width, 3), RGB in [0, 1].

        Returns:
            Same shape: pixels in [0, 255] in the network's colour order, less its channel means.
        """
        if self.architecture.channel_order == "bgr":
            images = images[..., ::-1]
        return images * 255.0 - tf.constant(self.architecture.channel_mean, images.dtype)

    def model_upto(self, layer: str, precision: Precision = "float32") -> keras.Model:
        """A model from a prepared image of any size to the activation of `layer`, its weights constant.

        Args:
            layer: any layer from the input on; the model has no layer beyond it.
            precision: Keras dtype policy of weights and arithmetic, `float32` or `bfloat16`.
        """
        return self._build(layer, None, precision)

    @cached_property
    def classifier(self) -> keras.Model:
        """A model from prepared images of the classifier's input size to class probabilities (batch, 1000)."""
        return self._build(self.architecture.layers[-1].name, self.architecture.input_size, "float32")

    def classify(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Class probabilities.

        Args:
            images: (batch, input_size, input_size, 3), RGB in [0, 1].

        Returns:
            (batch, 1000), rows sum to 1.
        """
        prepared = self.prepare(tf.constant(images, tf.float32))
        return np.asarray(self.classifier(prepared, training=False))

    def _build(self, last: str, size: int | None, precision: Precision) -> keras.Model:
        tensors: dict[str, Any] = {}
        layers: dict[str, keras.layers.Layer] = {}
        needed = self.architecture.upto(last)
        for spec in needed:
            if spec.kind == "input":
                tensors[spec.name] = keras.Input((size, size, 3), dtype=precision)
                continue
            layer = _keras_layer(spec, precision)
            feeds = [tensors[name] for name in spec.inputs]
            tensors[spec.name] = layer(feeds if spec.kind == "concat" else feeds[0])
            layers[spec.name] = layer
        for spec in needed:
            if spec.kind in ("conv", "dense"):
                layers[spec.name].set_weights(list(self.weights[spec.name]))
        model = keras.Model(tensors[needed[0].name], tensors[last])
        model.trainable = False
        return model


def _keras_layer(spec: LayerSpec, precision: Precision) -> keras.layers.Layer:
    common: dict[str, Any] = {"name": spec.keras_name, "dtype": precision}
    match spec.kind:
        case "conv":
            return keras.layers.Conv2D(
                spec.filters, spec.kernel, spec.stride, padding=spec.padding, activation=spec.activation, **common
            )
        case "max_pool":
            return keras.layers.MaxPooling2D(spec.kernel, spec.stride, padding=spec.padding, **common)
        case "concat":
            return keras.layers.Concatenate(**common)
        case "global_average_pool":
            return keras.layers.GlobalAveragePooling2D(**common)
        case "flatten":
            return keras.layers.Flatten(**common)
        case "dense":
            return keras.layers.Dense(spec.filters, activation=spec.activation, **common)
        case "softmax":
            return keras.layers.Softmax(**common)
    raise ValueError(f"layer {spec.name} is of kind {spec.kind}, which has no Keras layer")
