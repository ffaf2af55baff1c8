"""Faithfulness: how many inputs it takes to follow the unit.

At *k* it is Pearson's correlation, over positions drawn evenly from the held-out photos, of the whole unit with the
unit whose inputs but the first *k* are held at their mean over photos. Inputs come first by norm, by mean absolute
contribution, or *jointly*: one after the other that which explains most of the unit's variance together with those
before it, chosen on the shown photos. The control is the mean over 8 random orders. Intervals leave out one photo after
the other (jackknife of Fisher's z, Student's t).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizengine.figures.quantities import Documented, Finite, Quantity, fixed, percent, whole
from vizengine.measures.ablations import mean_contributions
from vizengine.measures.by_photo import Correlations, correlations
from vizengine.measures.inputs import Circuit
from vizengine.measures.measure import Measure
from vizengine.measures.statistics import largest_first
from vizengine.measures.stream import EvidenceSettings, Streamed
from vizengine.measures.unit import Forward

THRESHOLDS = (0.9, 0.99)


@dataclass(frozen=True)
class Curve:
    """One order of inputs.

    Attributes:
        order: (inputs,) channels in the order in which they are kept.
        correlations: (inputs,) of the unit with the first k kept and the whole unit, for k = 1 to all.
        explained: (inputs,) share of the whole unit's variance: 1 - Σ(whole - kept)² / Σ(whole - mean)²; may be
            below 0; not a number where the whole unit is the same everywhere.
        needed_correlation: for each of `THRESHOLDS` the smallest k from which on the correlation stays at or above
            it, or None.
    """

    order: NDArray[np.int64]
    correlations: Correlations
    explained: NDArray[np.float64]
    needed_correlation: tuple[int | None, ...]


@dataclass(frozen=True)
class Faithfulness:
    """Curves over positions drawn evenly from the held-out photos.

    Attributes:
        positions: how many.
        by_norm: inputs by L2 norm.
        by_contribution: inputs by mean absolute contribution over photos.
        jointly: inputs by the variance that they explain together, on the shown photos.
        random_correlation: (inputs,) mean over random orders, the control.
        draws: how many random orders.
        marked: the k that the circuit shows.
    """

    positions: int
    by_norm: Curve
    by_contribution: Curve
    jointly: Curve
    random_correlation: NDArray[np.float64]
    draws: int
    marked: int


def measure_faithfulness(
    circuit: Circuit, forward: Forward, streamed: Streamed, settings: EvidenceSettings
) -> Faithfulness:
    """Faithfulness of the first k of a unit's inputs, for every k."""
    split, sample = streamed.split, streamed.sample
    shown = sample.take(np.flatnonzero(split.shown[sample.photo]))
    sample = sample.take(np.flatnonzero(split.held_out[sample.photo]))
    at_mean = mean_contributions(forward, streamed, sample.inside)
    # The bias changes nothing here.
    whole = sample.contributions.sum(axis=1, dtype=np.float64)
    rest = at_mean.sum(axis=1)
    gains = sample.contributions - at_mean
    _, group = np.unique(split.groups[sample.photo], return_inverse=True)

    def curve(order: NDArray[np.int64]) -> Curve:
        kept = rest[:, None] + np.cumsum(gains[:, order], axis=1)
        followed = correlations(_sums(whole, kept, group))
        # What float64 sums can leave of a unit that is the same everywhere.
        floor = len(whole) * (1e-9 * (1 + np.abs(whole).max())) ** 2
        energy = float(np.square(whole - whole.mean()).sum())
        explained = np.full(len(order), np.nan)
        if energy > floor:
            explained = 1 - np.square(whole[:, None] - kept).sum(axis=0) / energy
        needed = tuple(first_from(followed.value, threshold) for threshold in THRESHOLDS)
        return Curve(order, followed, explained, needed)

    generator = np.random.default_rng([settings.seed, 2])
    random = [curve(generator.permutation(gains.shape[1])).correlations.value for _ in range(settings.random_orders)]
    return Faithfulness(
        positions=len(whole),
        by_norm=curve(np.array([channel.index for channel in circuit.ranked], np.int64)),
        by_contribution=curve(largest_first(streamed.contribution_size)),
        jointly=curve(joint_order(shown.contributions)),
        random_correlation=np.mean(random, axis=0),
        draws=settings.random_orders,
        marked=circuit.top,
    )


def _sums(whole: NDArray[np.float64], kept: NDArray[np.float64], group: NDArray[np.integer]) -> NDArray[np.float64]:
    """Sums for `correlations`: (groups, 6, inputs), of what is left when the means are taken away."""
    x, y = whole - whole.mean(), kept - kept.mean(axis=0)
    members = (group[None] == np.arange(int(group.max()) + 1)[:, None]).astype(np.float64)
    ones = np.ones_like(y)
    return np.stack(
        [members @ values for values in (ones, x[:, None] * ones, x[:, None] ** 2 * ones, y, y**2, x[:, None] * y)],
        axis=1,
    )


def joint_order(contributions: NDArray[np.floating]) -> NDArray[np.int64]:
    """Inputs in the order in which each, added to those before it, explains most of the unit's variance.

    Args:
        contributions: (positions, inputs).
    """
    apart = contributions - contributions.mean(axis=0, dtype=np.float64) if len(contributions) else contributions
    covariance = apart.T @ apart
    # The variance left of the whole with set S kept falls by 2 cov(c, left) - var(c) when c joins it.
    with_left, variance = covariance.sum(axis=1), np.diagonal(covariance)
    order: list[int] = []
    for _ in range(len(variance)):
        gains = 2 * with_left - variance
        gains[order] = -np.inf
        order.append(int(gains.argmax()))
        with_left = with_left - covariance[order[-1]]
    return np.array(order, np.int64)


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
    jointly: tuple[Finite, ...]
    """Correlation with the first k chosen jointly."""
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
    joint: Quantity
    """Correlation at that number where the inputs are chosen jointly."""
    joint_inputs: tuple[str, ...]
    """The inputs that are chosen jointly, in their order."""
    needed: tuple[Quantity | None, ...]
    """Inputs by norm that 0.9 and 0.99 take; null where all are too few."""
    needed_best: tuple[Quantity | None, ...]
    """The same by contribution."""
    positions: Quantity
    """Positions in the sample."""


CURVE_POINTS = 40


def faithfulness_report(faithfulness: Faithfulness, circuit: Circuit) -> FaithfulnessReport | None:
    """None where a correlation doesn't exist, since the unit or what is kept of it is the same everywhere."""
    by_norm, best, joint = faithfulness.by_norm, faithfulness.by_contribution, faithfulness.jointly
    inputs = len(by_norm.order)
    marked = min(faithfulness.marked, inputs) - 1
    counts = sorted({1, marked + 1, inputs, *np.geomspace(1, inputs, CURVE_POINTS).round().astype(int).tolist()})
    curves = [
        curve[np.array(counts) - 1]
        for curve in (
            by_norm.correlations.value,
            best.correlations.value,
            joint.correlations.value,
            faithfulness.random_correlation,
        )
    ]
    if not np.isfinite(curves).all():
        return None
    norm_curve, best_curve, joint_curve, random_curve = (
        tuple(float(f"{value:.4g}") for value in curve) for curve in curves
    )

    def needed(curve: Curve) -> tuple[Quantity | None, ...]:
        return tuple(None if k is None else whole(k) for k in curve.needed_correlation)

    interval = by_norm.correlations.interval(marked)
    return FaithfulnessReport(
        counts=tuple(counts),
        by_norm=norm_curve,
        by_contribution=best_curve,
        jointly=joint_curve,
        random=random_curve,
        correlation=fixed(interval.value, 2),
        low=fixed(interval.low, 2),
        high=fixed(interval.high, 2),
        explained=percent(by_norm.explained[marked]),
        best=fixed(float(best.correlations.value[marked]), 2),
        joint=fixed(float(joint.correlations.value[marked]), 2),
        joint_inputs=tuple(circuit.inputs[index].label for index in joint.order[: marked + 1].tolist()),
        needed=needed(by_norm),
        needed_best=needed(best),
        positions=whole(faithfulness.positions),
    )


FAITHFULNESS = Measure(
    name="faithfulness",
    result=Faithfulness,
    version=2,
    compute=measure_faithfulness,
    panel="does",
    report=faithfulness_report,
    part=FaithfulnessReport | None,
    about="How many inputs it takes; null where the unit is the same everywhere.",
    values={
        "faithfulness.correlation": lambda part: part and part.correlation,
        "faithfulness.joint": lambda part: part and part.joint,
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
