"""How many inputs it takes: keep only the first k, the others at their mean, and compare with the whole unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

THRESHOLDS = (0.9, 0.99)


@dataclass(frozen=True)
class Curve:
    """One order of inputs.

    Attributes:
        order: (inputs,) channels in the order in which they are kept.
        correlation: (inputs,) Pearson's, of the unit with the first k kept and the whole unit, for k = 1 to all;
            not a number where either is the same everywhere.
        explained: (inputs,) share of the whole unit's variance: 1 - Σ(whole - kept)² / Σ(whole - mean)²; may be
            below 0; not a number where the whole unit is the same everywhere.
        needed_correlation: for each of `THRESHOLDS` the smallest k from which on the correlation stays at or above
            it, or None.
        needed_explained: the same for the variance.
    """

    order: NDArray[np.int64]
    correlation: NDArray[np.float64]
    explained: NDArray[np.float64]
    needed_correlation: tuple[int | None, ...]
    needed_explained: tuple[int | None, ...]


@dataclass(frozen=True)
class Faithfulness:
    """Curves over positions drawn evenly from all photos.

    Attributes:
        positions: how many.
        by_norm: inputs by L2 norm.
        by_contribution: inputs by mean absolute contribution over photos.
        random_correlation, random_explained: (inputs,) mean over random orders, the control.
        draws: how many random orders.
        marked: the k that the circuit shows.
    """

    positions: int
    by_norm: Curve
    by_contribution: Curve
    random_correlation: NDArray[np.float64]
    random_explained: NDArray[np.float64]
    draws: int
    marked: int


def faithfulness(
    contributions: NDArray[np.float32],
    at_mean: NDArray[np.float64],
    by_norm: NDArray[np.int64],
    by_contribution: NDArray[np.int64],
    marked: int,
    seed: int,
    draws: int,
) -> Faithfulness:
    """Faithfulness curves.

    Args:
        contributions: (positions, inputs), without the bias, which changes nothing here.
        at_mean: (positions, inputs) what each channel adds with its activation at its mean.
        by_norm, by_contribution: (inputs,) orders.
        marked: the k that the circuit shows.
        seed: of the random orders.
        draws: how many of them.
    """
    generator = np.random.default_rng([seed, 2])
    whole = contributions.sum(axis=1, dtype=np.float64)
    rest = at_mean.sum(axis=1)
    # One row for each channel, so that a channel lies together in memory.
    gains = np.ascontiguousarray((contributions - at_mean).T)
    random = [_curve(whole, rest, gains, generator.permutation(len(gains))) for _ in range(draws)]
    return Faithfulness(
        positions=len(whole),
        by_norm=_finish(by_norm, *_curve(whole, rest, gains, by_norm)),
        by_contribution=_finish(by_contribution, *_curve(whole, rest, gains, by_contribution)),
        random_correlation=np.mean([correlation for correlation, _ in random], axis=0),
        random_explained=np.mean([explained for _, explained in random], axis=0),
        draws=draws,
        marked=marked,
    )


def _curve(
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


def _finish(order: NDArray[np.int64], correlation: NDArray[np.float64], explained: NDArray[np.float64]) -> Curve:
    return Curve(
        order,
        correlation,
        explained,
        tuple(first_from(correlation, threshold) for threshold in THRESHOLDS),
        tuple(first_from(explained, threshold) for threshold in THRESHOLDS),
    )


def first_from(curve: NDArray[np.float64], threshold: float) -> int | None:
    """The smallest k (from 1) from which on `curve` stays at or above `threshold`, or None."""
    below = np.flatnonzero(~(curve >= threshold))
    first = int(below[-1]) + 2 if len(below) else 1
    return first if first <= len(curve) else None
