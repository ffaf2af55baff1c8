"""Indices that sum up tuning curves, each with its formula and its source. They take activations, never below zero."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vizengine.evidence.intervals import Estimate, estimate
from vizengine.evidence.stimuli import Stimulus
from vizengine.evidence.tuning_model import Index

ORIENTATION, HUE = "orientation selectivity", "hue selectivity"
_RINGACH = "Ringach, Shapley and Hawken, Orientation selectivity in macaque V1, Journal of Neuroscience 2002"
_FORMULAS = {
    ORIENTATION: ("|Σ r exp(2iθ)| / Σ r over gratings of orientation θ: 1 less the circular variance", _RINGACH),
    HUE: (
        "|Σ r exp(iφ)| / Σ r over uniform colours or light disks of hue φ, whichever drive more",
        f"the same over the whole circle, after {_RINGACH}",
    ),
}
_INVARIANCE = (
    "smallest over largest activation along the sweep, clipped at 0, mean over top patches",
    "after the profiles of Goodfellow, Le, Saxe, Lee and Ng, Measuring invariances in deep networks, NIPS 2009",
)


def selectivity(activations: NDArray[np.floating], degrees: NDArray[np.floating], period: float) -> float:
    """Length of the mean vector: 0 where all angles drive alike, 1 where one alone does.

    Args:
        activations: (n,), none below zero.
        degrees: (n,) angles, evenly spaced over `period`.
        period: 180 for orientations, 360 for hues and directions.

    Returns:
        0 to 1, or not a number where nothing drives.
    """
    total = float(activations.sum())
    if total <= 0:
        return math.nan
    angles = 2 * np.pi * np.asarray(degrees, np.float64) / period
    return float(abs((activations * np.exp(1j * angles)).sum()) / total)


def invariance(activations: NDArray[np.floating]) -> float:
    """Smallest over largest of (n,) activations along a sweep, clipped at 0; not a number where none is above 0."""
    largest = float(activations.max())
    return max(float(activations.min()), 0.0) / largest if largest > 0 else math.nan


def best_by(
    stimuli: Sequence[Stimulus], activations: NDArray[np.floating], family: str, axis: str
) -> tuple[NDArray[np.float64], ...]:
    """Angles of one family, ascending, and the highest activation at each over all other parameters."""
    chosen = [(getattr(stimulus, axis), index) for index, stimulus in enumerate(stimuli) if stimulus.family == family]
    angles = sorted({angle for angle, _ in chosen if angle is not None})
    best = [max(float(activations[index]) for angle, index in chosen if angle == each) for each in angles]
    return np.array(angles, np.float64), np.array(best, np.float64)


def orientation_selectivity(stimuli: Sequence[Stimulus], activations: NDArray[np.floating]) -> float:
    """Over gratings at the frequency that drives most, each orientation at its best phase."""
    gratings = [
        (stimulus, float(value))
        for stimulus, value in zip(stimuli, activations, strict=True)
        if stimulus.family == "grating"
    ]
    frequency = max(gratings, key=lambda each: each[1])[0].frequency
    kept = [(stimulus, value) for stimulus, value in gratings if stimulus.frequency == frequency]
    angles, best = best_by(
        [stimulus for stimulus, _ in kept], np.array([value for _, value in kept]), "grating", "orientation"
    )
    return selectivity(best, angles, 180.0)


def hue_selectivity(stimuli: Sequence[Stimulus], activations: NDArray[np.floating]) -> float:
    """Over uniform colours, each at its best brightness, or over light disks, each at its best radius.

    Of the two families the one that drives more counts: many units don't answer to a colour without a shape.
    """
    light = [index for index, stimulus in enumerate(stimuli) if stimulus.polarity == "light"]
    chosen, driven = [stimuli[index] for index in light], np.asarray(activations)[light]
    families = [best_by(chosen, driven, family, "hue") for family in ("uniform", "disk")]
    hues, best = max(families, key=lambda each: float(each[1].max()))
    return selectivity(best, hues, 360.0)


def _single(value: float) -> Estimate:
    return Estimate(value, 0.0, -math.inf, math.inf, 0 if math.isnan(value) else 1)


def all_indices(
    stimuli: Sequence[Stimulus], drawn: NDArray[np.floating], swept: Sequence[tuple[str, NDArray[np.floating]]]
) -> tuple[Index, ...]:
    """Every index of every channel.

    Args:
        stimuli: what was drawn.
        drawn: (stimuli, channels) activations.
        swept: for each kind of change its name and (steps, patches, channels) activations.
    """
    found = []
    for channel in range(drawn.shape[1]):
        own = drawn[:, channel]
        for name, value in ((ORIENTATION, orientation_selectivity(stimuli, own)), (HUE, hue_selectivity(stimuli, own))):
            found.append(Index(name, channel, _single(value), *_FORMULAS[name]))
        for kind, activations in swept:
            values = [invariance(activations[:, patch, channel]) for patch in range(activations.shape[1])]
            found.append(Index(f"{kind} invariance", channel, estimate(np.array(values)), *_INVARIANCE))
    return tuple(found)
