"""Change one channel in the middle of a network and see what the classifier makes of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from vizengine.networks.architecture import LayerSpec
from vizengine.networks.network import Network


class Intervention:
    """Runs the classifier with and without a change to the activation of one layer.

    Only the layers behind the change are computed again; those beside it, as the other branch of a
    concatenation, keep their activations.

    Args:
        network: one with all weights up to the class probabilities.
        layer: a conv layer, whose activation is changed.

    Attributes:
        layer: the layer that gives that activation: itself, or the activation function behind it.
    """

    def __init__(self, network: Network, layer: str) -> None:
        self._network = network
        self.layer = network.architecture.activation(layer)
        self._specs = network.architecture.layers
        behind = {self.layer}
        for spec in self._specs:
            if behind.intersection(spec.inputs):
                behind.add(spec.name)
        self._behind = tuple(spec for spec in self._specs if spec.name in behind and spec.name != self.layer)

    def activations(self, images: NDArray[np.floating]) -> dict[str, tf.Tensor]:
        """Every layer's activation; the last entry, `logits`, is the input of the softmax.

        Args:
            images: (batch, input_size, input_size, 3), RGB in [0, 1].
        """
        first, *others = self._specs
        found = {first.name: self._network.prepare(tf.constant(images, tf.float32))}
        return self._compute(found, tuple(others))

    def changed_logits(
        self, activations: dict[str, tf.Tensor], change: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        """Logits with the layer's activation changed.

        Args:
            activations: what `activations` gave.
            change: takes the layer's activation, (batch, down, across, channels), and returns another of that shape.

        Returns:
            (batch, classes).
        """
        kept = dict(activations)
        kept[self.layer] = tf.constant(change(np.array(activations[self.layer])))
        return np.asarray(self._compute(kept, self._behind)["logits"])

    def _compute(self, found: dict[str, tf.Tensor], specs: tuple[LayerSpec, ...]) -> dict[str, tf.Tensor]:
        for spec in specs:
            if spec.kind == "softmax" or spec.activation == "softmax":
                found["logits"] = self._network.before_softmax(spec, found)
            else:
                found[spec.name] = self._network.apply(spec, found)
        if self._network.architecture.gives_logits:
            found["logits"] = found[self._specs[-1].name]
        if "logits" in found:
            found["logits"] = tf.reshape(found["logits"], (found["logits"].shape[0], -1))
        return found


def has_classifier(network: Network) -> bool:
    """Whether the network has the weights of every layer to the class probabilities."""
    architecture = network.architecture
    return architecture.is_classifier and all(network.has_weights(spec) for spec in architecture.layers)
