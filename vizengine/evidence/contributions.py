"""What each input channel adds to the unit, on its own top examples and over all photos."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizengine.evidence.intervals import estimate
from vizengine.evidence.positions import Positions

TAIL_SHARE = 0.9


@dataclass(frozen=True)
class Contributions:
    """`pre = bias + Σ_c K_c ⋆ a_c`, part by part.

    The drive is the pre-activation less the bias. Shares are of sums over channels of means over the top examples.

    Attributes:
        bias: the unit's bias.
        pre: (examples,) pre-activation of each top example.
        parts: (examples, inputs) float32; `bias` and a row sum to that example's `pre`.
        mean, deviation: (inputs,) of `parts` over the examples; the deviation is that of the population.
        order: (inputs,) channels by |mean|, largest first; ties go to the lower index.
        top_drive_share: share of the mean drive that the strongest channels explain, those that the circuit shows; may
            pass 1 where others inhibit; not a number where the mean drive is 0.
        tail_length: how many channels of `order` it takes to hold `TAIL_SHARE` of Σ|mean|.
        photo_mean: (inputs,) mean contribution over all positions of all photos.
        photo_size: (inputs,) mean absolute contribution over them.
        photo_low, photo_high: (inputs,) 95 % interval of the mean contribution over photos, each photo counted once
            through its positions in the sample, since neighbouring positions aren't independent.
    """

    bias: float
    pre: NDArray[np.float32]
    parts: NDArray[np.float32]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    order: NDArray[np.int64]
    top_drive_share: float
    tail_length: int
    photo_mean: NDArray[np.float64]
    photo_size: NDArray[np.float64]
    photo_low: NDArray[np.float64]
    photo_high: NDArray[np.float64]


def largest_first(values: NDArray[np.floating]) -> NDArray[np.int64]:
    """Indices by value, largest first; ties go to the lower index."""
    return np.argsort(-np.asarray(values, np.float64), kind="stable").astype(np.int64)


def summarise(
    bias: float,
    pre: NDArray[np.float32],
    parts: NDArray[np.float32],
    strongest: NDArray[np.int64],
    photo_mean: NDArray[np.float64],
    photo_size: NDArray[np.float64],
    sample: Positions,
) -> Contributions:
    """Means, spreads and shares of contributions.

    Args:
        bias: the unit's.
        pre: (examples,) at the top examples.
        parts: (examples, inputs) contributions there.
        strongest: channels that the circuit shows, by L2 norm.
        photo_mean, photo_size: (inputs,) mean and mean absolute contribution over all photos' positions.
        sample: positions drawn evenly from all photos.
    """
    mean = parts.mean(axis=0, dtype=np.float64)
    size = np.abs(mean)
    order = largest_first(size)
    drive, total = float(mean.sum()), float(size.sum())
    held = np.cumsum(size[order])
    by_photo = [sample.contributions[sample.photo == photo].mean(axis=0) for photo in np.unique(sample.photo)]
    intervals = [estimate(column) for column in np.stack(by_photo, axis=1)]
    return Contributions(
        bias=bias,
        pre=pre,
        parts=parts,
        mean=mean,
        deviation=parts.std(axis=0, dtype=np.float64),
        order=order,
        top_drive_share=float(mean[strongest].sum() / drive) if drive else float("nan"),
        tail_length=int(np.searchsorted(held, TAIL_SHARE * total * (1 - 1e-12)) + 1) if total else 0,
        photo_mean=photo_mean,
        photo_size=photo_size,
        photo_low=np.array([each.low for each in intervals]),
        photo_high=np.array([each.high for each in intervals]),
    )
