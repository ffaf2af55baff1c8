"""How few inputs hold most of each unit's weights, all units of a layer at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Concentration:
    """Of a layer's units. The energy of an input is the squared L2 norm of its slice; shares are of their sum.

    Attributes:
        inputs: how many inputs each unit has.
        top: how many of them `share` counts, at most.
        share: (units,) share of the energy that the `top` strongest inputs hold, 0 to 1.
        effective: (units,) effective number of inputs, 1 to `inputs`: (Σ e)² / Σ e², which is `inputs` where all are
            equally strong (participation ratio, Bell and Dean 1970).
        share_chance, effective_chance: the same of each unit's own coefficients, dealt out anew among its slices.
            All are not a number for a unit without weights.
    """

    inputs: int
    top: int
    share: NDArray[np.float64]
    effective: NDArray[np.float64]
    share_chance: NDArray[np.float64]
    effective_chance: NDArray[np.float64]


def concentration(kernel: NDArray[np.float32], top: int, seed: int = 0) -> Concentration:
    """Measure all units of a layer.

    Args:
        kernel: (height, width, inputs, units).
        top: how many of the strongest inputs to count.
        seed: of the order in which coefficients are dealt out.
    """
    wide = kernel.astype(np.float64)
    flat = wide.reshape(-1, wide.shape[-1])
    dealt = np.random.default_rng(seed).permuted(flat, axis=0).reshape(wide.shape)
    inputs = kernel.shape[2]
    top = min(top, inputs)
    own, chance = (_of_energies(np.square(each).sum(axis=(0, 1)), top) for each in (wide, dealt))
    return Concentration(inputs, top, *own, *chance)


def _of_energies(energies: NDArray[np.float64], top: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share and effective number of (inputs, units) energies."""
    total = energies.sum(axis=0)
    shares = energies / np.where(total > 0, total, np.nan)
    return np.sort(shares, axis=0)[-top:].sum(axis=0), 1 / np.square(shares).sum(axis=0)
