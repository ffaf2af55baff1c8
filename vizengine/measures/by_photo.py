"""Intervals by photo: photos are the sample, since what lies in one photo is alike.

- *Share*: a ratio of sums over photos; its error by leaving out one photo after the other (jackknife, Efron and Stein
  1981), its interval by Student's t with photos - 1 degrees of freedom.
- *Correlation*: over positions of all photos; Fisher's z, its error and interval in the same way.
- *Median*: its interval by order statistics (Hettmansperger and Sheather 1986), whatever the distribution.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from vizengine.figures.quantities import Change, if_finite, significant

LEVEL = 0.95
# Correlations of which float64 sums can't say how far they are from 1.
_HIGHEST = 1 - 1e-9


@dataclass(frozen=True)
class Interval:
    """A figure and its interval over photos.

    Attributes:
        value: not a number where it can't be told.
        low, high: ends of the interval; minus and plus infinity (for a correlation -1 and 1) where it can't be told.
        photos: how many photos it rests on.
    """

    value: float
    low: float
    high: float
    photos: int


def jackknife_error(without: NDArray[np.floating]) -> NDArray[np.float64]:
    """Standard error of a figure from its values without each photo, (photos, ...)."""
    photos = len(without)
    apart = without - without.mean(axis=0)
    return np.asarray(np.sqrt((photos - 1) / photos * np.square(apart).sum(axis=0)))


@cache
def reach(photos: int, level: float = LEVEL) -> float:
    """How many standard errors an interval reaches to each side, by Student's t; infinity for one photo or none."""
    from scipy.stats import t

    return float(t.ppf((1 + level) / 2, photos - 1)) if photos > 1 else math.inf


def share(parts: NDArray[np.floating], wholes: NDArray[np.floating], level: float = LEVEL) -> Interval:
    """Σ parts / Σ wholes over photos.

    Args:
        parts, wholes: (photos,) float64.
        level: of the interval, 0 to 1.
    """
    photos, whole = len(wholes), float(np.sum(wholes))
    if not photos or not whole:
        return Interval(math.nan, -math.inf, math.inf, photos)
    value = float(parts.sum()) / whole
    if photos == 1:
        return Interval(value, -math.inf, math.inf, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = float(jackknife_error((parts.sum() - parts) / (whole - wholes)))
    if not math.isfinite(error):
        return Interval(value, -math.inf, math.inf, photos)
    return Interval(value, value - reach(photos, level) * error, value + reach(photos, level) * error, photos)


@dataclass(frozen=True)
class Drive:
    """What drives a unit where it is strongest: sums over photos, in groups that are left out one after the other.

    Attributes:
        photos: (groups,) how many photos.
        contributions: (groups, inputs) float64, sum over the photos of each one's mean contributions.
        held_out: whether nobody has looked at these photos, so that claims can be judged on them.
    """

    photos: NDArray[np.float64]
    contributions: NDArray[np.float64]
    held_out: bool

    @property
    def mean(self) -> NDArray[np.float64]:
        """(inputs,) mean contribution, photos alike; their sum is the drive."""
        return np.asarray(self.contributions.sum(axis=0) / max(float(self.photos.sum()), 1.0))

    @property
    def size(self) -> NDArray[np.float64]:
        """(groups,) what all inputs give together, with the sign at which its sum isn't below 0."""
        wholes = self.contributions.sum(axis=1)
        return np.asarray(wholes if wholes.sum() >= 0 else -wholes)

    def contribution(self, *channels: int, level: float = LEVEL) -> Interval:
        """Mean contribution of some inputs together."""
        return share(self.contributions[:, channels].sum(axis=1), self.photos, level)

    def share(self, *channels: int, level: float = LEVEL) -> Interval:
        """Their contribution as a share of the drive's size: below 0 where it holds the unit down."""
        return share(self.contributions[:, channels].sum(axis=1), self.size, level)


@dataclass(frozen=True)
class Correlations:
    """Pearson's correlations over positions of all photos.

    Attributes:
        value: (...) float64; not a number where one side is the same everywhere.
        error: (...) standard error of Fisher's z; infinity for one photo.
        groups: of photos that were left out.
    """

    value: NDArray[np.float64]
    error: NDArray[np.float64]
    groups: int

    def interval(self, *place: int, level: float = LEVEL) -> Interval:
        """Of one correlation; from -1 to 1 where it can't be told."""
        value, error = float(self.value[place]), float(self.error[place])
        z, width = math.atanh(max(-_HIGHEST, min(value, _HIGHEST))), reach(self.groups, level) * error
        if math.isnan(value) or not math.isfinite(width):
            return Interval(value, -1.0, 1.0, self.groups)
        return Interval(value, math.tanh(z - width), math.tanh(z + width), self.groups)


def correlations(sums: NDArray[np.floating]) -> Correlations:
    """Correlations from sums over each photo's, or group of photos', positions.

    Args:
        sums: (groups, 6, ...): the number of positions, Σx, Σx², Σy, Σy², Σxy.
    """
    whole = sums.sum(axis=0)
    value = _pearson(whole)
    if len(sums) < 2:
        return Correlations(value, np.full(value.shape, np.inf), len(sums))
    with np.errstate(divide="ignore", invalid="ignore"):
        without = np.stack([_pearson(whole - of_group) for of_group in sums])
        error = jackknife_error(np.arctanh(without.clip(-_HIGHEST, _HIGHEST)))
    return Correlations(value, np.where(np.isfinite(error), error, np.inf), len(sums))


def _pearson(sums: NDArray[np.floating]) -> NDArray[np.float64]:
    count, x, xx, y, yy, xy = np.asarray(sums, np.float64)
    # What float64 sums leave of values that are all alike.
    floor = 1e-12
    with np.errstate(divide="ignore", invalid="ignore"):
        spread_x, spread_y = xx - x**2 / count, yy - y**2 / count
        value = (xy - x * y / count) / np.sqrt(spread_x * spread_y)
    alike = (spread_x <= floor * np.abs(xx)) | (spread_y <= floor * np.abs(yy))
    return np.where(alike, np.nan, value.clip(-1, 1))


def median(values: NDArray[np.floating], level: float = LEVEL) -> Interval:
    """The median over photos of (photos,) values; values that aren't numbers are left out.

    The ends lie between the order statistics whose probabilities enclose `level`, interpolated as Hettmansperger and
    Sheather (Confidence intervals based on interpolated order statistics, 1986) do.
    """
    from scipy.stats import binom

    ordered = np.sort(np.asarray(values, np.float64)[~np.isnan(values)])
    photos = len(ordered)
    if not photos:
        return Interval(math.nan, -math.inf, math.inf, 0)
    value = float(np.median(ordered))
    # Probability that the median lies between the d-th value from either end.
    probabilities = 1 - 2 * binom.cdf(np.arange(photos // 2), photos, 0.5)
    enough = int(np.count_nonzero(probabilities >= level))
    if not enough:
        return Interval(value, -math.inf, math.inf, photos)
    wide = probabilities[enough - 1]
    narrow = probabilities[enough] if enough < len(probabilities) else 0.0
    part = (wide - level) / (wide - narrow)
    weight = (photos - enough) * part / (enough + (photos - 2 * enough) * part)
    low = (1 - weight) * ordered[enough - 1] + weight * ordered[min(enough, photos - 1)]
    high = (1 - weight) * ordered[photos - enough] + weight * ordered[max(photos - enough - 1, 0)]
    return Interval(value, float(low), float(high), photos)


def change(interval: Interval) -> Change:
    """What a page says of a figure with its interval."""
    return Change(
        mean=significant(interval.value),
        low=if_finite(interval.low, significant),
        high=if_finite(interval.high, significant),
    )
