"""How far photos drive each channel of a layer: the yardstick for feature visualizations."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import tensorflow as tf

from vizengine.evidence.model import PhotoExtremes
from vizengine.evidence.photos import Photo
from vizengine.networks.architecture import INPUT
from vizengine.networks.network import Network
from vizengine.networks.probe import Probe


def photo_extremes(network: Network, layer: str, photos: Iterable[Photo]) -> PhotoExtremes:
    """One forward pass per photo, at the size at which `Photo.pixels` gives it."""
    probe = None if layer == INPUT else Probe(network, layer)
    names, highest, lowest = [], [], []
    for photo in photos:
        pixels = photo.pixels()[None]
        values = network.prepare(tf.constant(pixels)).numpy() if probe is None else probe.numpy(pixels)
        names.append(photo.name)
        highest.append(values.max(axis=(0, 1, 2)))
        lowest.append(values.min(axis=(0, 1, 2)))
    return PhotoExtremes(tuple(names), np.stack(highest), np.stack(lowest))
