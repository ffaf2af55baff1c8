"""A layer's units side by side: how sparsely each fires, and which fire together. From moments that `survey` keeps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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


def nearest(correlation: NDArray[np.float64], count: int) -> NDArray[np.int64]:
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
