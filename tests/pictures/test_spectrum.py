"""Fourier pictures: seeds, shapes."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from vizengine.pictures.spectrum import derive_seed, draw_spectrum, scale, spectrum_of, to_images, to_phase_images


def test_images_equal_numpys_transform() -> None:
    spectrum = draw_spectrum(derive_seed("a"), 32).numpy()
    image = np.asarray(to_images(tf.constant(spectrum[None]), 32))[0]
    waves = (spectrum[..., 0] + 1j * spectrum[..., 1]) * scale(32)
    plain = np.fft.irfft2(waves, (32, 32)) / 4
    matrix = np.array([[0.26, 0.09, 0.02], [0.27, 0.0, -0.05], [0.27, -0.09, 0.03]])
    matrix /= np.sqrt((matrix**2).sum(0)).max()
    expected = 1 / (1 + np.exp(-np.einsum("dc,chw->hwd", matrix, plain)))
    np.testing.assert_allclose(image, expected, atol=1e-5)


def test_noise_depends_on_its_own_name_alone() -> None:
    assert derive_seed("noise", 0, "a") == derive_seed("noise", 0, "a")
    assert derive_seed("noise", 0, "a") != derive_seed("noise", 1, "a")
    first, second = draw_spectrum(derive_seed(1), 64), draw_spectrum(derive_seed(2), 64)
    assert abs(np.corrcoef(np.ravel(first), np.ravel(second))[0, 1]) < 0.05
    assert abs(float(tf.math.reduce_std(first)) - 0.01) < 0.001


def test_a_photo_and_its_spectrum_are_one() -> None:
    pixels = np.random.default_rng(0).uniform(0.05, 0.95, (64, 64, 3))
    again = np.asarray(to_images(tf.constant(spectrum_of(pixels)[None]), 64))[0]
    np.testing.assert_allclose(again, pixels, atol=2e-3)


def test_phase_images_have_fixed_amplitudes() -> None:
    spectrum = draw_spectrum(derive_seed("a"), 64).numpy()[None]
    image = np.asarray(to_phase_images(tf.constant(spectrum), 64))
    louder = np.asarray(to_phase_images(tf.constant(spectrum * 7), 64))
    np.testing.assert_allclose(image, louder, atol=1e-4)
    plain = spectrum_of(image[0])
    # Away from the mean and the highest frequencies, whose waves are real, all have one length.
    lengths = np.hypot(plain[..., 0], plain[..., 1])[:, 1:31, 1:31]
    assert lengths.std() / lengths.mean() < 0.05
