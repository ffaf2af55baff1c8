"""Pre-activations of some channels of one layer, from the tensor that feeds it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from vizengine.network.layers import LayerSpec
from vizengine.network.model import Network, Precision
from vizengine.runtime import tensorflow as tf


class PreActivation:
    """Takes the tensor that feeds a layer and gives the pre-activations of the layer's channels.

    A conv layer is one plain convolution, a batch normalisation behind it folded in, restricted to the channels that
    are asked for. Of any other layer, a sum for example, the output is taken as it is.

    Args:
        layer: one with a map.
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
            self._gathered = np.r_[tuple(reads)] if self.spec.groups > 1 else None

    def __call__(self, feed: tf.Tensor) -> tf.Tensor:
        """(batch, down, across, channels) of the tensor that `feed` gives, float32."""
        if not self.spec.is_conv:
            return tf.cast(tf.gather(feed, self._chosen, axis=-1), tf.float32)
        kernel, bias = self._constants
        padding, stride, dilation = self.spec.padding.upper(), self.spec.stride, self.spec.dilation
        if self._gathered is None:
            # Its gradient exists on every processor; that of `conv2d` only where oneDNN takes dilated kernels.
            pre = tf.nn.convolution(feed, kernel, stride, padding, dilations=dilation)
        else:
            parts = self._by_group(feed, padding)
            pre = tf.reduce_sum(tf.reshape(parts, (*tf.unstack(tf.shape(parts))[:3], len(self._chosen), -1)), -1)
        return tf.cast(pre + bias, tf.float32)

    def _by_group(self, feed: tf.Tensor, padding: str) -> tf.Tensor:
        """Every chosen unit's own inputs, each with its own slice, unit after unit."""
        kernel, gathered = self._constants[0], np.asarray(self._gathered)
        rows, columns = self.spec.window
        slices = tf.reshape(tf.transpose(kernel, (0, 1, 3, 2)), (rows, columns, len(gathered), 1))
        inputs = tf.gather(feed, gathered, axis=-1)
        stride, dilation = self.spec.stride, self.spec.dilation
        return tf.nn.depthwise_conv2d(inputs, slices, [1, stride, stride, 1], padding, dilations=[dilation, dilation])

    def at(self, feed: tf.Tensor, position: int) -> NDArray[np.floating]:
        """(batch, channels) at one position, the same down and across, which must not read any padding.

        Raises:
            ValueError: it does.
        """
        if not self.spec.is_conv:
            return np.asarray(feed[:, position, position])[:, self._chosen]
        window = self.window(feed, position)
        if self._gathered is None:
            return np.asarray(np.tensordot(window, self.kernel, 3) + self.bias)
        inputs = window[..., self._gathered].reshape(*window.shape[:3], len(self._chosen), -1)
        return np.asarray(np.einsum("bhwuc,hwcu->bu", inputs, self.kernel) + self.bias)

    def window(self, feed: tf.Tensor, position: int) -> NDArray[np.float32]:
        """(batch, height, width, in) what the kernel of a conv layer reads at one position, as for `at`."""
        side, spec = int(feed.shape[1]), self.spec
        firsts = [position * spec.stride - spec.padding_before(axis, side) for axis in (0, 1)]
        if min(firsts) < 0 or max(first + spec.reach(axis) for axis, first in enumerate(firsts)) > side:
            raise ValueError(
                f"position {position} of {spec.name} reads outside its input of side {side}; expected one inside"
            )
        (rows, columns), step = spec.window, spec.dilation
        down = slice(firsts[0], firsts[0] + (rows - 1) * step + 1, step)
        across = slice(firsts[1], firsts[1] + (columns - 1) * step + 1, step)
        return np.asarray(feed[:, down, across])


class Probe:
    """Computes pre-activations of some channels of one layer as `PreActivation` does, and nothing beyond them."""

    def __init__(
        self, network: Network, layer: str, channels: Sequence[int] | None = None, precision: Precision = "float32"
    ) -> None:
        self.network = network
        # A network that hasn't the precision computes in the one that it has.
        precision = precision if precision in network.precisions else network.precisions[0]
        self._pre_activation = PreActivation(network, layer, channels, precision)
        self.spec = self._pre_activation.spec
        self._below = network.model_upto(self._pre_activation.feed, precision=precision)
        self._dtype = tf.as_dtype(precision)

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        """Pre-activations, (batch, positions down, positions across, channels) float32.

        The images, (batch, height, width, 3) RGB in [0, 1], have any size that the layers below admit.
        """
        below = self._below(tf.cast(self.network.prepare(images, self.spec.name), self._dtype), training=False)
        return self._pre_activation(below)

    def numpy(self, images: NDArray[np.floating]) -> NDArray[np.float32]:
        """The same for a NumPy array and back."""
        return np.asarray(self(tf.constant(images, tf.float32)))


class GroupProbe:
    """Computes sums of the channels that a conv layer reads by `weights`, (inputs, groups), and nothing beyond them."""

    def __init__(
        self, network: Network, layer: str, weights: NDArray[np.floating], precision: Precision = "float32"
    ) -> None:
        self._network = network
        self._layer = layer
        self._below = network.model_upto(network.architecture.layer(layer).inputs[0], precision=precision)
        self._dtype = tf.as_dtype(precision)
        self._weights = tf.constant(weights, self._dtype)

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        """Values of images, as for `Probe`: (batch, positions down, positions across, groups) float32."""
        below = self._below(tf.cast(self._network.prepare(images, self._layer), self._dtype), training=False)
        return tf.cast(tf.tensordot(below, self._weights, 1), tf.float32)


class Intervention:
    """Runs the classifier with and without a change to the activation of one layer.

    Only the layers behind the change are computed again; those beside it, as the other branch of a
    concatenation, keep their activations. Attribute `layer` is what gives a conv layer's activation: itself, or the
    activation function behind it.
    """

    def __init__(self, network: Network, layer: str) -> None:
        self._network = network
        self.layer = network.architecture.activation(layer)
        self._specs = network.architecture.layers
        behind = network.architecture.behind(self.layer, gates=True) - {self.layer}
        self._behind = tuple(spec for spec in self._specs if spec.name in behind)

    def activations(self, images: NDArray[np.floating]) -> dict[str, tf.Tensor]:
        """Every layer's activation for images (batch, input_size, input_size, 3), RGB in [0, 1].

        The last entry, `logits`, is the input of the softmax.
        """
        first, *others = self._specs
        outputs = {first.name: self._network.prepare(tf.constant(images, tf.float32))}
        return self._compute(outputs, tuple(others))

    def changed_logits(
        self, activations: dict[str, tf.Tensor], change: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        """Logits, (batch, classes), with the layer's activation changed.

        `change` takes the layer's activation, (batch, down, across, channels), and returns another of that shape.
        """
        changed = tf.constant(change(np.array(activations[self.layer])))
        return np.asarray(self._compute({**activations, self.layer: changed}, self._behind)["logits"])

    def _compute(self, outputs: dict[str, tf.Tensor], specs: tuple[LayerSpec, ...]) -> dict[str, tf.Tensor]:
        for spec in specs:
            if spec.gives_softmax:
                outputs["logits"] = self._network.before_softmax(spec, outputs)
            else:
                outputs[spec.name] = self._network.apply(spec, outputs)
        if self._network.architecture.gives_logits:
            outputs["logits"] = outputs[self._specs[-1].name]
        if "logits" in outputs:
            outputs["logits"] = tf.reshape(outputs["logits"], (outputs["logits"].shape[0], -1))
        return outputs


def has_classifier(network: Network) -> bool:
    """Whether the network has the weights of every layer to the class probabilities."""
    architecture = network.architecture
    return architecture.is_classifier and all(network.has_weights(spec) for spec in architecture.layers)
