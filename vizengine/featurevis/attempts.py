"""How a picture that doesn't converge is tried again, and which attempt is shown."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vizengine.featurevis.ascent import WEIGHT_DECAY
from vizengine.featurevis.model import PhotoBest, Settings, Visualization
from vizengine.featurevis.verdict import passes


@dataclass(frozen=True)
class Plan:
    """How the next attempt at a picture is made; pictures with the same plan share batches.

    Attributes:
        objective: a key of `OBJECTIVES`.
        seed: of noise and transformations.
        continued: whether it goes on from the attempt before.
        steps: how many.
        weight_decay: of the ascent.
    """

    objective: str
    seed: int
    continued: bool
    steps: int
    weight_decay: float


@dataclass(frozen=True)
class Candidate:
    """The best picture of a channel so far.

    Attributes:
        visualization: the picture, with all attempts that were made.
        spectrum: from which it can go on.
        stalled: whether going on from it led no further.
    """

    visualization: Visualization
    spectrum: NDArray[np.float32]
    stalled: bool = False


def next_plan(number: int, before: Candidate | None, best: PhotoBest, settings: Settings) -> Plan:
    """The plan of attempt `number`, counted from 0.

    What went past the best photo and was still rising is continued. What didn't get there, or stalled, is made again
    from another seed, with twice the time and the whole range of colours, from the third attempt on at one position
    alone.
    """
    picture = before.visualization if before and not before.stalled else None
    if picture and passes(picture.reached, best.value, picture.direction):
        objective, seed, continued = picture.objective, picture.attempts[-1].seed, True
    else:
        objective, seed, continued = "channel" if number < 2 else "neuron", settings.seed + number, False
    first = seed == settings.seed
    steps = settings.steps if continued or first else 2 * settings.steps
    return Plan(objective, seed, continued, steps, WEIGHT_DECAY if first else 0.0)


def better(before: Candidate | None, after: Candidate, continued: bool) -> Candidate:
    """The one to show, with the attempts of both: a converged one, else the one that reached further."""
    if before is None:
        return after
    old, new = before.visualization, after.visualization
    attempts = old.attempts + new.attempts
    if new.converged or passes(new.reached, old.reached, new.direction):
        return replace(after, visualization=replace(new, attempts=attempts))
    return replace(before, visualization=replace(old, attempts=attempts), stalled=before.stalled or continued)
