"""What the ascent raises: closures from pre-activations to one number per picture, which add and scale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import tensorflow as tf


@dataclass(frozen=True)
class Objective:
    """A function of a batch's pre-activations that can be added to another and scaled, as in lucid.

    Attributes:
        name: for reports, for example `channel`.
        value: from pre-activations (batch, down, across, channels) to (batch,), in their units.
    """

    name: str
    value: Callable[[tf.Tensor], tf.Tensor]

    def __call__(self, pre_activations: tf.Tensor) -> tf.Tensor:
        return self.value(pre_activations)

    def __add__(self, other: Objective) -> Objective:
        return Objective(f"{self.name} + {other.name}", lambda pre: self.value(pre) + other.value(pre))

    def __mul__(self, factor: float) -> Objective:
        return Objective(f"{factor:g} × {self.name}", lambda pre: self.value(pre) * factor)

    __rmul__ = __mul__

    def __neg__(self) -> Objective:
        return self * -1.0


def channel() -> Objective:
    """The own channel of each picture (picture i, channel i), mean over positions."""
    return Objective("channel", lambda pre: tf.linalg.diag_part(tf.reduce_mean(pre, (1, 2))))


def neuron() -> Objective:
    """The own channel of each picture at the centre position."""

    def centre(pre: tf.Tensor) -> tf.Tensor:
        shape = tf.shape(pre)
        return tf.linalg.diag_part(pre[:, shape[1] // 2, shape[2] // 2, :])

    return Objective("neuron", centre)


OBJECTIVES: dict[str, Callable[[], Objective]] = {"channel": channel, "neuron": neuron}
