"""What a feature visualization is: a picture, how it came about, and whether it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Attempt:
    """One gradient ascent that was made for a picture.

    Attributes:
        objective: `channel` (mean over positions) or `neuron` (centre position).
        seed: the seed of its noise and transformations.
        size: side of the picture in pixels.
        steps: steps taken.
        reached: highest pre-activation at any position of the final picture, without transformations, in float32.
        slope: rise per tenth of the steps at the trace's end, as a share of its whole rise; 0 is flat.
        converged: whether this attempt satisfied the verdict's rule.
    """

    objective: str
    seed: int
    size: int
    steps: int
    reached: float
    slope: float
    converged: bool


@dataclass(frozen=True)
class Visualization:
    """A picture of what a channel looks for.

    Attributes:
        layer: conv layer, or `input` for a colour of the image (its picture is exact, not searched).
        channel: index of the channel.
        image: (height, width, 3) uint8, RGB: the picture that was measured.
        trace: (steps,) float32, the objective at every step, in pre-activation units, under the
            random transformations of that step.
        reached: highest pre-activation at any position of `image`, without transformations, in float32.
        mean: mean pre-activation over all positions of `image`, likewise.
        photo_best: highest pre-activation at any position of any photo: one position, as for `reached`.
        photo_best_name: the photo that gave it; empty where there are no photos.
        objective: objective of the attempt that is shown.
        attempts: all attempts, in order; the one shown is the last converged or else the best.
        converged: the verdict: `reached` is above `photo_best` and the trace has become flat.
    """

    layer: str
    channel: int
    image: NDArray[np.uint8]
    trace: NDArray[np.float32]
    reached: float
    mean: float
    photo_best: float
    photo_best_name: str
    objective: str
    attempts: tuple[Attempt, ...]
    converged: bool
