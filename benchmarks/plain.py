"""The plain loop that the tool is measured against: lucid's recipe, 512 steps of Adam at 0.05 in float32."""

from __future__ import annotations

import tensorflow as tf

from vizengine.network.probes import Probe
from vizengine.pictures.spectrum import derive_seed, noise, to_images, transform

STEPS = 512
LEARNING_RATE = 0.05


def plain_loop(probe: Probe, names: list[str], size: int) -> tf.Tensor:
    """Pictures (batch, size, size, 3) of the probe's channels, one each, all transformations at full strength."""
    spectra = tf.Variable(noise(names, 0, size))
    first, second = tf.Variable(tf.zeros_like(spectra)), tf.Variable(tf.zeros_like(spectra))

    @tf.function
    def step(index: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            images = transform(to_images(spectra, size), derive_seed("plain"), index, tf.constant(1.0))
            value = tf.reduce_sum(tf.linalg.diag_part(tf.reduce_mean(probe(images), (1, 2))))
        gradient = tape.gradient(value, spectra)
        count = tf.cast(index + 1, tf.float32)
        first.assign(0.9 * first + 0.1 * gradient)
        second.assign(0.999 * second + 0.001 * tf.square(gradient))
        direction = (first / (1 - 0.9**count)) / (tf.sqrt(second / (1 - 0.999**count)) + 1e-8)
        spectra.assign_add(LEARNING_RATE * direction)

    for index in range(STEPS):
        step(tf.constant(index))
    return to_images(spectra, size)
