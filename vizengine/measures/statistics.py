"""Intervals, moments and areas under the ROC curve.

- *Interval of a mean*: 95 %, Student's t over the sample.
- *Area under the ROC curve*: the share of pairs in which the first sample's value is above the second's, ties counting
  half, with a 95 % interval that has a width at 0 and 1 too: method 5 of Newcombe, Confidence intervals for an effect
  size measure based on the Mann-Whitney statistic, Statistics in Medicine 2006.
- *Moments* of two sets are put together as Chan, Golub and LeVeque (1979) do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vizengine.figures.quantities import Change, if_finite, significant

SHUFFLES = 19
"""Draws of a null: the highest of 19 by chance is a test at the level of 5 %."""
# What an interval says of an assertion.
Verdict = Literal["supported", "contradicted", "undecided"]


@dataclass(frozen=True)
class Estimate:
    """A mean over a sample of `count` values.

    Attributes:
        mean: not a number where the sample is empty.
        deviation: standard deviation over the sample (n - 1); 0 where there is one value.
        low, high: 95 % interval of the mean by Student's t; minus and plus infinity where there is one value or none.
    """

    mean: float
    deviation: float
    low: float
    high: float
    count: int


def estimate(values: NDArray[np.floating]) -> Estimate:
    """The mean of a sample; values that aren't numbers are left out."""
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


def area_under_curve(
    positive: NDArray[np.floating], negative: NDArray[np.floating], level: float = 0.95
) -> tuple[float, float, float]:
    """The area, and the ends of its interval; each sample has at least one value."""
    from scipy.optimize import brentq
    from scipy.stats import norm

    higher = positive[:, None] > negative[None, :]
    ties = positive[:, None] == negative[None, :]
    area = float((higher + 0.5 * ties).mean())
    n, m = len(positive), len(negative)
    more = (n + m) / 2 - 1
    normal = float(norm.ppf((1 + level) / 2))

    def apart(other: float) -> float:
        variance = other * (1 - other) * (1 + more * ((1 - other) / (2 - other) + other / (1 + other))) / (n * m)
        return abs(area - other) - normal * math.sqrt(max(variance, 0.0))

    # Where the area is 0 or 1, it solves the equation itself: that end is looked for beside it.
    low = float(brentq(apart, 0.0, area * (1 - 1e-9))) if area > 0 else 0.0
    high = float(brentq(apart, area + (1 - area) * 1e-9, 1.0)) if area < 1 else 1.0
    return area, low, high


def largest_first(values: NDArray[np.floating]) -> NDArray[np.int64]:
    """Indices by value, largest first; ties go to the lower index."""
    return np.argsort(-np.asarray(values, np.float64), kind="stable").astype(np.int64)


@dataclass(frozen=True)
class Moment:
    """Mean and spread of `width` sets of values, (width,) float64 each.

    Attributes:
        count: of the values.
        squares: sum of squared differences from the mean.
    """

    count: NDArray[np.float64]
    mean: NDArray[np.float64]
    squares: NDArray[np.float64]

    @staticmethod
    def of(sets: Sequence[NDArray[np.floating]]) -> Moment:
        """Of arrays of any shape, one for each set."""
        wide = [values.astype(np.float64).ravel() for values in sets]
        means = [float(values.mean()) if values.size else 0.0 for values in wide]
        squares = [float(np.square(values - mean).sum()) for values, mean in zip(wide, means, strict=True)]
        counts = [float(values.size) for values in wide]
        return Moment(np.array(counts), np.array(means), np.array(squares))

    @property
    def deviation(self) -> NDArray[np.float64]:
        """(width,) of the population; 0 where there are no values."""
        return np.asarray(np.sqrt(self.squares / np.maximum(self.count, 1)))

    def __add__(self, other: Moment) -> Moment:
        total = self.count + other.count
        weight = other.count / np.maximum(total, 1)
        apart = other.mean - self.mean
        squares = self.squares + other.squares + apart**2 * self.count * weight
        return Moment(total, self.mean + apart * weight, squares)


@dataclass(frozen=True)
class Comoments:
    """Mean, (terms,) float64, and covariance of the terms of a sum over `count` positions.

    Attributes:
        products: (terms, terms) float64, sums of products of differences from the means.
    """

    count: int
    mean: NDArray[np.float64]
    products: NDArray[np.float64]

    @staticmethod
    def of(terms: Sequence[NDArray[np.floating]]) -> Comoments:
        """Of maps, one for each term; a map of one position stands for all positions."""
        flat = np.stack([term.ravel() for term in np.broadcast_arrays(*terms)]).astype(np.float64)
        mean = flat.mean(axis=1)
        apart = flat - mean[:, None]
        return Comoments(flat.shape[1], mean, apart @ apart.T)

    def __add__(self, other: Comoments) -> Comoments:
        total = self.count + other.count
        apart = other.mean - self.mean
        across = np.outer(apart, apart) * (self.count * other.count / total)
        return Comoments(total, self.mean + apart * (other.count / total), self.products + other.products + across)


def change(mean: Estimate, digits: int = 3) -> Change:
    """A mean with its interval."""
    return Change(
        mean=significant(mean.mean, digits),
        low=if_finite(mean.low, significant, digits),
        high=if_finite(mean.high, significant, digits),
    )
