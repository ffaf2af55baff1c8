"""One peer at its own defaults, in a process and an environment of its own.

Takes a Keras model from RGB pixels in [0, 255] to the activation of the layer, makes one picture for each
channel, and saves the pictures and the seconds they took, the peer's own compilation included.

    python peer.py NAME MODEL LAYER CHANNELS SIZE OUT [STEPS]
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf


def tf_keras_vis(model: keras.Model, layer: str, channels: list[int], size: int) -> np.ndarray:
    """As its documentation visualizes conv filters, all channels in one batch; 200 steps."""
    from tf_keras_vis.activation_maximization import ActivationMaximization
    from tf_keras_vis.utils.model_modifiers import ExtractIntermediateLayer, ReplaceToLinear
    from tf_keras_vis.utils.scores import CategoricalScore

    modifiers = [ExtractIntermediateLayer(index_or_name=layer), ReplaceToLinear()]
    maximization = ActivationMaximization(model, model_modifier=modifiers, clone=True)
    generator = np.random.default_rng(0)
    seeds = generator.uniform(0, 255, (len(channels), size, size, 3)).astype(np.float32)
    return np.asarray(maximization(CategoricalScore(channels), seed_input=seeds))


def xplique(model: keras.Model, layer: str, channels: list[int], size: int) -> np.ndarray:
    """Objective.channel and optimize, 256 steps, at the benchmark's size instead of its 512 px."""
    from xplique.features_visualizations import Objective, optimize

    # It rebuilds the model for each objective; its own batching is over the channels of one call.
    objective = Objective.channel(model, layer, channels)
    images, _ = optimize(objective, custom_shape=(size, size), values_range=(0, 255))
    return np.concatenate([np.asarray(each) for each in images[-1:]])


def keras_recipe(model: keras.Model, layer: str, channels: list[int], size: int) -> np.ndarray:
    """The example `Visualizing what convnets learn` of keras.io: 30 steps of normalised gradient, one channel each."""
    features = keras.Model(model.inputs, model.get_layer(layer).output)

    @tf.function
    def step(image: tf.Tensor, channel: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(image)
            # The example's input range is that of a network on [-1, 1]; this model takes [0, 255].
            value = tf.reduce_mean(features(image * 127.5 + 127.5)[:, 2:-2, 2:-2, channel])
        return image + 10.0 * tf.math.l2_normalize(tape.gradient(value, image))

    pictures = []
    for channel in channels:
        image = (tf.random.stateless_uniform((1, size, size, 3), (0, channel)) - 0.5) * 0.25
        for _ in range(30):
            image = step(image, tf.constant(channel))
        shown = image.numpy()[0]
        shown = (shown - shown.mean()) / (shown.std() + 1e-5) * 0.15
        pictures.append(np.clip(shown + 0.5, 0, 1) * 255)
    return np.stack(pictures)


PEERS: dict[str, Callable[[keras.Model, str, list[int], int], np.ndarray]] = {
    "tf-keras-vis": tf_keras_vis,
    "xplique": xplique,
    "keras recipe": keras_recipe,
}


def main() -> None:
    """Run one peer."""
    name, path, layer, numbers, size, out = sys.argv[1:7]
    model = keras.models.load_model(path)
    channels = [int(each) for each in numbers.split(",")]
    started = time.perf_counter()
    images = PEERS[name](model, layer, channels, int(size))
    seconds = time.perf_counter() - started
    np.savez(out, images=np.clip(images, 0, 255).round().astype(np.uint8), seconds=seconds)


if __name__ == "__main__":
    main()
