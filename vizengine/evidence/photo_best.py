"""How far photos drive each channel of a layer: the yardstick for feature visualizations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from vizengine.evidence.photos import Photo
from vizengine.networks.architecture import INPUT
from vizengine.networks.network import Network
from vizengine.networks.probe import Probe


@dataclass(frozen=True)
class PhotoMaxima:
    """Highest pre-activation of every channel of a layer over all positions of each photo.

    Attributes:
        names: photo names.
        values: (photos, channels) float32; for `input` the prepared pixels.
    """

    names: tuple[str, ...]
    values: NDArray[np.float32]

    def best(self, channel: int) -> tuple[float, str]:
        """Highest value of `channel` and the photo that gave it; minus infinity and no name without photos."""
        if not self.names:
            return float("-inf"), ""
        index = int(self.values[:, channel].argmax())
        return float(self.values[index, channel]), self.names[index]


def photo_maxima(network: Network, layer: str, photos: Iterable[Photo]) -> PhotoMaxima:
    """One forward pass per photo, at the size at which `Photo.pixels` gives it."""
    probe = None if layer == INPUT else Probe(network, layer)
    names, rows = [], []
    for photo in photos:
        pixels = photo.pixels()[None]
        values = network.prepare(tf.constant(pixels)).numpy() if probe is None else probe.numpy(pixels)
        names.append(photo.name)
        rows.append(values.max(axis=(0, 1, 2)))
    channels = network.architecture.channels(layer)
    return PhotoMaxima(tuple(names), np.stack(rows) if rows else np.zeros((0, channels), np.float32))
