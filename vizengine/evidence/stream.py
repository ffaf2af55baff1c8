"""One pass over the photos: everything that the measurements need, in bounded memory and linear time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizengine.evidence.distribution import Distribution, Histogram, Moments
from vizengine.evidence.forward import Forward
from vizengine.evidence.photos import Photo
from vizengine.evidence.positions import Extremes, Positions, Sample
from vizengine.evidence.settings import EvidenceSettings


@dataclass(frozen=True)
class Streamed:
    """What the photos gave.

    Attributes:
        top, bottom: the most extreme positions to show, most extreme first.
        many: more of the highest positions, for clusters.
        peaks: the highest position of each of the photos that drive the unit most, highest first.
        sample: positions drawn evenly from all.
        distribution: of the unit's pre-activation over all positions.
        maker_mean, maker_deviation: (strongest,) of the pre-activation of each strongest input's maker over all
            of its own positions.
        activation_mean: (inputs,) mean of each input channel's activation over all positions of the layer's input.
        contribution_mean: (inputs,) mean contribution over all positions of the unit.
        contribution_size: (inputs,) mean absolute contribution over all positions of the unit.
        maps: pre-activation map of each photo in `top`, by photo index.
        sizes: (height, width) in pixels as read, of each photo in `maps`.
    """

    top: Positions
    bottom: Positions
    many: Positions
    peaks: Positions
    sample: Positions
    distribution: Distribution
    maker_mean: NDArray[np.float64]
    maker_deviation: NDArray[np.float64]
    activation_mean: NDArray[np.float64]
    contribution_mean: NDArray[np.float64]
    contribution_size: NDArray[np.float64]
    maps: dict[int, NDArray[np.float32]]
    sizes: dict[int, tuple[int, int]]


class _Means:
    """Sums of vectors over positions."""

    def __init__(self) -> None:
        self._sum: NDArray[np.float64] | float = 0.0
        self._count = 0

    def see(self, values: NDArray[np.float32]) -> None:
        flat = values.reshape(-1, values.shape[-1])
        self._sum = self._sum + flat.sum(axis=0, dtype=np.float64)
        self._count += len(flat)

    @property
    def mean(self) -> NDArray[np.float64]:
        return np.asarray(self._sum) / self._count


def stream(
    forward: Forward,
    photos: Sequence[Photo],
    settings: EvidenceSettings,
    advance: Callable[[int], None] = lambda count: None,
) -> Streamed:
    """Send each photo through the network once.

    Args:
        forward: the network up to the unit.
        photos: readable ones, at least one.
        settings: how much to keep.
        advance: called with 1 after each photo.

    Raises:
        ValueError: there are no photos.
    """
    if not photos:
        raise ValueError("no photos; expected at least one")
    field = forward.architecture.receptive_field(forward.circuit.layer)
    reach = -(-field.size // field.stride)
    top = Extremes(settings.examples, settings.per_photo, reach)
    bottom = Extremes(settings.examples, settings.per_photo, reach, sign=-1)
    many = Extremes(settings.cluster_examples, settings.cluster_per_photo, reach)
    peaks = Extremes(settings.downstream_photos, 1, reach)
    sample = Sample(settings.sample, settings.seed)
    histogram, makers = Histogram(), Moments(len(forward.channels))
    activations, signed, absolute = _Means(), _Means(), _Means()
    maps: dict[int, NDArray[np.float32]] = {}
    sizes: dict[int, tuple[int, int]] = {}
    for index, photo in enumerate(photos):
        pixels = photo.pixels()
        given = forward.one(pixels, index)
        for collector in (top, bottom, many, peaks, sample):
            collector.see(given.unit_map)
        histogram.see(given.unit_map.pre)
        for channel, values in enumerate(given.makers):
            makers.see(channel, values)
        activations.see(given.below)
        signed.see(given.unit_map.contributions)
        absolute.see(np.abs(given.unit_map.contributions))
        maps[index], sizes[index] = given.unit_map.pre, (pixels.shape[0], pixels.shape[1])
        needed = set(top.kept.photo.tolist())
        maps = {key: value for key, value in maps.items() if key in needed}
        sizes = {key: value for key, value in sizes.items() if key in needed}
        advance(1)
    return Streamed(
        top=top.kept,
        bottom=bottom.kept,
        many=many.kept,
        peaks=peaks.kept,
        sample=sample.kept,
        distribution=histogram.result(),
        maker_mean=makers.mean,
        maker_deviation=makers.deviation,
        activation_mean=activations.mean,
        contribution_mean=signed.mean,
        contribution_size=absolute.mean,
        maps=maps,
        sizes=sizes,
    )
