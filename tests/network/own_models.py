"""Keras models of the tests' own, with every kind of layer that the graph knows."""

from __future__ import annotations

import keras
import numpy as np

from vizengine.network.architecture import Architecture
from vizengine.network.graph import read_model
from vizengine.network.live import LiveNetwork
from vizengine.network.open import draw_weights


def functional_model(channels: int = 3, side: int | None = 48) -> keras.Model:
    """Rescaling, groups, dilation, oblong windows, a gate, a nested model, sums, joins, a classifier."""
    layers = keras.layers
    image = keras.Input((side, side, channels))
    scaled = layers.Rescaling(1 / 255, name="scaled")(image)
    stem = layers.Conv2D(8, 3, 2, padding="same", use_bias=False, name="stem")(scaled)
    stem = layers.ReLU(6.0, name="stem_relu")(layers.BatchNormalization(name="stem_norm")(stem))
    oblong = layers.Conv2D(6, (1, 5), padding="same", activation="gelu", name="oblong")(stem)
    tall = layers.Conv2D(6, (5, 1), activation="relu", name="tall")(
        layers.ZeroPadding2D(((2, 2), (0, 0)), name="margin")(oblong)
    )
    grouped = layers.Conv2D(8, 3, padding="same", groups=2, activation="silu", name="grouped")(stem)
    wide = layers.Conv2D(6, 3, padding="same", dilation_rate=2, name="wide")(grouped)
    joined = layers.Concatenate(name="joined")([tall, layers.Dropout(0.5, name="dropped")(wide)])
    pooled = layers.AveragePooling2D(3, 2, padding="same", name="pooled")(joined)
    norm = layers.Activation("relu", name="norm_relu")(layers.BatchNormalization(name="norm")(pooled))
    separable = layers.SeparableConv2D(12, 3, padding="same", depth_multiplier=2, name="separable")(norm)
    total = layers.Add(name="total")([separable, pooled])
    inner_input = keras.Input((None, None, 12))
    inner = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2, name="deep")(inner_input)
    inner = layers.BatchNormalization(name="deep_norm")(inner)
    block = keras.Model(inner_input, layers.Activation("swish", name="deep_swish")(inner), name="block")
    deep = block(layers.Activation("relu", name="total_relu")(total))
    squeezed = layers.GlobalAveragePooling2D(keepdims=True, name="squeeze")(deep)
    gate = layers.Conv2D(24, 1, activation="sigmoid", name="excite")(squeezed)
    gated = layers.Multiply(name="gated")([deep, gate])
    last = layers.Conv2D(10, 3, name="last")(layers.MaxPooling2D(2, name="small")(gated))
    pooled = layers.GlobalMaxPooling2D(name="whole")(last)
    return keras.Model(image, layers.Dense(4, activation="softmax", name="classes")(pooled))


@keras.saving.register_keras_serializable("tests")
class SubclassedModel(keras.Model):
    """A model whose layers are called in Python, without names of their own."""

    def __init__(self, **keywords: object) -> None:
        super().__init__(**keywords)
        self.first = keras.layers.Conv2D(6, 3, padding="same")
        self.norm = keras.layers.BatchNormalization()
        self.pool = keras.layers.MaxPooling2D(2)
        self.second = keras.layers.Conv2D(8, 3, padding="same", activation="relu")
        self.third = keras.layers.Conv2D(5, 3, padding="same")
        self.classes = keras.layers.Dense(3)

    def call(self, image, training=None):
        first = self.pool(keras.ops.relu(self.norm(self.first(image), training=training)))
        second = self.second(first)
        third = self.third(keras.ops.concatenate([first, second], axis=-1))
        return self.classes(keras.ops.mean(third, axis=(1, 2)))


def network_of(model: keras.Model, shape: tuple[int | None, int | None, int] | None = None) -> LiveNetwork:
    """The model with seeded weights, its pixels in [0, 255]."""
    graph = read_model(model, shape)
    draw_weights(graph, 0)
    order = "grey" if graph.input_shape[2] == 1 else "rgb"
    architecture = Architecture("own", "Own", graph.layers, 48, order, (0.0,) * graph.input_shape[2], "", "")
    return LiveNetwork(architecture, graph)


def noise(height: int, width: int) -> np.ndarray:
    """One image, RGB in [0, 1]."""
    return np.random.default_rng(0).uniform(0, 1, (1, height, width, 3)).astype(np.float32)
