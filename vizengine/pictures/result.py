"""What a feature visualization is: a picture, how it came about, and whether it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Direction = Literal["positive", "negative"]


@dataclass(frozen=True)
class PhotoBest:
    """The highest (or lowest) pre-activation of a channel at any position of any photo, and that photo's name."""

    value: float
    photo: str


@dataclass(frozen=True)
class Settings:
    """How pictures are made; the config's section `visualization`.

    Attributes:
        size: side in pixels.
        steps: steps of the first attempt.
        seed: from which all draws derive.
        attempts: how often a picture that doesn't converge is tried, at least 1.
        precision: `auto` or `float32`.
        image: `fourier`, or `phase` for fixed amplitudes.
        start: `noise`, or `photo` for the photo that drives the channel furthest.
    """

    size: int
    steps: int
    seed: int
    attempts: int
    precision: str
    image: str = "fourier"
    start: str = "noise"


@dataclass(frozen=True)
class Attempt:
    """One gradient ascent that was made for a picture; `view.AttemptReport` says what each field is."""

    objective: str
    seed: int
    continued: bool
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
        direction: `positive`, or `negative` for the picture that inhibits the channel. For `negative`, read lowest for
            highest below.
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
    direction: Direction
    image: NDArray[np.uint8]
    trace: NDArray[np.float32]
    reached: float
    mean: float
    photo_best: float
    photo_best_name: str
    objective: str
    attempts: tuple[Attempt, ...]
    converged: bool


@dataclass(frozen=True)
class Stability:
    """Whether other seeds give the same picture of a unit.

    Attributes:
        seeds: the seeds, the shown picture's first.
        reached: of each seed's picture.
        likeness: mean cosine between the seeds' pictures, each as the layer's mean activation over positions.
        control: mean cosine between the shown picture and pictures of other units of the layer; the likeness of
            pictures that are of different things. None where there are no others.
        images: (seeds - 1, size, size, 3) uint8, the other seeds' pictures.
    """

    seeds: tuple[int, ...]
    reached: tuple[float, ...]
    likeness: float
    control: float | None
    images: NDArray[np.uint8]


@dataclass(frozen=True)
class Variants:
    """Pictures that excite a unit and were pushed apart, (batch, size, size, 3) uint8, and what each reached."""

    images: NDArray[np.uint8]
    reached: tuple[float, ...]


@dataclass(frozen=True)
class Film:
    """A picture as it formed, (frames, size, size, 3) uint8."""

    frames: NDArray[np.uint8]


@dataclass(frozen=True)
class UnitStudy:
    """More pictures of one unit: what inhibits it, other seeds, other ways to excite it, and the film if asked for."""

    negative: Visualization
    stability: Stability
    variants: Variants
    film: Film | None
