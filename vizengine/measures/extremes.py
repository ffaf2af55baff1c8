"""What the photos say: which were used, what the network calls them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from vizengine.cache import Stage
from vizengine.measures.photos import Photo
from vizengine.network.layers import INPUT
from vizengine.network.model import Network
from vizengine.network.probes import Probe
from vizengine.runtime import tensorflow as tf


@dataclass(frozen=True)
class Bounds:
    """One photo and the channels of a layer.

    Attributes:
        highest, lowest: (channels,) float32, pre-activation over all positions; for `input` the prepared pixels.
    """

    highest: NDArray[np.float32]
    lowest: NDArray[np.float32]


@dataclass(frozen=True)
class PhotoExtremes:
    """Highest and lowest pre-activation of every channel of a layer over all positions of each photo.

    Attributes:
        names: photo names, at least one.
        values: (photos, channels) float32, highest; for `input` the prepared pixels.
        lowest: (photos, channels) float32.
    """

    names: tuple[str, ...]
    values: NDArray[np.float32]
    lowest: NDArray[np.float32]

    def best(self, channel: int) -> tuple[float, str]:
        """Highest value of `channel` and the photo that gave it."""
        index = int(self.values[:, channel].argmax())
        return float(self.values[index, channel]), self.names[index]

    def worst(self, channel: int) -> tuple[float, str]:
        """Lowest value of `channel` and the photo that gave it."""
        index = int(self.lowest[:, channel].argmin())
        return float(self.lowest[index, channel]), self.names[index]


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


BOUNDS = Stage("bounds", Bounds, 1, (photo_extremes,))
EXTREMES = Stage("extremes", PhotoExtremes, 1, (photo_extremes,), (BOUNDS,))
