"""Intervals, moments and areas under the ROC curve.

- *Interval of a mean*: 95 %, Student's t over the sample.
- *Area under the ROC curve*: the share of pairs in which the first group's value is above the second's, ties counting
  half, with a 95 % interval after Hanley and McNeil 1982.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vizengine.figures.quantities import Change, if_finite, significant

# The highest of 19 by chance is a test at the level of 5 %.
SHUFFLES = 19
# What an interval says of an assertion.
Verdict = Literal["supported", "contradicted", "undecided"]
_NORMAL = 1.959963984540054


@dataclass(frozen=True)
class Estimate:
    """A mean over a sample.

    Attributes:
        mean: not a number where the sample is empty.
        deviation: standard deviation over the sample (n - 1); 0 where there is one value.
        low, high: 95 % interval of the mean by Student's t; minus and plus infinity where there is one value or none.
        count: size of the sample.
    """

    mean: float
    deviation: float
    low: float
    high: float
    count: int


def estimate(values: NDArray[np.floating]) -> Estimate:
    """The mean of a sample and its 95 % interval; values that aren't numbers are left out."""
    wide = np.asarray(values, np.float64).ravel()
    wide = wide[~np.isnan(wide)]
    count = len(wide)
    if not count:
        return Estimate(math.nan, 0.0, -math.inf, math.inf, 0)
    mean = float(wide.mean())
    if count == 1:
        return Estimate(mean, 0.0, -math.inf, math.inf, 1)
    from scipy.stats import t

    deviation = float(wide.std(ddof=1))
    reach = float(t.ppf(0.975, count - 1)) * deviation / math.sqrt(count)
    return Estimate(mean, deviation, mean - reach, mean + reach, count)


def area_under_curve(positive: NDArray[np.floating], negative: NDArray[np.floating]) -> tuple[float, float, float]:
    """The share of pairs in which the first sample's value is higher (ties count half): area under the ROC curve.

    The interval is that of Hanley and McNeil, The meaning and use of the area under a ROC curve, Radiology 1982.

    Args:
        positive, negative: (n,) and (m,), each with at least one value.

    Returns:
        area, and the ends of its 95 % interval, clipped to 0 and 1.
    """
    higher = positive[:, None] > negative[None, :]
    ties = positive[:, None] == negative[None, :]
    area = float((higher + 0.5 * ties).mean())
    n, m = len(positive), len(negative)
    first, second = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (area * (1 - area) + (n - 1) * (first - area**2) + (m - 1) * (second - area**2)) / (n * m)
    reach = _NORMAL * math.sqrt(max(variance, 0.0))
    return area, max(area - reach, 0.0), min(area + reach, 1.0)


def largest_first(values: NDArray[np.floating]) -> NDArray[np.int64]:
    """Indices by value, largest first; ties go to the lower index."""
    return np.argsort(-np.asarray(values, np.float64), kind="stable").astype(np.int64)


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


def change(given: Estimate, digits: int = 3) -> Change:
    """A mean with its interval."""
    return Change(
        mean=significant(given.mean, digits),
        low=if_finite(given.low, significant, digits),
        high=if_finite(given.high, significant, digits),
    )
