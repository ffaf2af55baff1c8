"""Random transformations between the picture and the network, so that no pixel-exact trick survives.

As in lucid (optvis/transform), shift, scale and rotation; here as one resampling, and around the
edge, since a Fourier image is periodic. A step's transformation depends on seed and step alone, so
that a channel's picture doesn't depend on which others share its batch.
"""

from __future__ import annotations

import math

import tensorflow as tf

SHIFT_PIXELS = 12.0
SCALE_RANGE = 0.10
ROTATION_DEGREES = 10.0


def transform(
    images: tf.Tensor, seed: tuple[int, int], step: tf.Tensor, strength: tf.Tensor, shift_pixels: float = SHIFT_PIXELS
) -> tf.Tensor:
    """One random shift, scale and rotation for the whole batch.

    Args:
        images: (batch, size, size, 3), periodic.
        seed: of the run.
        step: scalar int32; each has a draw of its own.
        strength: scalar in [0, 1]: share of the full ranges of scale and rotation. The shift keeps its range.
        shift_pixels: the most by which the picture is moved in either direction.

    Returns:
        Same shape as `images`.
    """
    size = images.shape[1]
    draw = tf.random.stateless_uniform((4,), tf.stack([seed[0] + step, seed[1]]), -1.0, 1.0)
    angle = draw[0] * strength * (ROTATION_DEGREES * math.pi / 180.0)
    inverse_scale = 1.0 / (1.0 + draw[1] * strength * SCALE_RANGE)
    shift = tf.round(draw[2:] * shift_pixels)
    cosine, sine = tf.cos(angle) * inverse_scale, tf.sin(angle) * inverse_scale
    centre = (size - 1) / 2.0
    row = tf.stack(
        [
            cosine,
            -sine,
            centre - cosine * centre + sine * centre + shift[0],
            sine,
            cosine,
            centre - sine * centre - cosine * centre + shift[1],
            0.0,
            0.0,
        ]
    )
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=row[None],
        output_shape=[size, size],
        interpolation="BILINEAR",
        fill_mode="WRAP",
        fill_value=0.0,
    )
