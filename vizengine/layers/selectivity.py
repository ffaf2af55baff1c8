"""How selective each unit of a layer is for orientation and for hue: drawn stimuli once for all units."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from vizengine.cache import Stage
from vizengine.layers.survey import Selectivity
from vizengine.measures.statistics import SHUFFLES
from vizengine.measures.stimuli import Stimulus, battery, draw
from vizengine.measures.tuning import hue_selectivity, orientation_or_crossed
from vizengine.network.model import Network, canvas_for
from vizengine.network.probes import Probe
from vizengine.runtime import tensorflow as tf

# Bound on the pixels of one batch of stimuli.
_BATCH_PIXELS = 300_000


def selectivity(network: Network, layer: str) -> Selectivity:
    """Draw gratings, disks and uniform colours, and read every unit of a conv layer at the middle.

    A unit's orientation is the larger of its orientation selectivity and its crossed orientations.
    """
    canvas = canvas_for(network.architecture, layer)
    stimuli = battery(canvas.size)
    gratings = [stimulus for stimulus in stimuli if stimulus.family == "grating"]
    colours = [
        stimulus
        for stimulus in stimuli
        if stimulus.family in ("uniform", "disk") and stimulus.polarity == "light" and stimulus.hue is not None
    ]
    stimuli = (*gratings, *colours)
    probe = Probe(network, layer)
    width = max(1, _BATCH_PIXELS // canvas.side**2)
    responses = []
    for start in range(0, len(stimuli), width):
        images = [
            draw(stimulus, canvas.side, canvas.centre, canvas.size) for stimulus in stimuli[start : start + width]
        ]
        values = probe(tf.constant(np.stack(images)))
        responses.append(np.maximum(np.asarray(values[:, canvas.position, canvas.position]), 0))
    table = np.concatenate(responses)
    orientation, orientation_chance = with_chance(gratings, table[: len(gratings)], orientation_or_crossed)
    hue, hue_chance = with_chance(colours, table[len(gratings) :], hue_selectivity)
    return Selectivity(orientation, hue, orientation_chance, hue_chance, len(gratings), len(colours))


def with_chance(
    stimuli: Sequence[Stimulus],
    answers: NDArray[np.floating],
    index: Callable[[Sequence[Stimulus], NDArray[np.floating]], float],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """An index of each unit, and the highest of those of its shuffled answers.

    They are shuffled among stimuli that differ in angle alone, so that what else the unit prefers stays.

    Args:
        stimuli: of one kind.
        answers: (stimuli, units) activations.
        index: from stimuli and one unit's answers.
    """
    cells: dict[tuple[object, ...], list[int]] = {}
    for place, stimulus in enumerate(stimuli):
        cell = (stimulus.family, stimulus.frequency, stimulus.phase, stimulus.radius, stimulus.brightness)
        cells.setdefault(cell, []).append(place)
    alike = [np.array(places) for places in cells.values()]
    values, chance = np.zeros((2, answers.shape[1]))
    for unit, of_unit in enumerate(answers.T):
        values[unit] = index(stimuli, of_unit)
        generator = np.random.default_rng([unit, len(stimuli)])
        # Silent units are silent in any order.
        shuffles = SHUFFLES if np.isfinite(values[unit]) else 1
        chance[unit] = max(index(stimuli, _shuffled(of_unit, alike, generator)) for _ in range(shuffles))
    return values, chance


def _shuffled(
    answers: NDArray[np.floating], alike: Sequence[NDArray[np.int64]], generator: np.random.Generator
) -> NDArray[np.floating]:
    """(stimuli,) answers, those at the indices of each of `alike` in a random order."""
    shuffled = answers.copy()
    for places in alike:
        shuffled[places] = answers[generator.permutation(places)]
    return shuffled


SELECTIVITY = Stage("selectivity", Selectivity, 2, (selectivity,))
