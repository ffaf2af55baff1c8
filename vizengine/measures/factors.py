"""Factors: few patterns behind many kernel slices.

After Voss et al., Visualizing Weights, Distill 2021: positive and negative parts of the weights are stacked, so that
no entry is below 0, and factored by non-negative matrix factorisation over channels, up to three factors; each factor
is a group of channels that the unit reads alike. A group's share is the part of the weights' sum of squares that its
factor alone holds.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizengine.figures.pictures import picture
from vizengine.figures.quantities import Documented, Kernel, Picture, Quantity, percent, significant
from vizengine.measures.inputs import Circuit, kernel_of
from vizengine.measures.measure import Measure
from vizengine.measures.photos import Photo
from vizengine.measures.polysemanticity import Weighted, heaviest
from vizengine.measures.stream import EvidenceSettings, Streamed
from vizengine.pictures.result import Visualization
from vizengine.pictures.view import Verdict


@dataclass(frozen=True)
class Factor:
    """One group of channels and the kernel through which the unit reads it.

    Attributes:
        channels: (inputs,) float64, weight of each channel, none below 0, of length 1 as a vector: the direction
            whose feature visualization shows the group.
        positive, negative: (height, width) float64, none below 0: how the unit is excited and inhibited by the group;
            the slice of channel c is about `channels[c] * (positive - negative)`, summed over factors.
        share: of the weights' sum of squares that this factor alone holds, 0 to 1; shares needn't add up.
    """

    channels: NDArray[np.float64]
    positive: NDArray[np.float64]
    negative: NDArray[np.float64]
    share: float


@dataclass(frozen=True)
class Factors:
    """Factors of all slices of a unit.

    Attributes:
        factors: by share, largest first; none where all weights are 0.
        explained: for 1 factor, 2 and so on up to as many as there are, each fitted anew: 1 less the squared error over
            the weights' sum of squares, 0 to 1.
    """

    factors: tuple[Factor, ...]
    explained: tuple[float, ...]


def measure_factors(circuit: Circuit, settings: EvidenceSettings) -> Factors:
    """Factors of a unit's weights; fewer than the settings say where the kernel has fewer channels or coefficients."""
    slices = np.stack([channel.kernel for channel in circuit.inputs], axis=-1).astype(np.float64)
    height, width, inputs = slices.shape
    flat = slices.reshape(-1, inputs)
    stacked = np.concatenate([np.maximum(flat, 0), np.maximum(-flat, 0)])
    energy = float(np.square(stacked).sum())
    rank = int(np.linalg.matrix_rank(stacked)) if energy else 0
    explained: list[float] = []
    patterns, weights = np.zeros((len(stacked), 0)), np.zeros((0, inputs))
    for count in range(1, min(settings.factors, rank) + 1):
        patterns, weights = _fit(stacked / np.sqrt(energy), count, settings.seed)
        patterns = patterns * np.sqrt(energy)
        explained.append(1 - float(np.square(stacked - patterns @ weights).sum()) / energy)
    factors = []
    for pattern, weight in zip(patterns.T, weights, strict=True):
        if length := float(np.linalg.norm(weight)):
            positive, negative = (length * pattern).reshape(2, height, width)
            share = float(np.square(np.outer(pattern, weight)).sum()) / energy
            factors.append(Factor(weight / length, positive, negative, share))
    return Factors(tuple(sorted(factors, key=lambda factor: -factor.share)), tuple(explained))


def _fit(stacked: NDArray[np.float64], count: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Patterns (rows, factors) and weights (factors, inputs)."""
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    model = NMF(count, init="nndsvda", random_state=seed, max_iter=1000, tol=1e-5)
    with warnings.catch_warnings():
        # What wasn't reached after a thousand rounds shows in the explained share.
        warnings.simplefilter("ignore", ConvergenceWarning)
        patterns = model.fit_transform(stacked)
    return np.asarray(patterns), np.asarray(model.components_)


class FactorReport(Documented):
    """One group of inputs that the unit reads alike."""

    label: str
    """Its name on the page."""
    share: Quantity
    """Of the weights' sum of squares."""
    kernel: Kernel
    """How the unit reads the group."""
    channels: tuple[Weighted, ...]
    """Its heaviest inputs."""
    picture: Picture
    """What drives the group, the weighted sum of its inputs' activations."""
    reached: Quantity
    """The group's highest value at any position of the picture."""
    photo_best: Quantity
    """Its highest value at any position of any photo."""
    photo_best_name: str
    """The photo that gave it."""
    verdict: Verdict
    """Whether the picture passes the photos and had stopped rising."""


class FactorsReport(Documented):
    """Few patterns behind many kernel slices."""

    factors: tuple[FactorReport, ...]
    """The groups, largest share first."""
    explained: Quantity | None
    """Share of the weights' sum of squares that they hold together; null where all weights are zero."""
    scale: Quantity
    """Largest absolute coefficient: the ends of the colour scale."""


CHANNELS = 6
# Twice the side in CSS pixels at which the page shows a group.
GROUP_PIXELS = 224


def factors_report(factors: Factors, circuit: Circuit, group_pictures: Sequence[Visualization]) -> FactorsReport:
    """The groups of inputs, each with its picture and the kernel through which the unit reads it."""
    kernels = [factor.positive - factor.negative for factor in factors.factors]
    largest = [float(np.abs(kernel).max()) for kernel in kernels]
    return FactorsReport(
        factors=tuple(
            FactorReport(
                label=f"group {number}",
                share=percent(factor.share),
                kernel=kernel_of(kernels[number - 1], largest[number - 1]),
                channels=heaviest(factor.channels, circuit, CHANNELS),
                picture=picture(
                    visualization.image, f"Synthetic image that drives group {number} of the inputs", GROUP_PIXELS
                ),
                reached=significant(visualization.reached),
                photo_best=significant(visualization.photo_best),
                photo_best_name=visualization.photo_best_name,
                verdict="converged" if visualization.converged else "not converged",
            )
            for number, (factor, visualization) in enumerate(zip(factors.factors, group_pictures, strict=True), 1)
        ),
        explained=percent(factors.explained[-1]) if factors.explained else None,
        scale=significant(max(largest, default=0.0)),
    )


def measure_factor_best(streamed: Streamed, photos: Sequence[Photo]) -> tuple[tuple[float, str], ...]:
    """Highest value of each factor's direction at any position of any photo, and the photo's name."""
    return tuple((value, photos[index].name) for value, index in streamed.group_best)


FACTOR_BEST = Measure(name="factor_best", result=tuple[tuple[float, str], ...], version=1, compute=measure_factor_best)
FACTORS = Measure(
    name="factors",
    result=Factors,
    version=1,
    compute=measure_factors,
    panel="does",
    report=factors_report,
    part=FactorsReport,
    about="Groups of inputs that it reads alike.",
)
