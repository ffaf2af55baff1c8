"""Pictures of the image's own colours, which need no search."""

from __future__ import annotations

import numpy as np

from vizengine.featurevis.model import PhotoBest, Visualization
from vizengine.networks.architecture import INPUT, Architecture


def colour_picture(architecture: Architecture, channel: int, best: PhotoBest, size: int) -> Visualization:
    """The picture of a colour is that colour alone, its value known exactly."""
    colour = channel if architecture.channel_order == "rgb" else 2 - channel
    image = np.zeros((size, size, 3), np.uint8)
    image[..., colour] = 255
    reached = 255.0 - architecture.channel_mean[channel]
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
