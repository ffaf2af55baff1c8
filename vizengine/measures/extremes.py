"""How far the photos drive each channel of a layer, up and down."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from vizengine.cache import Stage
from vizengine.measures.photos import Photo
from vizengine.network.model import Network
from vizengine.network.probes import Probe


@dataclass(frozen=True)
class Bounds:
    """Highest and lowest pre-activation of every channel of a layer over all positions of one photo.

    Both (channels,) float32; of `input`, the prepared pixels.
    """

    highest: NDArray[np.float32]
    lowest: NDArray[np.float32]


@dataclass(frozen=True)
class PhotoExtremes:
    """The same of all photos.

    Attributes:
        names: photo names, at least one.
        values, lowest: (photos, channels) float32, highest and lowest.
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
    probe = Probe(network, layer)

    def bounds(photo: Photo) -> Bounds:
        values = probe.numpy(photo.pixels()[None])
        return Bounds(values.max(axis=(0, 1, 2)), values.min(axis=(0, 1, 2)))

    by_photo = [(photo.name, remember(photo, partial(bounds, photo))) for photo in photos]
    return PhotoExtremes(
        tuple(name for name, _ in by_photo),
        np.stack([of_photo.highest for _, of_photo in by_photo]),
        np.stack([of_photo.lowest for _, of_photo in by_photo]),
    )


BOUNDS = Stage("bounds", Bounds, 1, (photo_extremes,))
EXTREMES = Stage("extremes", PhotoExtremes, 1, (photo_extremes,), (BOUNDS,))
