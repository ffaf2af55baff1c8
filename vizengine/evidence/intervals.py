"""95 % intervals of means and of areas under the ROC curve."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
