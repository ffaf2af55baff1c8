"""Tuning curves: drawn stimuli and changed patches through the network, read at the middle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vizengine.evidence.examples import Example
from vizengine.evidence.forward import Forward
from vizengine.evidence.indices import all_indices
from vizengine.evidence.photos import Photo
from vizengine.evidence.stimuli import battery, draw
from vizengine.evidence.transforms import SWEEPS, change, surroundings
from vizengine.evidence.tuning_model import PatchSweep, Tuning


def tune(
    forward: Forward,
    mean: NDArray[np.float64],
    deviation: NDArray[np.float64],
    photos: Sequence[Photo],
    examples: Sequence[Example],
) -> Tuning:
    """All tuning curves.

    Args:
        forward: the network up to the unit.
        mean, deviation: (1 + strongest,) of the pre-activation over photos, the unit first.
        photos: those that `examples` index.
        examples: the unit's top examples, whose patches are changed.
    """
    canvas = forward.canvas
    stimuli = battery(canvas.size)
    drawn = _centres(forward, [draw(stimulus, canvas.side, canvas.centre, canvas.size) for stimulus in stimuli])
    around = [surroundings(photos[each.photo_index].pixels(), each.top, each.left, canvas) for each in examples]
    sweeps, swept = [], []
    for sweep in SWEEPS:
        images = [change(patch, sweep.kind, step, canvas) for step in sweep.steps for patch in around]
        raw = _centres(forward, images).reshape(len(sweep.steps), len(around), -1)
        swept.append((sweep.kind, np.maximum(raw, 0)))
        responses = in_deviations(raw, mean, deviation)
        sweeps.append(PatchSweep(sweep.kind, np.array(sweep.steps), sweep.untouched, sweep.unit, responses))
    circuit = forward.circuit
    return Tuning(
        labels=(f"{circuit.layer}:{circuit.unit}", *(channel.label for channel in forward.channels)),
        mean=mean,
        deviation=deviation,
        field=canvas.size,
        stimuli=stimuli,
        responses=in_deviations(drawn, mean, deviation),
        sweeps=tuple(sweeps),
        patches=len(around),
        indices=all_indices(stimuli, np.maximum(drawn, 0), swept),
    )


def in_deviations(
    values: NDArray[np.float32], mean: NDArray[np.float64], deviation: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Values in standard deviations above the mean along the last axis; not a number where the deviation is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = (values - mean) / deviation
    return np.where(deviation > 0, scaled, np.nan).astype(np.float32)


def _centres(forward: Forward, images: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Responses to many images, stacked a few at a time so that large receptive fields don't fill the memory."""
    width = 64
    return np.concatenate(
        [forward.centres(np.stack(images[start : start + width])) for start in range(0, len(images), width)]
    )
