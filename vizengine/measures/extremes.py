"""How far the photos drive each channel of some layers, up and down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from vizengine.cache import Stage
from vizengine.measures.photos import Photo
from vizengine.network.model import Network
from vizengine.network.probes import PreActivation
from vizengine.runtime import tensorflow as tf


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


# From a photo, layers and what computes some layers' bounds in one pass to the bounds of all of them.
Remember = Callable[[Photo, Sequence[str], Callable[[Sequence[str]], Mapping[str, Bounds]]], Mapping[str, Bounds]]


def photo_extremes(
    network: Network,
    layers: Sequence[str],
    photos: Iterable[Photo],
    remember: Remember = lambda photo, layers, compute: compute(layers),
) -> dict[str, PhotoExtremes]:
    """One forward pass per photo for all layers together, at the size at which `Photo.pixels` gives it.

    Args:
        network: one with all weights up to the layers.
        layers: conv layers or `input`, at least one.
        photos: readable ones, at least one.
        remember: gives a photo's bounds from an earlier run, or calls what computes those of the layers that it lacks.
    """
    probes = cache(partial(_Probes, network))

    def bounds(photo: Photo, missing: Sequence[str]) -> dict[str, Bounds]:
        return probes(tuple(missing)).bounds(photo.pixels())

    extremes: dict[str, PhotoExtremes] = {}
    for photo in photos:
        for layer, of_layer in remember(photo, layers, partial(bounds, photo)).items():
            of_photo = PhotoExtremes.of_photo(photo.name, of_layer)
            extremes[layer] = extremes[layer] + of_photo if layer in extremes else of_photo
    return extremes


class _Probes:
    """Pre-activations of all channels of some layers, from one pass."""

    def __init__(self, network: Network, layers: tuple[str, ...]) -> None:
        self._network = network
        self._layers = {layer: PreActivation(network, layer) for layer in layers}
        self._feeds = tuple(dict.fromkeys(probe.feed for probe in self._layers.values()))
        self._model = network.model_upto(*self._feeds)

    def bounds(self, pixels: NDArray[np.float32]) -> dict[str, Bounds]:
        """Of one photo, (height, width, 3), by layer."""
        # Nearly always one pass: a layer gets the image that it would get without the others.
        images: dict[tuple[int, ...], list[str]] = {}
        for layer in self._layers:
            sides = tuple(self._network.architecture.fitting(side, layer) for side in pixels.shape[:2])
            images.setdefault(sides, []).append(layer)
        bounds = {}
        for alike in images.values():
            prepared = self._network.prepare(tf.constant(pixels[None], tf.float32), alike[0])
            outputs = self._model(prepared, training=False)
            feeds = dict(zip(self._feeds, outputs if len(self._feeds) > 1 else [outputs], strict=True))
            for layer in alike:
                values = np.asarray(self._layers[layer](feeds[self._layers[layer].feed]))
                bounds[layer] = Bounds(values.max(axis=(0, 1, 2)), values.min(axis=(0, 1, 2)))
        return bounds


BOUNDS = Stage("bounds", Bounds, 1, (photo_extremes,))
EXTREMES = Stage("extremes", PhotoExtremes, 2, (photo_extremes,), (BOUNDS,))
