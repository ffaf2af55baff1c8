"""How pre-activations are distributed over all positions of all photos, counted as the photos stream by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

BINS = 96


@dataclass(frozen=True)
class Distribution:
    """All positions of all photos.

    Attributes:
        edges: (bins + 1,) float64, ascending and evenly spaced; zero is an edge or outside.
        counts: (bins,) int64, positions in each bin, its lower edge included.
        count: positions in all.
        mean, deviation: of the pre-activation; the deviation is that of the population.
        minimum, maximum: of the pre-activation.
        positive_share: share of positions above zero, where the unit fires, 0 to 1.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    count: int
    mean: float
    deviation: float
    minimum: float
    maximum: float
    positive_share: float


@dataclass(frozen=True)
class Moment:
    """Moments of streams, of which others can be added.

    Attributes:
        count: (width,) float64, values seen.
        mean: (width,) float64.
        squares: (width,) float64, sum of squared differences from the mean.
    """

    count: NDArray[np.float64]
    mean: NDArray[np.float64]
    squares: NDArray[np.float64]

    @staticmethod
    def of(streams: Sequence[NDArray[np.floating]]) -> Moment:
        """Of arrays of any shape, one for each stream."""
        wide = [values.astype(np.float64).ravel() for values in streams]
        means = [float(values.mean()) if values.size else 0.0 for values in wide]
        squares = [float(np.square(values - mean).sum()) for values, mean in zip(wide, means, strict=True)]
        counts = [float(values.size) for values in wide]
        return Moment(*(np.array(each, np.float64) for each in (counts, means, squares)))

    @property
    def deviation(self) -> NDArray[np.float64]:
        """(width,) of the population; 0 where nothing was seen."""
        return np.asarray(np.sqrt(self.squares / np.maximum(self.count, 1)))

    def __add__(self, other: Moment) -> Moment:
        """Both together, as Chan, Golub and LeVeque (1979) do."""
        total = self.count + other.count
        weight = other.count / np.maximum(total, 1)
        apart = other.mean - self.mean
        squares = self.squares + other.squares + apart**2 * self.count * weight
        return Moment(total, self.mean + apart * weight, squares)


@dataclass(frozen=True)
class Counts:
    """Values counted in bins whose width is a power of two and whose edges are its multiples.

    Attributes:
        exponent: of the width.
        indices: (bins,) int64, ascending; bin i holds values from i widths on.
        counts: (bins,) int64, none of them 0.
        positive: values above zero.
        minimum, maximum: of the values.
        moment: of the values, of width 1.
    """

    exponent: int
    indices: NDArray[np.int64]
    counts: NDArray[np.int64]
    positive: int
    minimum: float
    maximum: float
    moment: Moment

    @staticmethod
    def of(values: NDArray[np.floating], bins: int = BINS) -> Counts:
        """Count values of any shape, at least one."""
        minimum, maximum = float(values.min()), float(values.max())
        exponent = _fitting(minimum, maximum, bins)
        wide = np.floor(values.astype(np.float64) / 2.0**exponent).astype(np.int64)
        indices, counts = np.unique(wide, return_counts=True)
        positive = int(np.count_nonzero(values > 0))
        return Counts(exponent, indices, counts.astype(np.int64), positive, minimum, maximum, Moment.of([values]))

    def coarser(self, exponent: int) -> Counts:
        """The same in bins of a larger width; neighbouring bins merge without loss."""
        indices, places = np.unique(self.indices >> (exponent - self.exponent), return_inverse=True)
        counts = np.zeros(len(indices), np.int64)
        np.add.at(counts, places, self.counts)
        return replace(self, exponent=exponent, indices=indices, counts=counts)

    def together(self, other: Counts, bins: int = BINS) -> Counts:
        """Both, in as many bins at most."""
        minimum, maximum = min(self.minimum, other.minimum), max(self.maximum, other.maximum)
        exponent = max(self.exponent, other.exponent, _fitting(minimum, maximum, bins))
        one, two = self.coarser(exponent), other.coarser(exponent)
        indices, places = np.unique(np.concatenate([one.indices, two.indices]), return_inverse=True)
        counts = np.zeros(len(indices), np.int64)
        np.add.at(counts, places, np.concatenate([one.counts, two.counts]))
        positive = self.positive + other.positive
        return Counts(exponent, indices, counts, positive, minimum, maximum, self.moment + other.moment)

    def distribution(self) -> Distribution:
        """All bins between the first and the last, empty ones too."""
        first, last = int(self.indices[0]), int(self.indices[-1])
        counts = np.zeros(last - first + 1, np.int64)
        counts[self.indices - first] = self.counts
        total = int(counts.sum())
        return Distribution(
            edges=np.asarray(np.arange(first, last + 2) * 2.0**self.exponent, np.float64),
            counts=counts,
            count=total,
            mean=float(self.moment.mean[0]),
            deviation=float(self.moment.deviation[0]),
            minimum=self.minimum,
            maximum=self.maximum,
            positive_share=self.positive / total,
        )


def _fitting(minimum: float, maximum: float, bins: int) -> int:
    """The smallest exponent at which a range fits the bins."""
    span = max(maximum - minimum, abs(maximum) * 2.0**-20, 2.0**-40)
    exponent = math.ceil(math.log2(span / bins))
    while math.floor(maximum / 2.0**exponent) - math.floor(minimum / 2.0**exponent) >= bins:
        exponent += 1
    return exponent
