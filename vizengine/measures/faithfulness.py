"""Faithfulness: how many inputs it takes to follow the unit.

At *k* it is Pearson's correlation, over the sample of positions, of the whole unit with the unit whose inputs but the
first *k* are held at their mean over photos. Inputs come first by norm or by mean absolute contribution; the control
is the mean over 8 random orders. Its 95 % interval is the percentile bootstrap over photos (Efron 1979), since
neighbouring positions aren't independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizengine.figures.quantities import Documented, Finite, Quantity, fixed, percent, whole
from vizengine.measures.ablations import mean_contributions
from vizengine.measures.inputs import Circuit
from vizengine.measures.measure import Measure
from vizengine.measures.statistics import largest_first
from vizengine.measures.stream import EvidenceSettings, Streamed
from vizengine.measures.unit import Forward

THRESHOLDS = (0.9, 0.99)
_BOOTSTRAPS = 400
_FEWEST_PHOTOS = 3


@dataclass(frozen=True)
class Curve:
    """One order of inputs.

    Attributes:
        order: (inputs,) channels in the order in which they are kept.
        correlation: (inputs,) Pearson's, of the unit with the first k kept and the whole unit, for k = 1 to all;
            not a number where either is the same everywhere.
        explained: (inputs,) share of the whole unit's variance: 1 - Σ(whole - kept)² / Σ(whole - mean)²; may be
            below 0; not a number where the whole unit is the same everywhere.
        low, high: (inputs,) 95 % interval of the correlation; -1 and 1 where there are under three photos.
        needed_correlation: for each of `THRESHOLDS` the smallest k from which on the correlation stays at or above
            it, or None.
    """

    order: NDArray[np.int64]
    correlation: NDArray[np.float64]
    explained: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    needed_correlation: tuple[int | None, ...]


@dataclass(frozen=True)
class Faithfulness:
    """Curves over positions drawn evenly from all photos.

    Attributes:
        positions: how many.
        by_norm: inputs by L2 norm.
        by_contribution: inputs by mean absolute contribution over photos.
        random_correlation: (inputs,) mean over random orders, the control.
        draws: how many random orders.
        marked: the k that the circuit shows.
    """

    positions: int
    by_norm: Curve
    by_contribution: Curve
    random_correlation: NDArray[np.float64]
    draws: int
    marked: int


def measure_faithfulness(
    circuit: Circuit, forward: Forward, streamed: Streamed, settings: EvidenceSettings
) -> Faithfulness:
    """Faithfulness of the first k of a unit's inputs, for every k."""
    sample = streamed.sample
    at_mean = mean_contributions(forward, streamed, sample.inside)
    # The bias changes nothing here.
    whole = sample.contributions.sum(axis=1, dtype=np.float64)
    rest = at_mean.sum(axis=1)
    # One row for each channel, so that a channel lies together in memory.
    gains = np.ascontiguousarray((sample.contributions - at_mean).T)
    generator = np.random.default_rng([settings.seed, 2])
    random = [
        _correlation(whole, rest, gains, generator.permutation(len(gains)))[0] for _ in range(settings.random_orders)
    ]
    _, photo = np.unique(sample.photo, return_inverse=True)
    photos = int(photo.max()) + 1
    redrawn = generator.multinomial(photos, np.full(photos, 1 / photos), _BOOTSTRAPS).astype(np.float64)

    def curve(order: NDArray[np.int64]) -> Curve:
        correlation, explained = _correlation(whole, rest, gains, order)
        low, high = _intervals(whole, rest, gains, order, photo, redrawn)
        needed = tuple(first_from(correlation, threshold) for threshold in THRESHOLDS)
        return Curve(order, correlation, explained, low, high, needed)

    return Faithfulness(
        positions=len(whole),
        by_norm=curve(np.array([channel.index for channel in circuit.ranked], np.int64)),
        by_contribution=curve(largest_first(streamed.contribution_size)),
        random_correlation=np.mean(random, axis=0),
        draws=settings.random_orders,
        marked=circuit.top,
    )


def _correlation(
    whole: NDArray[np.float64], rest: NDArray[np.float64], gains: NDArray[np.float64], order: NDArray[np.integer]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Correlation and explained variance as channel after channel leaves its mean; `rest` has all at their mean."""
    kept = rest
    centred = whole - whole.mean()
    energy = float(centred @ centred)
    correlation, explained = np.full(len(order), np.nan), np.full(len(order), np.nan)
    # What float64 sums can leave of a unit that is the same everywhere.
    floor = len(whole) * (1e-9 * (1 + np.abs(whole).max())) ** 2
    if energy <= floor:
        return correlation, explained
    for k, channel in enumerate(order):
        kept = kept + gains[channel]
        moved = kept - kept.mean()
        spread = float(moved @ moved)
        if spread > floor:
            correlation[k] = float(moved @ centred) / np.sqrt(spread * energy)
        explained[k] = 1 - float(np.square(whole - kept).sum()) / energy
    return correlation, explained


def _intervals(
    whole: NDArray[np.float64],
    rest: NDArray[np.float64],
    gains: NDArray[np.float64],
    order: NDArray[np.integer],
    photo: NDArray[np.integer],
    redrawn: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ends of the correlation's interval for each k.

    Args:
        photo: (positions,) index of the photo, from 0.
        redrawn: (draws, photos), how often each photo was drawn.
    """
    low, high = np.full(len(order), -1.0), np.ones(len(order))
    if redrawn.shape[1] < _FEWEST_PHOTOS or np.ptp(whole) == 0:
        return low, high

    def sums(*values: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        # Sums of photos add up, so a draw of photos costs no more than a weighted sum.
        return [redrawn @ np.bincount(photo, weights) for weights in values]

    middle = whole.mean()
    centred = whole - middle
    count, mean, square = sums(np.ones(len(whole)), centred, centred**2)
    kept = rest - middle
    for k, channel in enumerate(order):
        kept = kept + gains[channel]
        first, second, product = sums(kept, kept**2, kept * centred)
        spread = np.sqrt(np.maximum((second - first**2 / count) * (square - mean**2 / count), 0))
        correlations = (product - first * mean / count)[spread > 0] / spread[spread > 0]
        if len(correlations):
            low[k], high[k] = np.quantile(correlations, (0.025, 0.975))
    return low, high


def first_from(curve: NDArray[np.float64], threshold: float) -> int | None:
    """The smallest k (from 1) from which on `curve` stays at or above `threshold`, or None."""
    below = np.flatnonzero(~(curve >= threshold))
    first = int(below[-1]) + 2 if len(below) else 1
    return first if first <= len(curve) else None


class FaithfulnessReport(Documented):
    """How well the first k inputs follow the whole unit."""

    counts: tuple[int, ...]
    """Values of k that the curves show."""
    by_norm: tuple[Finite, ...]
    """Correlation with the first k by norm."""
    by_contribution: tuple[Finite, ...]
    """Correlation with the first k by mean absolute contribution."""
    random: tuple[Finite, ...]
    """Mean correlation with k random inputs."""
    correlation: Quantity
    """Correlation at the number of inputs that the page shows, by norm."""
    low: Quantity
    """Lower end of its 95 % interval."""
    high: Quantity
    """Upper end."""
    explained: Quantity
    """Share of variance explained there."""
    best: Quantity
    """Correlation at that number by contribution."""
    needed: tuple[Quantity | None, ...]
    """Inputs by norm that 0.9 and 0.99 take; null where all are too few."""
    needed_best: tuple[Quantity | None, ...]
    """The same by contribution."""
    positions: Quantity
    """Positions in the sample."""


CURVE_POINTS = 40


def faithfulness_report(faithfulness: Faithfulness) -> FaithfulnessReport | None:
    """None where a correlation doesn't exist, since the unit or what is kept of it is the same everywhere."""
    by_norm, best = faithfulness.by_norm, faithfulness.by_contribution
    inputs = len(by_norm.order)
    marked = min(faithfulness.marked, inputs) - 1
    counts = sorted({1, marked + 1, inputs, *np.geomspace(1, inputs, CURVE_POINTS).round().astype(int).tolist()})
    curves = [
        curve[np.array(counts) - 1]
        for curve in (by_norm.correlation, best.correlation, faithfulness.random_correlation)
    ]
    if not np.isfinite(curves).all():
        return None
    norm_curve, best_curve, random_curve = (tuple(float(f"{value:.4g}") for value in curve) for curve in curves)

    def needed(curve: Curve) -> tuple[Quantity | None, ...]:
        return tuple(None if k is None else whole(k) for k in curve.needed_correlation)

    return FaithfulnessReport(
        counts=tuple(counts),
        by_norm=norm_curve,
        by_contribution=best_curve,
        random=random_curve,
        correlation=fixed(by_norm.correlation[marked], 2),
        low=fixed(by_norm.low[marked], 2),
        high=fixed(by_norm.high[marked], 2),
        explained=percent(by_norm.explained[marked]),
        best=fixed(best.correlation[marked], 2),
        needed=needed(by_norm),
        needed_best=needed(best),
        positions=whole(faithfulness.positions),
    )


FAITHFULNESS = Measure(
    name="faithfulness",
    result=Faithfulness,
    version=1,
    compute=measure_faithfulness,
    panel="does",
    report=faithfulness_report,
    part=FaithfulnessReport | None,
    about="How many inputs it takes; null where the unit is the same everywhere.",
    values={
        "faithfulness.correlation": lambda part: part and part.correlation,
        "faithfulness.low": lambda part: part and part.low,
        "faithfulness.high": lambda part: part and part.high,
        "faithfulness.explained": lambda part: part and part.explained,
        "faithfulness.needed_90": lambda part: part and part.needed[0],
        "faithfulness.needed_99": lambda part: part and part.needed[1],
    },
    rows={
        "correlation with those alone": lambda report: (
            report.evidence.faithfulness and report.evidence.faithfulness.correlation
        ),
        "inputs for a correlation of 0.9": lambda report: (
            report.evidence.faithfulness and report.evidence.faithfulness.needed[0]
        ),
    },
)
