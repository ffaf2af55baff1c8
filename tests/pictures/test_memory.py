"""TensorFlow itself finds no memory: batches are halved, and a single picture that doesn't fit is an error.

Each time TensorFlow waits 10 s for memory before it gives up.
"""

from __future__ import annotations

import logging

import numpy as np
import pytest
import tensorflow as tf

from tests.tiny import tiny_architecture, tiny_weights
from vizengine.errors import VizengineError
from vizengine.network.model import Network
from vizengine.pictures.result import PhotoBest, Settings, Visualization
from vizengine.pictures.search import Job, visualize

_MORE_THAN_THERE_IS = 2**44
SETTINGS = Settings(size=48, steps=3, attempts=1, seed=0, precision="float32")


def _pictures(count: int, widest: int) -> dict[int, Visualization]:
    """So many pictures of a network whose input asks for terabytes where there are more than `widest` images."""
    architecture = tiny_architecture()

    def prepare(images: tf.Tensor) -> tf.Tensor:
        too_many = tf.shape(images)[0] > widest
        asked = tf.zeros([tf.where(too_many, tf.constant(_MORE_THAN_THERE_IS, tf.int64), 0)], images.dtype)
        return images * architecture.scale - tf.constant(architecture.channel_mean) + tf.reduce_sum(asked)

    network = Network(architecture, tiny_weights(), prepare)
    return visualize(network, Job("last", {channel: PhotoBest(0.0, "none") for channel in range(count)}, SETTINGS))


def test_a_batch_for_which_there_is_no_memory_is_halved(caplog: pytest.LogCaptureFixture) -> None:
    whole = _pictures(5, 5)
    with caplog.at_level(logging.INFO):
        halved = _pictures(5, 4)
    said = [record.getMessage() for record in caplog.records if "memory is short" in record.getMessage()]
    assert said == ["memory is short: 3 pictures of last at a time, not 5"]
    assert list(halved) == list(whole)
    for channel, picture in halved.items():
        assert np.abs(picture.image.astype(int) - whole[channel].image.astype(int)).max() <= 2
        np.testing.assert_allclose(picture.trace, whole[channel].trace, rtol=1e-3)


def test_a_picture_for_which_there_is_no_memory_is_an_error() -> None:
    with pytest.raises(VizengineError, match=r"There isn't enough memory for one picture of last at 48 px: about"):
        _pictures(1, 0)
