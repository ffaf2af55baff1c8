"""What the ascent raises: closures from pre-activations to one number per picture, which add and scale."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vizengine.pictures.spectrum import SHIFT_PIXELS
from vizengine.runtime import tensorflow as tf

# Weight of the penalty on likeness, and pictures in a batch, as in Olah et al. 2017.
DIVERSITY_WEIGHT = 1e2
DIVERSITY_BATCH = 4
# One position sees little of the picture: shifted as far as for a whole texture, it would see another part each time.
NEURON_SHIFT_PIXELS = 2.0


@dataclass(frozen=True)
class Objective:
    """A function of a batch's pre-activations that can be added to another and scaled, as in lucid.

    Attributes:
        name: for reports, for example `channel`.
        shift_pixels: how far the transformations may move the picture under this objective.
        value: from pre-activations (batch, down, across, channels) to (batch,), in their units.
    """

    name: str
    value: Callable[[tf.Tensor], tf.Tensor]
    shift_pixels: float = SHIFT_PIXELS

    def __call__(self, pre_activations: tf.Tensor) -> tf.Tensor:
        return self.value(pre_activations)

    def __add__(self, other: Objective) -> Objective:
        name = f"{self.name} + {other.name}"
        return Objective(name, lambda pre: self.value(pre) + other.value(pre), self.shift_pixels)

    def __mul__(self, factor: float) -> Objective:
        return Objective(f"{factor:g} × {self.name}", lambda pre: self.value(pre) * factor, self.shift_pixels)

    __rmul__ = __mul__

    def __neg__(self) -> Objective:
        return self * -1.0


def channel(columns: Sequence[int]) -> Objective:
    """Mean over positions of one channel for each picture: `columns` are their places on the channel axis."""
    return Objective("channel", lambda pre: tf.gather(tf.reduce_mean(pre, (1, 2)), list(columns), axis=1, batch_dims=1))


def neuron(columns: Sequence[int]) -> Objective:
    """One channel for each picture, as for `channel`, at the centre position."""

    def centre(pre: tf.Tensor) -> tf.Tensor:
        shape = tf.shape(pre)
        return tf.gather(pre[:, shape[1] // 2, shape[2] // 2, :], list(columns), axis=1, batch_dims=1)

    return Objective("neuron", centre, NEURON_SHIFT_PIXELS)


def diversity() -> Objective:
    """How much each picture's style differs from the others': minus the sum of the Gram matrices' cosines.

    The Gram matrix is that of the activations of all channels that the probe gives (Olah, Mordvintsev and
    Schubert, Feature Visualization, Distill 2017).
    """

    def difference(pre: tf.Tensor) -> tf.Tensor:
        active = tf.nn.relu(pre)
        flat = tf.reshape(active, (tf.shape(active)[0], -1, active.shape[-1]))
        gram = tf.reshape(tf.matmul(flat, flat, transpose_a=True), (tf.shape(active)[0], -1))
        styles = tf.math.l2_normalize(gram, axis=1)
        likeness = tf.matmul(styles, styles, transpose_b=True)
        return 1.0 - tf.reduce_sum(likeness, 1)

    return Objective("diversity", difference)


OBJECTIVES: dict[str, Callable[[Sequence[int]], Objective]] = {"channel": channel, "neuron": neuron}
