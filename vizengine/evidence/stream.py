"""One pass over the photos: everything that the measurements need, in bounded memory and linear time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from vizengine.evidence.distribution import Counts, Distribution, Moment
from vizengine.evidence.forward import Forward
from vizengine.evidence.photo_part import Collectors, PhotoPart, Total, photo_part
from vizengine.evidence.photos import Photo
from vizengine.evidence.positions import PooledMap, Positions, sampling_rate
from vizengine.evidence.settings import EvidenceSettings
from vizengine.evidence.sums import Comoments

# From a photo, the sampling rate and what computes it to the photo's part.
Remember = Callable[[Photo, float, Callable[[], PhotoPart]], PhotoPart]


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
        group_best: highest value of each group of input channels at any position, and the index of the photo.
        terms: of each strongest input that is a sum, how its terms vary over all positions.
        maps: the unit on each whole photo in `top`, by photo index.
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
    group_best: tuple[tuple[float, int], ...]
    terms: tuple[Comoments, ...]
    maps: dict[int, PooledMap]


def stream(
    forward: Forward,
    photos: Sequence[Photo],
    settings: EvidenceSettings,
    groups: NDArray[np.float64] | None = None,
    advance: Callable[[int], None] = lambda count: None,
    remember: Remember = lambda photo, rate, compute: compute(),
) -> Streamed:
    """Send each photo through the network once.

    Args:
        forward: the network up to the unit.
        photos: readable ones, at least one.
        settings: how much to keep.
        groups: (inputs, groups) weights of input channels, whose highest value on photos is looked for, if any.
        advance: called with 1 after each photo.
        remember: gives a photo's part from an earlier run at the same sampling rate, or calls what computes it.

    Raises:
        ValueError: there are no photos.
    """
    if not photos:
        raise ValueError("no photos; expected at least one")
    weights = np.zeros((len(forward.circuit.inputs), 0)) if groups is None else groups
    stride = forward.architecture.receptive_field(forward.circuit.layer).stride
    rate = sampling_rate(settings.sample, sum(photo.area() for photo in photos) / stride**2)
    collectors = Collectors.empty(forward, settings, rate)
    sums: _Sums | None = None
    maps: dict[int, PooledMap] = {}
    best: list[tuple[float, int]] = [(-math.inf, 0)] * weights.shape[1]
    for index, photo in enumerate(photos):
        part = remember(photo, rate, partial(photo_part, forward, photo, collectors, weights))
        _collect(collectors, part, index)
        sums = _Sums.of(part) if sums is None else sums + _Sums.of(part)
        best = [max(one, (value, -index)) for one, value in zip(best, part.groups.tolist(), strict=True)]
        maps[index] = part.map
        needed = set(collectors.top.kept.photo.tolist())
        maps = {key: value for key, value in maps.items() if key in needed}
        advance(1)
    assert sums is not None
    return Streamed(
        top=collectors.top.kept,
        bottom=collectors.bottom.kept,
        many=collectors.many.kept,
        peaks=collectors.peaks.kept,
        sample=collectors.sample.kept,
        distribution=sums.counts.distribution(),
        maker_mean=sums.makers.mean,
        maker_deviation=sums.makers.deviation,
        activation_mean=sums.below.mean,
        contribution_mean=sums.contributions.mean,
        contribution_size=sums.sizes.mean,
        group_best=tuple((value, -index) for value, index in best),
        terms=sums.terms,
        maps=maps,
    )


@dataclass(frozen=True)
class _Sums:
    """What is added up over photos."""

    counts: Counts
    makers: Moment
    below: Total
    contributions: Total
    sizes: Total
    terms: tuple[Comoments, ...]

    @staticmethod
    def of(part: PhotoPart) -> _Sums:
        return _Sums(part.counts, part.makers, part.below, part.contributions, part.sizes, part.terms)

    def __add__(self, other: _Sums) -> _Sums:
        return _Sums(
            self.counts.together(other.counts),
            self.makers + other.makers,
            self.below + other.below,
            self.contributions + other.contributions,
            self.sizes + other.sizes,
            tuple(one + two for one, two in zip(self.terms, other.terms, strict=True)),
        )


def _collect(collectors: Collectors, part: PhotoPart, index: int) -> None:
    collectors.top.add(part.top.of_photo(index))
    collectors.bottom.add(part.bottom.of_photo(index))
    collectors.many.add(part.many.of_photo(index))
    collectors.peaks.add(part.peak.of_photo(index))
    collectors.sample.add(replace(part.drawn, positions=part.drawn.positions.of_photo(index)))
