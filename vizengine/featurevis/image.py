"""Pictures as a spectrum: Fourier images with decorrelated colours, drawn from seeds.

The spectrum spreads the gradient over all frequencies, which pixels don't (Olah, Mordvintsev and
Schubert, Feature Visualization, Distill 2017; tensorflow/lucid, optvis/param).
"""

from __future__ import annotations

import hashlib

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

# Colour covariance of ImageNet by its square root, as in lucid's `color_correlation_svd_sqrt`.
_COLOUR = np.array([[0.26, 0.09, 0.02], [0.27, 0.0, -0.05], [0.27, -0.09, 0.03]], np.float32)
COLOUR_MATRIX: NDArray[np.float32] = _COLOUR / np.linalg.norm(_COLOUR, axis=0).max()
NOISE = 0.01
DAMPING = 4.0


def derive_seed(*parts: object) -> tuple[int, int]:
    """Two 31-bit numbers that depend on all of `parts` and on nothing else, for TensorFlow's stateless draws."""
    digest = hashlib.sha256("/".join(str(part) for part in parts).encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1, int.from_bytes(digest[4:8], "big") >> 1


def scale(size: int) -> NDArray[np.float32]:
    """Weight of each frequency, `1 / max(f, 1 / size) * size`, (size, size // 2 + 1)."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :])
    return np.asarray(size / np.maximum(frequency, 1.0 / size), np.float32)


def draw_spectrum(seed: tuple[int, int], size: int) -> tf.Tensor:
    """Real and imaginary parts from N(0, 0.01), (3, size, size // 2 + 1, 2) float32."""
    return tf.random.stateless_normal((3, size, size // 2 + 1, 2), seed) * NOISE


def to_images(spectra: tf.Tensor, size: int) -> tf.Tensor:
    """Spectra to pictures.

    Args:
        spectra: (batch, 3, size, size // 2 + 1, 2).
        size: side of the pictures in pixels.

    Returns:
        (batch, size, size, 3) float32, RGB in (0, 1).
    """
    weighted = tf.complex(spectra[..., 0], spectra[..., 1]) * scale(size)
    colours = tf.transpose(tf.signal.irfft2d(weighted, [size, size]) / DAMPING, (0, 2, 3, 1))
    return tf.sigmoid(tf.tensordot(colours, COLOUR_MATRIX.T, 1))
