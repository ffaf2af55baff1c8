"""How few inputs hold most of each unit's weights, all units of a layer at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizengine.cache import Stage
from vizengine.layers.survey import SURVEY, Survey
from vizengine.measures.polysemanticity import cluster, ward


@dataclass(frozen=True)
class Concentration:
    """Of a layer's units. The energy of an input is the squared L2 norm of its slice; shares are of their sum.

    Attributes:
        inputs: how many inputs each unit has.
        top: how many of them `share` counts, at most.
        share: (units,) share of the energy that the `top` strongest inputs hold, 0 to 1.
        effective: (units,) effective number of inputs, 1 to `inputs`: (Σ e)² / Σ e², which is `inputs` where all are
            equally strong (participation ratio, Bell and Dean 1970).
        share_chance, effective_chance: the same of each unit's own coefficients, shuffled among its slices.
            All are not a number for a unit without weights.
    """

    inputs: int
    top: int
    share: NDArray[np.float64]
    effective: NDArray[np.float64]
    share_chance: NDArray[np.float64]
    effective_chance: NDArray[np.float64]


def concentration(kernel: NDArray[np.float32], top: int, seed: int = 0) -> Concentration:
    """Measure all units of a layer by its (height, width, inputs, units) kernel and the `top` inputs of each."""
    wide = kernel.astype(np.float64)
    flat = wide.reshape(-1, wide.shape[-1])
    shuffled = np.random.default_rng(seed).permuted(flat, axis=0).reshape(wide.shape)
    inputs = kernel.shape[2]
    top = min(top, inputs)
    measured, chance = (_of_energies(np.square(weights).sum(axis=(0, 1)), top) for weights in (wide, shuffled))
    return Concentration(inputs, top, *measured, *chance)


def _of_energies(energies: NDArray[np.float64], top: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share and effective number of (inputs, units) energies."""
    total = energies.sum(axis=0)
    shares = energies / np.where(total > 0, total, np.nan)
    return np.sort(shares, axis=0)[-top:].sum(axis=0), 1 / np.square(shares).sum(axis=0)


GAUSSIAN_SPARSENESS = 1 - 1 / np.pi
"""Sparseness of a unit whose pre-activation is Gaussian around zero: E[a]² / E[a²] = (1/2π) / (1/2)."""


def sparseness(activation: NDArray[np.float64], products: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Lifetime sparseness: 0 where a unit fires alike everywhere, 1 where it does at one position alone.

    `(1 − E[a]² / E[a²]) / (1 − 1/n)`: Vinje and Gallant, Sparse coding and decorrelation in primary visual cortex
    during natural vision, Science 2000, after Rolls and Tovee 1995.

    Args:
        activation: (channels,) mean activation E[a].
        products: (channels, channels) mean products, with E[a²] on the diagonal.
        count: positions n.

    Returns:
        (channels,) 0 to 1; not a number where a unit never fires.
    """
    squares = np.diagonal(products)
    ratio = np.divide(activation**2, squares, out=np.full_like(activation, np.nan), where=squares > 0)
    return np.asarray((1 - ratio) / (1 - 1 / count) if count > 1 else np.full_like(ratio, np.nan))


def correlations(activation: NDArray[np.float64], products: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pearson's correlation of the activations of every two units over all positions.

    Args:
        activation, products: as for `sparseness`.

    Returns:
        (channels, channels), −1 to 1; not a number where one of the two doesn't vary.
    """
    covariance = products - np.outer(activation, activation)
    variance = np.diagonal(covariance)
    # What is left of a unit that doesn't vary is rounding.
    varies = variance > 1e-9 * np.diagonal(products)
    deviation = np.where(varies, np.sqrt(np.maximum(variance, 0)), np.nan)
    return np.asarray(np.clip(covariance / np.outer(deviation, deviation), -1, 1))


def nearest_units(correlation: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """The units that fire most like each unit.

    Args:
        correlation: (channels, channels), as `correlations` gives it.
        count: how many of them.

    Returns:
        (channels, at most count) indices, most alike first; −1 where there are no more.
    """
    apart = np.where(np.isfinite(correlation), correlation, -np.inf)
    np.fill_diagonal(apart, -np.inf)
    order = np.argsort(-apart, axis=1, kind="stable")[:, : min(count, len(apart) - 1)]
    return np.where(np.isneginf(np.take_along_axis(apart, order, axis=1)), -1, order)


def median_pair(correlation: NDArray[np.float64]) -> float:
    """The median over all pairs of two units; not a number where no two vary."""
    pairs = correlation[np.triu_indices(len(correlation), 1)]
    known = pairs[np.isfinite(pairs)]
    return float(np.median(known)) if len(known) else float("nan")


@dataclass(frozen=True)
class Groups:
    """Clusters of each unit's top examples by what drove them, as in `Polysemanticity`.

    Attributes:
        examples: (units,) int64, how many were clustered.
        count: (units,) int64, number of groups: 1 where no grouping passes the threshold.
        silhouette: (units,) float64, mean over examples, of the best grouping into several; not a number where there
            are too few different examples to group.
        threshold: (units,) float64, what it must pass: the highest of 19 shuffles, and at least 0.25.
    """

    examples: NDArray[np.int64]
    count: NDArray[np.int64]
    silhouette: NDArray[np.float64]
    threshold: NDArray[np.float64]


def groups(survey: Survey, units: tuple[int, ...], seed: int = 0) -> Groups:
    """Group the top examples of some units, at least one."""
    parts = [survey.parts[unit, survey.examples(unit)] for unit in units]
    clustered = [cluster(of_unit, seed, ward) for of_unit in parts]
    return Groups(
        np.array([len(of_unit) for of_unit in parts], np.int64),
        np.array([grouped.count for grouped in clustered], np.int64),
        np.array([grouped.silhouette.mean if grouped.tried else np.nan for grouped in clustered], np.float64),
        np.array([grouped.threshold for grouped in clustered], np.float64),
    )


def together(parts: tuple[Groups, ...]) -> Groups:
    """The groups of all units of `parts`, one after the other."""
    return Groups(*(np.concatenate(columns) for columns in zip(*(vars(part).values() for part in parts), strict=True)))


UNIT_GROUPS = Stage("unit-groups", Groups, 1, (groups,), (SURVEY,))
