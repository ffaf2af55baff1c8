"""What the plots show: bars and curves as figures; the templates draw them as SVG.

The figures go into `circuit.json` as well, so that every bar on the page can be checked. Drawn this way
a plot takes a kilobyte, follows the page's colours in light and dark, and needs no `style` attribute,
which the page's Content-Security-Policy forbids; Matplotlib's SVG offers none of the three.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vizengine.report.figures import Bin, Histogram, Trace
from vizengine.report.numbers import decimals, fixed, significant, whole

COEFFICIENT_BINS = 20
NORM_BINS = 32
TRACE_POINTS = 256


def histogram(values: NDArray[np.floating], low: float, high: float, bins: int) -> Histogram:
    """A histogram of `values` with `bins` bars of equal width from `low` to `high`."""
    if high <= low:
        high = low + 1.0
    counts, edges = np.histogram(np.asarray(values, np.float64).ravel(), bins, (low, high))
    places = decimals((low, high), 3)
    bars = tuple(
        Bin(low=fixed(left, places), high=fixed(right, places), count=whole(count))
        for left, right, count in zip(edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), strict=True)
    )
    return Histogram(
        bins=bars, low=fixed(low, places), high=fixed(high, places), tallest=whole(max(counts.tolist(), default=0))
    )


def coefficients(kernel: NDArray[np.floating], scale: float) -> Histogram:
    """A histogram of one slice's coefficients from −scale to +scale, with zero between two bars."""
    return histogram(kernel, -scale, scale, COEFFICIENT_BINS)


def norms(values: Sequence[float]) -> Histogram:
    """A histogram of all norms, from zero to the largest."""
    return histogram(np.asarray(values), 0.0, max(values, default=1.0), NORM_BINS)


def trace(values: NDArray[np.floating]) -> Trace | None:
    """The course of an ascent, or None where there was none."""
    finite = np.asarray(values, np.float64)
    finite = finite[np.isfinite(finite)]
    if finite.size == 0:
        return None
    kept = np.unique(np.linspace(0, finite.size - 1, min(finite.size, TRACE_POINTS)).round().astype(int))
    return Trace(
        values=tuple(float(f"{value:.6g}") for value in finite[kept]),
        low=significant(float(finite.min())),
        high=significant(float(finite.max())),
        steps=whole(len(values)),
    )
