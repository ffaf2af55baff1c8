"""Pictures as a spectrum: Fourier images with decorrelated colours, drawn from seeds.

The spectrum spreads the gradient over all frequencies, which pixels don't (Olah, Mordvintsev and
Schubert, Feature Visualization, Distill 2017; tensorflow/lucid, optvis/param).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vizengine.pictures.result import Direction
from vizengine.runtime import tensorflow as tf

# Colour covariance of ImageNet by its square root, as in lucid's `color_correlation_svd_sqrt`.
_COLOUR = np.array([[0.26, 0.09, 0.02], [0.27, 0.0, -0.05], [0.27, -0.09, 0.03]], np.float32)
COLOUR_MATRIX: NDArray[np.float32] = _COLOUR / np.linalg.norm(_COLOUR, axis=0).max()
NOISE = 0.01
DAMPING = 4.0
# Contrast of phase-only pictures before the sigmoid, and the margin that keeps a photo's logit finite.
PHASE_CONTRAST = 1.0
MARGIN = 0.02


def derive_seed(*parts: object) -> tuple[int, int]:
    """Two 31-bit numbers that depend on all of `parts` and on nothing else, for TensorFlow's stateless draws."""
    digest = hashlib.sha256("/".join(str(part) for part in parts).encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1, int.from_bytes(digest[4:8], "big") >> 1


def scale(size: int) -> NDArray[np.float32]:
    """Weight of each frequency, `1 / max(f, 1 / size) * size`, (size, size // 2 + 1)."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :])
    return np.asarray(size / np.maximum(frequency, 1.0 / size), np.float32)


def to_images(spectra: tf.Tensor, size: int) -> tf.Tensor:
    """Spectra (batch, 3, size, size // 2 + 1, 2) to pictures (batch, size, size, 3) float32, RGB in (0, 1)."""
    weighted = tf.complex(spectra[..., 0], spectra[..., 1]) * scale(size)
    colours = tf.transpose(tf.signal.irfft2d(weighted, [size, size]) / DAMPING, (0, 2, 3, 1))
    return tf.sigmoid(tf.tensordot(colours, COLOUR_MATRIX.T, 1))


def to_phase_images(spectra: tf.Tensor, size: int) -> tf.Tensor:
    """The same with the phases of the spectra alone, all amplitudes fixed at 1 over the frequency.

    After MaCo (Fel and others, Unlocking Feature Visualization for Deeper Networks, 2023), with the amplitudes of an
    ideal natural image in place of ImageNet's mean.
    """
    length = tf.sqrt(tf.reduce_sum(tf.square(spectra), -1, keepdims=True) + 1e-12)
    # By Parseval, the contrast of a picture all of whose amplitudes are 1 times their scale.
    full = size / np.maximum(np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)[None, :]), 1.0 / size)
    contrast = np.sqrt(np.square(full).sum()) / size**2 / DAMPING
    return to_images(spectra / length * (PHASE_CONTRAST / contrast), size)


def spectrum_of(pixels: NDArray[np.floating]) -> NDArray[np.float32]:
    """The spectrum (3, size, size // 2 + 1, 2) of a picture (size, size, 3) in [0, 1], but for its extreme 2 %."""
    inside = np.clip(pixels.astype(np.float64), MARGIN, 1 - MARGIN)
    colours = np.log(inside / (1 - inside)) @ np.linalg.inv(COLOUR_MATRIX.T.astype(np.float64))
    waves = np.fft.rfft2(colours.transpose(2, 0, 1) * DAMPING) / scale(pixels.shape[0])
    return np.stack([waves.real, waves.imag], -1).astype(np.float32)


IMAGES: dict[str, Callable[[tf.Tensor, int], tf.Tensor]] = {"fourier": to_images, "phase": to_phase_images}


def picture_key(layer: str, channel: int, direction: Direction) -> str:
    """The name from which a picture's noise is drawn."""
    return f"{layer}:{channel}" if direction == "positive" else f"{layer}:{channel}:{direction}"


def noise(keys: Sequence[str], seed: int, size: int) -> NDArray[np.float32]:
    """Real and imaginary parts from N(0, 0.01), (batch, 3, size, size // 2 + 1, 2).

    Args:
        keys: a name for each picture, from which its noise is drawn, so that it doesn't depend on its batch.
        seed: of the noise.
        size: side of the pictures in pixels.
    """
    shape = (3, size, size // 2 + 1, 2)
    draws = [tf.random.stateless_normal(shape, derive_seed("noise", seed, key, size)) * NOISE for key in keys]
    return np.stack([draw.numpy() for draw in draws])


def starts(
    keys: Sequence[str],
    photos: Sequence[str],
    seed: int,
    size: int,
    squares: Mapping[str, NDArray[np.float32]] | None = None,
) -> NDArray[np.float32]:
    """The spectra of first attempts, (batch, 3, size, size // 2 + 1, 2).

    Args:
        keys, seed, size: as for `noise`.
        photos: for each picture the photo that drives its channel furthest.
        squares: where pictures begin as photos, each photo's centred square by name: (size, size, 3) in [0, 1]. The
            noise stays on them, so that other seeds and variants begin elsewhere.
    """
    start = noise(keys, seed, size)
    return start if squares is None else start + np.stack([spectrum_of(squares[photo]) for photo in photos])


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
    """
    size = images.shape[1]
    draw = tf.random.stateless_uniform((4,), tf.stack([seed[0] + step, seed[1]]), -1.0, 1.0)
    angle = draw[0] * strength * (ROTATION_DEGREES * math.pi / 180.0)
    inverse_scale = 1.0 / (1.0 + draw[1] * strength * SCALE_RANGE)
    shift = tf.round(draw[2:] * shift_pixels)
    cosine, sine = tf.cos(angle) * inverse_scale, tf.sin(angle) * inverse_scale
    centre = (size - 1) / 2.0
    x = centre - cosine * centre + sine * centre + shift[0]
    y = centre - sine * centre - cosine * centre + shift[1]
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([cosine, -sine, x, sine, cosine, y, 0.0, 0.0])[None],
        output_shape=[size, size],
        interpolation="BILINEAR",
        fill_mode="WRAP",
        fill_value=0.0,
    )
