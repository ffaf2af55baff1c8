"""Small seeded networks as people bring them: U-Nets, segmentation, pruned and broken units, other normalisations."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

layers = keras.layers


def seeded(model: keras.Model) -> keras.Model:
    """The model with weights drawn anew."""
    generator = np.random.default_rng(0)
    for variable in model.weights:
        if "moving" in variable.path or "gamma" in variable.path:
            variable.assign(generator.uniform(0.5, 2, variable.shape))
        elif "vector" not in variable.path:
            variable.assign(generator.normal(0, 0.3, variable.shape))
    return model


def _classified(image: Any, last: Any) -> keras.Model:
    """A seeded model with a classifier behind its last layer."""
    whole = layers.GlobalAveragePooling2D(name="whole")(last)
    return seeded(keras.Model(image, layers.Dense(3, activation="softmax", name="classes")(whole)))


def _conv(name: str) -> Any:
    return layers.Conv2D(4, 3, padding="same", activation="relu", name=name)


def _scaled(side: int | None) -> tuple[Any, Any]:
    image = keras.Input((side, side, 3))
    return image, layers.Rescaling(1 / 255, name="scaled")(image)


def unet(side: int | None = None) -> keras.Model:
    """Down, up by a transposed convolution, joined with what came before, and a class for each position."""
    image, scaled = _scaled(side)
    first = _conv("first")(scaled)
    inner = layers.Conv2D(6, 3, padding="same", activation="relu", name="inner")(layers.MaxPooling2D(2)(first))
    up = layers.Conv2DTranspose(4, 2, 2, name="up")(inner)
    joined = layers.Concatenate(name="joined")([up, first])
    behind = _conv("behind")(joined)
    last = _conv("last")(behind)
    return seeded(keras.Model(image, layers.Conv2D(3, 1, activation="softmax", name="classes")(last)))


def added(side: int | None = 48) -> keras.Model:
    """Down, up by repetition, added to what came before, and a classifier."""
    image, scaled = _scaled(side)
    stem = _conv("stem")(scaled)
    down = layers.Conv2D(4, 3, 2, padding="same", activation="relu", name="down")(stem)
    total = layers.Add(name="total")([layers.UpSampling2D(2, name="up")(down), stem])
    after = _conv("after")(total)
    return _classified(image, after)


def segmentation() -> keras.Model:
    """A class for each position, without any change of size."""
    image, scaled = _scaled(32)
    first = _conv("first")(scaled)
    return seeded(keras.Model(image, layers.Conv2D(3, 1, activation="softmax", name="classes")(first)))


def broken() -> keras.Model:
    """Unit 0 of `middle` is dead, unit 1 isn't a number, unit 2 is sound; a classifier that reads all three."""
    image, scaled = _scaled(32)
    first = _conv("first")(scaled)
    middle = _conv("middle")(first)
    last = _conv("last")(middle)
    model = _classified(image, last)
    layer = model.get_layer("middle")
    kernel, bias = layer.get_weights()
    kernel[..., 0], bias[0] = 0, 0
    kernel[..., 1] = np.nan
    layer.set_weights([kernel, bias])
    return model


def pruned() -> keras.Model:
    """Unit 0 of `middle` is dead; a classifier behind it."""
    model = broken()
    layer = model.get_layer("middle")
    kernel, bias = layer.get_weights()
    kernel[..., 1] = 0.1
    layer.set_weights([kernel, bias])
    return model


def normalised() -> keras.Model:
    """Group normalisation behind a conv layer, and a spectral normalisation around one."""
    image, scaled = _scaled(32)
    plain = layers.Conv2D(8, 3, padding="same", name="plain")(scaled)
    active = layers.ReLU(name="plain_relu")(layers.GroupNormalization(2, name="plain_norm")(plain))
    following = _conv("following")(active)
    wrapped = layers.Conv2D(4, 3, 2, padding="same", activation="relu", name="kernel_of_spectral")
    spectral = layers.SpectralNormalization(wrapped, name="spectral")(following)
    last = layers.Conv2D(4, 3, padding="same", name="last")(spectral)
    return _classified(image, last)
