"""Pre-activations of some channels of one layer, from the tensor that feeds it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from vizengine.networks.network import Network, Precision


class PreActivation:
    """Takes the tensor that feeds a layer and gives what the layer's channels say before the activation function.

    A conv layer is one plain convolution, a batch normalisation behind it folded in, restricted to the channels that
    are asked for. Of any other layer, a sum for example, the output is taken as it is.

    Args:
        network: the network.
        layer: a layer with a map.
        channels: which of its channels, in which order; all by default.
        precision: of the convolution.

    Attributes:
        feed: name of the layer whose output is taken: the conv layer's input, or the layer itself.
    """

    def __init__(
        self, network: Network, layer: str, channels: Sequence[int] | None = None, precision: Precision = "float32"
    ) -> None:
        architecture = network.architecture
        self.spec = architecture.layer(layer)
        self.feed = self.spec.inputs[0] if self.spec.is_conv else layer
        count = architecture.channels(layer)
        chosen = np.arange(count) if channels is None else np.asarray(channels, dtype=int)
        self._chosen = chosen
        if self.spec.is_conv:
            kernel, bias = network.weights[layer]
            self.kernel: NDArray[np.float32] = np.ascontiguousarray(kernel[..., chosen])
            self.bias: NDArray[np.float32] = bias[chosen]
            self._dtype = tf.as_dtype(precision)
            self._constants = tf.constant(self.kernel, self._dtype), tf.constant(self.bias, self._dtype)
            reads = [architecture.reads(layer, int(unit)) for unit in chosen]
            # With one group every unit reads all channels, and nothing need be gathered.
            self._gathered = (
                np.concatenate([np.arange(each.start, each.stop) for each in reads]) if self.spec.groups > 1 else None
            )

    def __call__(self, feed: tf.Tensor) -> tf.Tensor:
        """(batch, down, across, channels) of the tensor that `feed` gives, float32."""
        if not self.spec.is_conv:
            return tf.cast(tf.gather(feed, self._chosen, axis=-1), tf.float32)
        kernel, bias = self._constants
        padding, stride, dilation = self.spec.padding.upper(), self.spec.stride, self.spec.dilation
        if self._gathered is None:
            pre = tf.nn.conv2d(feed, kernel, stride, padding, dilations=dilation)
        else:
            parts = self._by_group(feed, padding)
            pre = tf.reduce_sum(tf.reshape(parts, (*tf.unstack(tf.shape(parts))[:3], len(self._chosen), -1)), -1)
        return tf.cast(pre + bias, tf.float32)

    def _by_group(self, feed: tf.Tensor, padding: str) -> tf.Tensor:
        """Every chosen unit's own inputs, each with its own slice, unit after unit."""
        kernel, gathered = self._constants[0], np.asarray(self._gathered)
        rows, columns = self.spec.window
        slices = tf.reshape(tf.transpose(kernel, (0, 1, 3, 2)), (rows, columns, len(gathered), 1))
        own = tf.gather(feed, gathered, axis=-1)
        stride, dilation = self.spec.stride, self.spec.dilation
        return tf.nn.depthwise_conv2d(own, slices, [1, stride, stride, 1], padding, dilations=[dilation, dilation])

    def at(self, feed: tf.Tensor, position: int) -> NDArray[np.floating]:
        """(batch, channels) at one position, the same down and across, which must not read any padding.

        Raises:
            ValueError: it does.
        """
        if not self.spec.is_conv:
            return np.asarray(feed[:, position, position])[:, self._chosen]
        side, spec = int(feed.shape[1]), self.spec
        firsts = [position * spec.stride - spec.padding_before(axis, side) for axis in (0, 1)]
        if min(firsts) < 0 or max(first + spec.reach(axis) for axis, first in enumerate(firsts)) > side:
            raise ValueError(
                f"position {position} of {spec.name} reads outside its input of side {side}; expected one inside"
            )
        (rows, columns), step = spec.window, spec.dilation
        down = slice(firsts[0], firsts[0] + (rows - 1) * step + 1, step)
        across = slice(firsts[1], firsts[1] + (columns - 1) * step + 1, step)
        window = np.asarray(feed[:, down, across])
        if self._gathered is None:
            return np.asarray(np.tensordot(window, self.kernel, 3) + self.bias)
        own = window[..., self._gathered].reshape(*window.shape[:3], len(self._chosen), -1)
        return np.asarray(np.einsum("bhwuc,hwcu->bu", own, self.kernel) + self.bias)
