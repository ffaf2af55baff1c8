"""Tuning: the result, without the network that gave it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizengine.evidence.intervals import Estimate
from vizengine.evidence.stimuli import Stimulus
from vizengine.evidence.transforms import Kind


@dataclass(frozen=True)
class PatchSweep:
    """The unit's top patches under one kind of change.

    Attributes:
        kind: what changes.
        steps: (steps,) as in `vizengine.evidence.transforms.Sweep`.
        untouched: the step at which patches are as they were.
        unit: of the steps, for an axis.
        responses: (steps, patches, channels) float32 in standard deviations above the photos' mean.
    """

    kind: Kind
    steps: NDArray[np.float64]
    untouched: float
    unit: str
    responses: NDArray[np.float32]


@dataclass(frozen=True)
class Index:
    """One number that sums up tuning curves.

    Attributes:
        name: `orientation selectivity`, `hue selectivity`, `rotation invariance`, ...
        channel: index of the channel among `Tuning.labels`.
        value: 0 to 1, with its interval over patches where it's made from patches; not a number where the channel
            doesn't fire at all along the sweep.
        formula: in words.
        source: where the formula is from.
    """

    name: str
    channel: int
    value: Estimate
    formula: str
    source: str


@dataclass(frozen=True)
class Tuning:
    """What the unit and its strongest inputs make of drawn stimuli and of the unit's own changed patches.

    All responses are pre-activations at the middle, in standard deviations above the mean over all positions of the
    photos (of the channel's own map); not a number where the channel is the same everywhere on the photos.

    Attributes:
        labels: the unit, then each strongest input.
        mean, deviation: (channels,) of the pre-activation over photos.
        field: side of the unit's receptive field in pixels, for which stimuli are drawn.
        stimuli: all that were shown.
        responses: (stimuli, channels) float32.
        sweeps: of the top patches.
        patches: how many top patches.
        indices: by channel, then name.
    """

    labels: tuple[str, ...]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    field: int
    stimuli: tuple[Stimulus, ...]
    responses: NDArray[np.float32]
    sweeps: tuple[PatchSweep, ...]
    patches: int
    indices: tuple[Index, ...]
