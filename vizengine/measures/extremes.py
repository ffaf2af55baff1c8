"""How far the photos drive each channel of a layer, up and down."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial, reduce

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
    """The same over all photos; of equal photos the first counts, and what isn't a number comes before all else.

    It grows with the number of photos by their names alone.

    Attributes:
        names: photo names, at least one.
        highest, lowest: (channels,) float32.
        highest_photo, lowest_photo: (channels,) int64, indices into `names`.
    """

    names: tuple[str, ...]
    highest: NDArray[np.float32]
    highest_photo: NDArray[np.int64]
    lowest: NDArray[np.float32]
    lowest_photo: NDArray[np.int64]

    @staticmethod
    def of_photo(name: str, bounds: Bounds) -> PhotoExtremes:
        """Of one photo alone."""
        first = np.zeros(len(bounds.highest), np.int64)
        return PhotoExtremes((name,), bounds.highest, first, bounds.lowest, first)

    def __add__(self, later: PhotoExtremes) -> PhotoExtremes:
        """Of these photos and of `later` ones."""
        higher = _comes_first(later.highest, self.highest)
        lower = _comes_first(-later.lowest, -self.lowest)
        return PhotoExtremes(
            self.names + later.names,
            np.where(higher, later.highest, self.highest),
            np.where(higher, later.highest_photo + len(self.names), self.highest_photo),
            np.where(lower, later.lowest, self.lowest),
            np.where(lower, later.lowest_photo + len(self.names), self.lowest_photo),
        )

    def best(self, channel: int) -> tuple[float, str]:
        """Highest value of `channel` and the photo that gave it."""
        return float(self.highest[channel]), self.names[self.highest_photo[channel]]

    def worst(self, channel: int) -> tuple[float, str]:
        """Lowest value of `channel` and the photo that gave it."""
        return float(self.lowest[channel]), self.names[self.lowest_photo[channel]]


def _comes_first(later: NDArray[np.float32], earlier: NDArray[np.float32]) -> NDArray[np.bool_]:
    return (later > earlier) | (np.isnan(later) & ~np.isnan(earlier))


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

    extremes = (PhotoExtremes.of_photo(photo.name, remember(photo, partial(bounds, photo))) for photo in photos)
    return reduce(PhotoExtremes.__add__, extremes)


BOUNDS = Stage("bounds", Bounds, 1, (photo_extremes,))
EXTREMES = Stage("extremes", PhotoExtremes, 2, (photo_extremes,), (BOUNDS,))
