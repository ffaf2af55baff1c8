"""The Keras model against plain NumPy."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.convolution import convolve, max_pool
from vizengine.network.model import Network
from vizengine.network.probes import Probe


def test_tiny_network_equals_numpy(tiny_network: Network) -> None:
    image = np.random.default_rng(3).uniform(0, 1, (37, 41, 3)).astype(np.float32)
    weights = tiny_network.weights
    prepared = image.astype(np.float64) * 255 - np.array([120.0, 110.0, 100.0])
    first = np.maximum(convolve(prepared, *weights["first"], 2, "valid"), 0)
    left = np.maximum(convolve(first, *weights["left"], 1, "same"), 0)
    right = np.maximum(convolve(first, *weights["right"], 1, "same"), 0)
    pool = max_pool(np.concatenate([left, right], -1), 3, 2)
    expected = convolve(pool, *weights["last"], 2, "same")
    pre = Probe(tiny_network, "last").numpy(image[None])[0]
    np.testing.assert_allclose(pre, expected, rtol=1e-4, atol=1e-3)


def test_pre_activation_is_what_the_activation_is_taken_of(squeezenet: Network) -> None:
    images = np.random.default_rng(4).uniform(0, 1, (2, 96, 96, 3)).astype(np.float32)
    pre = Probe(squeezenet, "fire3/expand3x3").numpy(images)
    after = np.asarray(squeezenet.model_upto("fire3/expand3x3")(squeezenet.prepare(tf.constant(images))))
    assert (pre < 0).any()
    np.testing.assert_allclose(np.maximum(pre, 0), after, rtol=1e-4, atol=1e-3)


def test_bgr_network_reads_blue_first(squeezenet: Network) -> None:
    blue = np.zeros((1, 1, 1, 3), np.float32)
    blue[..., 2] = 1
    np.testing.assert_allclose(
        np.asarray(squeezenet.prepare(tf.constant(blue)))[0, 0, 0], [150.994, -116.669, -122.679], rtol=1e-5
    )


def test_vgg19_equals_keras_own_model(vgg19: Network) -> None:
    theirs = keras.applications.VGG19(weights=None, include_top=False, input_shape=(64, 64, 3))
    for name, arrays in vgg19.weights.items():
        theirs.get_layer(name).set_weights(list(arrays))
    pixels = np.random.default_rng(5).uniform(0, 1, (1, 64, 64, 3)).astype(np.float32)
    prepared = keras.applications.vgg19.preprocess_input(pixels * 255.0)
    expected = keras.Model(theirs.inputs, theirs.get_layer("block3_conv3").output)(prepared)
    pre = np.maximum(Probe(vgg19, "block3_conv3").numpy(pixels), 0)
    np.testing.assert_allclose(pre, np.asarray(expected), rtol=1e-3, atol=1e-1)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_weights_get_no_gradient(tiny_network: Network, precision: str) -> None:
    assert not tiny_network.model_upto("pool", precision=precision).trainable_variables
