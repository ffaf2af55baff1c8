"""Pictures of the image's own colours, which need no search."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from vizengine.featurevis.model import PhotoBest, Visualization
from vizengine.networks.architecture import INPUT
from vizengine.networks.network import Network


def colour_picture(network: Network, channel: int, best: PhotoBest, size: int) -> Visualization:
    """The picture of a colour is that colour alone, its value known exactly; that of grey is white."""
    shown = {"rgb": (channel,), "bgr": (2 - channel,), "grey": (0, 1, 2)}[network.architecture.channel_order]
    image = np.zeros((size, size, 3), np.uint8)
    image[..., list(shown)] = 255
    prepared = network.prepare(tf.constant(image[None] / 255.0, tf.float32), INPUT)
    reached = float(np.asarray(prepared)[0, 0, 0, channel])
    return Visualization(
        layer=INPUT,
        channel=channel,
        direction="positive",
        image=image,
        trace=np.array([reached], np.float32),
        reached=reached,
        mean=reached,
        photo_best=best.value,
        photo_best_name=best.photo,
        objective="exact",
        attempts=(),
        converged=True,
    )
