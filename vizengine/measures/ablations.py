"""Ablations: what becomes of the unit when inputs are set to their mean over photos.

The unit's pre-activation is linear in its inputs, so setting one to zero takes away its contribution and shows nothing
new. Its mean over photos is what it gives without saying anything of the place. The change is measured where the unit
is strongest in each held-out photo. The control takes as many random inputs, of those next in rank by norm, 32 draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizengine.measures.by_photo import Interval, share
from vizengine.measures.inputs import Circuit
from vizengine.measures.measure import Measure
from vizengine.measures.stream import EvidenceSettings, Streamed
from vizengine.measures.unit import Forward


@dataclass(frozen=True)
class Ablations:
    """Mean changes of the unit's pre-activation, negative where it falls, with intervals over photos.

    Attributes:
        single: of each strongest input alone, strongest first.
        together: of all of them.
        control_together: (draws,) of as many random inputs of like norm; empty where there are no others.
        control_pool: the channels from which they are drawn: those next in rank by norm.
    """

    single: tuple[Interval, ...]
    together: Interval
    control_together: NDArray[np.float64]
    control_pool: tuple[int, ...]


def mean_contributions(forward: Forward, streamed: Streamed, inside: NDArray[np.generic]) -> NDArray[np.float64]:
    """What each channel would add if its activation were its mean everywhere on the map, and zero in the padding.

    Args:
        inside: (n, height, width), which coefficients read inside the map, or how many times.

    Returns:
        (n, inputs).
    """
    kernel = forward.kernel.reshape(-1, forward.kernel.shape[-1])
    coefficients = inside.reshape(len(inside), -1).astype(np.float64) @ kernel
    return np.asarray(coefficients * streamed.activation_mean, np.float64)


def like_norm(circuit: Circuit) -> list[int]:
    """The channels next in rank by norm to the strongest, three times as many, as far as there are."""
    top = len(circuit.strongest)
    return [channel.index for channel in circuit.ranked[top : 4 * top]]


def measure_ablations(circuit: Circuit, forward: Forward, streamed: Streamed, settings: EvidenceSettings) -> Ablations:
    """Set each strongest input of a unit to its mean, all together, and controls."""
    strongest = streamed.strongest
    changes = mean_contributions(forward, streamed, strongest.inside) - strongest.contributions
    top, pool = [channel.index for channel in circuit.strongest], like_norm(circuit)
    size = min(len(top), len(pool))
    generator = np.random.default_rng([settings.seed, 1])
    draws = [generator.choice(pool, size, replace=False) for _ in range(settings.control_draws)] if size else []
    mean = changes.sum(axis=0) / max(float(strongest.photos.sum()), 1.0)
    return Ablations(
        single=tuple(share(changes[:, channel], strongest.photos) for channel in top),
        together=share(changes[:, top].sum(axis=1), strongest.photos),
        control_together=np.array([mean[channels].sum() for channels in draws], np.float64),
        control_pool=tuple(pool),
    )


ABLATIONS = Measure(name="ablations", result=Ablations, version=2, compute=measure_ablations)
