"""The pre-activations of a conv layer, what its channels say before the activation function, and what it reads.

With the activation itself, a unit that starts below zero has no gradient, and its picture stays the
noise that it began with (keras-team/keras#18334).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from vizengine.networks.network import Network, Precision
from vizengine.networks.pre_activation import PreActivation


class Probe:
    """Computes pre-activations of some channels of one layer, and nothing beyond them.

    Args:
        network: the network.
        layer: a conv layer, or a sum or another layer with a map.
        channels: which of its channels, in which order; all by default.
        precision: `float32`, or `bfloat16` for the ascent.
    """

    def __init__(
        self, network: Network, layer: str, channels: Sequence[int] | None = None, precision: Precision = "float32"
    ) -> None:
        self.network = network
        # A network that hasn't the precision computes in the one that it has.
        precision = precision if precision in network.precisions else network.precisions[0]
        self._pre_activation = PreActivation(network, layer, channels, precision)
        self.spec = self._pre_activation.spec
        self._below = network.model_upto(self._pre_activation.feed, precision)
        self._dtype = tf.as_dtype(precision)

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        """Pre-activations of images.

        Args:
            images: (batch, height, width, 3), RGB in [0, 1], any size that the layers below admit.

        Returns:
            (batch, positions down, positions across, channels) float32.
        """
        below = self._below(tf.cast(self.network.prepare(images, self.spec.name), self._dtype), training=False)
        return self._pre_activation(below)

    def numpy(self, images: NDArray[np.floating]) -> NDArray[np.float32]:
        """The same for a NumPy array and back."""
        return np.asarray(self(tf.constant(images, tf.float32)))


class GroupProbe:
    """Computes weighted sums of the channels that a conv layer reads, and nothing beyond them.

    Args:
        network: the network.
        layer: the conv layer that reads the channels.
        weights: (inputs, groups), a weight of each channel for each group.
        precision: `float32`, or `bfloat16` for the ascent.
    """

    def __init__(
        self, network: Network, layer: str, weights: NDArray[np.floating], precision: Precision = "float32"
    ) -> None:
        self._network = network
        self._layer = layer
        self._below = network.model_upto(network.architecture.layer(layer).inputs[0], precision)
        self._dtype = tf.as_dtype(precision)
        self._weights = tf.constant(weights, self._dtype)

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        """Values of images, as for `Probe`: (batch, positions down, positions across, groups) float32."""
        below = self._below(tf.cast(self._network.prepare(images, self._layer), self._dtype), training=False)
        return tf.cast(tf.tensordot(below, self._weights, 1), tf.float32)
