"""How far photos drive each channel of a layer: the yardstick for feature visualizations."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
import tensorflow as tf

from vizengine.evidence.model import Bounds, PhotoExtremes
from vizengine.evidence.photos import Photo
from vizengine.networks.architecture import INPUT
from vizengine.networks.network import Network
from vizengine.networks.probe import Probe

# From a photo and what computes its bounds to the bounds.
Remember = Callable[[Photo, Callable[[], Bounds]], Bounds]


def photo_extremes(
    network: Network,
    layer: str,
    photos: Iterable[Photo],
    remember: Remember = lambda photo, compute: compute(),
) -> PhotoExtremes:
    """One forward pass per photo, at the size at which `Photo.pixels` gives it.

    Args:
        network: one with all weights up to the layer.
        layer: a conv layer or `input`.
        photos: readable ones, at least one.
        remember: gives a photo's bounds from an earlier run, or calls what computes them.
    """
    probe = None if layer == INPUT else Probe(network, layer)

    def bounds(photo: Photo) -> Bounds:
        pixels = photo.pixels()[None]
        values = network.prepare(tf.constant(pixels), INPUT).numpy() if probe is None else probe.numpy(pixels)
        return Bounds(values.max(axis=(0, 1, 2)), values.min(axis=(0, 1, 2)))

    names, highest, lowest = [], [], []
    for photo in photos:
        found = remember(photo, partial(bounds, photo))
        names.append(photo.name)
        highest.append(found.highest)
        lowest.append(found.lowest)
    return PhotoExtremes(tuple(names), np.stack(highest), np.stack(lowest))
