"""How selective each unit of a layer is for orientation and for hue: drawn stimuli once for all units."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from vizengine.evidence.indices import hue_selectivity, orientation_selectivity
from vizengine.evidence.stimuli import battery, draw
from vizengine.evidence.survey_model import Selectivity
from vizengine.networks.canvas import canvas_for
from vizengine.networks.network import Network
from vizengine.networks.probe import Probe

# Bound on the pixels of one batch of stimuli.
_BATCH_PIXELS = 300_000


def selectivity(network: Network, layer: str) -> Selectivity:
    """Draw gratings, disks and uniform colours, and read every unit at the middle.

    Args:
        network: one with all weights up to the layer.
        layer: a conv layer.
    """
    canvas = canvas_for(network.architecture, layer)
    light = ("uniform", "disk")
    stimuli = [
        each
        for each in battery(canvas.size)
        if each.family == "grating" or (each.family in light and each.polarity == "light")
    ]
    probe = Probe(network, layer)
    width = max(1, _BATCH_PIXELS // canvas.side**2)
    responses = []
    for start in range(0, len(stimuli), width):
        drawn = [draw(each, canvas.side, canvas.centre, canvas.size) for each in stimuli[start : start + width]]
        values = probe(tf.constant(np.stack(drawn)))
        responses.append(np.maximum(np.asarray(values[:, canvas.position, canvas.position]), 0))
    table = np.concatenate(responses)
    return Selectivity(
        np.array([orientation_selectivity(stimuli, column) for column in table.T]),
        np.array([hue_selectivity(stimuli, column) for column in table.T]),
    )
