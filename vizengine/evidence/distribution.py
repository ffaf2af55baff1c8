"""How pre-activations are distributed over all positions of all photos, counted as the photos stream by."""

from __future__ import annotations

import math
from dataclasses import dataclass

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


class Moments:
    """Mean and deviation of several streams at once, merged as Chan, Golub and LeVeque (1979) do.

    Args:
        width: number of streams.
    """

    def __init__(self, width: int) -> None:
        self.count = np.zeros(width)
        self.mean = np.zeros(width)
        self._squares = np.zeros(width)

    @property
    def deviation(self) -> NDArray[np.float64]:
        """(width,) of the population; 0 where nothing was seen."""
        return np.sqrt(self._squares / np.maximum(self.count, 1))

    def see(self, stream: int, values: NDArray[np.floating]) -> None:
        """Add values of any shape to one stream."""
        wide = values.astype(np.float64).ravel()
        if not wide.size:
            return
        mean = wide.mean()
        total = self.count[stream] + wide.size
        apart = mean - self.mean[stream]
        self._squares[stream] += np.square(wide - mean).sum() + apart**2 * self.count[stream] * wide.size / total
        self.mean[stream] += apart * wide.size / total
        self.count[stream] = total


class Histogram:
    """Exact counts in bins whose width is a power of two, doubled whenever the range outgrows the bins.

    Neighbouring bins merge without loss, so the result doesn't depend on the order of the photos.

    Args:
        bins: most bins.
    """

    def __init__(self, bins: int = BINS) -> None:
        self._bins = bins
        self._exponent: int | None = None
        self._counts: dict[int, int] = {}
        self._moments = Moments(1)
        self._positive = 0
        self._minimum, self._maximum = math.inf, -math.inf

    def see(self, values: NDArray[np.floating]) -> None:
        """Count values of any shape."""
        if not values.size:
            return
        self._moments.see(0, values)
        self._positive += int(np.count_nonzero(values > 0))
        self._minimum = min(self._minimum, float(values.min()))
        self._maximum = max(self._maximum, float(values.max()))
        wanted = self._fitting()
        if self._exponent is not None and wanted != self._exponent:
            merged: dict[int, int] = {}
            for index, count in self._counts.items():
                larger = index >> (wanted - self._exponent)
                merged[larger] = merged.get(larger, 0) + count
            self._counts = merged
        self._exponent = wanted
        indices, counts = np.unique(
            np.floor(values.astype(np.float64) / 2.0**wanted).astype(np.int64), return_counts=True
        )
        for index, count in zip(indices.tolist(), counts.tolist(), strict=True):
            self._counts[index] = self._counts.get(index, 0) + count

    def _fitting(self) -> int:
        """The smallest exponent at which the range seen so far fits the bins."""
        span = max(self._maximum - self._minimum, abs(self._maximum) * 2.0**-20, 2.0**-40)
        exponent = math.ceil(math.log2(span / self._bins))
        while math.floor(self._maximum / 2.0**exponent) - math.floor(self._minimum / 2.0**exponent) >= self._bins:
            exponent += 1
        return exponent if self._exponent is None else max(exponent, self._exponent)

    def result(self) -> Distribution:
        """What was counted.

        Raises:
            ValueError: nothing was.
        """
        if self._exponent is None:
            raise ValueError("no pre-activation was counted; expected at least one photo")
        first, last = min(self._counts), max(self._counts)
        counts = np.array([self._counts.get(index, 0) for index in range(first, last + 1)], np.int64)
        total = int(counts.sum())
        return Distribution(
            edges=np.asarray(np.arange(first, last + 2) * 2.0**self._exponent, np.float64),
            counts=counts,
            count=total,
            mean=float(self._moments.mean[0]),
            deviation=float(self._moments.deviation[0]),
            minimum=self._minimum,
            maximum=self._maximum,
            positive_share=self._positive / total,
        )
