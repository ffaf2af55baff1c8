"""Fourier pictures: seeds, shapes."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from vizengine.pictures.spectrum import noise, scale, spectrum_of, to_images, to_phase_images


def test_images_equal_numpys_transform() -> None:
    spectrum = noise(["a"], 0, 32)[0]
    image = np.asarray(to_images(tf.constant(spectrum[None]), 32))[0]
    waves = (spectrum[..., 0] + 1j * spectrum[..., 1]) * scale(32)
    plain = np.fft.irfft2(waves, (32, 32)) / 4
    matrix = np.array([[0.26, 0.09, 0.02], [0.27, 0.0, -0.05], [0.27, -0.09, 0.03]])
    matrix /= np.sqrt((matrix**2).sum(0)).max()
    expected = 1 / (1 + np.exp(-np.einsum("dc,chw->hwd", matrix, plain)))
    np.testing.assert_allclose(image, expected, atol=1e-5)


def test_noise_depends_on_its_own_name_and_seed_alone() -> None:
    first, second = noise(["a", "b"], 0, 64)
    np.testing.assert_array_equal(noise(["b"], 0, 64)[0], second)
    assert (noise(["b"], 1, 64)[0] != second).any()
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.05
    assert abs(float(first.std()) - 0.01) < 0.001


def test_a_photo_and_its_spectrum_are_one() -> None:
    pixels = np.random.default_rng(0).uniform(0.05, 0.95, (64, 64, 3))
    again = np.asarray(to_images(tf.constant(spectrum_of(pixels)[None]), 64))[0]
    np.testing.assert_allclose(again, pixels, atol=2e-3)


def test_phase_images_have_fixed_amplitudes() -> None:
    spectrum = noise(["a"], 0, 64)
    image = np.asarray(to_phase_images(tf.constant(spectrum), 64))
    louder = np.asarray(to_phase_images(tf.constant(spectrum * 7), 64))
    np.testing.assert_allclose(image, louder, atol=1e-4)
    plain = spectrum_of(image[0])
    # Away from the mean and the highest frequencies, whose waves are real, all have one length.
    lengths = np.hypot(plain[..., 0], plain[..., 1])[:, 1:31, 1:31]
    assert lengths.std() / lengths.mean() < 0.05
