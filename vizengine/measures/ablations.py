"""Ablations: what becomes of the unit without some inputs, against a control of others of like norm.

The unit's pre-activation is linear in its inputs, so setting a channel to zero changes it by exactly minus its
contribution, and setting it to its mean over photos by the mean's contribution besides. The control takes as many
random inputs, from those next in rank by norm, 32 draws. An input's sign is confirmed where the whole interval of the
change on the top examples is on the sign's side, further from zero than 1 % of the drive.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizengine.measures.inputs import Circuit
from vizengine.measures.measure import Measure
from vizengine.measures.statistics import Estimate, Verdict, estimate
from vizengine.measures.stream import EvidenceSettings, Streamed
from vizengine.measures.unit import Forward, Positions

# The share of the drive below which an input counts as silent, set before anything was measured.
NEGLIGIBLE = 0.01


@dataclass(frozen=True)
class Effect:
    """Change of the unit's pre-activation, after less before: negative where it falls.

    Attributes:
        examples: over the unit's top examples.
        photos: over positions drawn evenly from all photos.
        picture: over all positions of the unit's feature visualization; not independent of each other, so its
            deviation says more than its interval.
        picture_peak: at the position where that picture drives the unit most.
    """

    examples: Estimate
    photos: Estimate
    picture: Estimate
    picture_peak: float


@dataclass(frozen=True)
class Ablation:
    """Some channels taken away together.

    Attributes:
        channels: indices on the kernel's input axis.
        to_zero: their activations set to zero.
        to_mean: their activations set to their mean over photos, everywhere.
        sign_verdict: for a single channel, whether the ablation on top examples bears out its label.
    """

    channels: tuple[int, ...]
    to_zero: Effect
    to_mean: Effect
    sign_verdict: Verdict


@dataclass(frozen=True)
class Ablations:
    """All ablations of one unit.

    Attributes:
        baseline: pre-activation of the top examples.
        drive: mean pre-activation of the top examples less the bias, in whose share changes can be read.
        picture_peak: highest pre-activation on the picture.
        single: each strongest input alone, strongest first.
        together: all of them.
        control: random channels of like norm, each alone; as many as there are, fewer where the layer has fewer.
        control_together: mean change when as many random channels of like norm go together, one value per draw,
            over top examples, to zero; (draws,), empty where there are no others.
        control_pool: the channels from which controls are drawn: those next in rank by norm.
    """

    baseline: Estimate
    drive: float
    picture_peak: float
    single: tuple[Ablation, ...]
    together: Ablation
    control: tuple[Ablation, ...]
    control_together: NDArray[np.float64]
    control_pool: tuple[int, ...]


def mean_contributions(forward: Forward, streamed: Streamed, inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What each channel would add if its activation were its mean everywhere on the map, and zero in the padding.

    Args:
        inside: (n, height, width), which coefficients read inside the map.

    Returns:
        (n, inputs).
    """
    kernel = forward.kernel.reshape(-1, forward.kernel.shape[-1])
    coefficients = inside.reshape(len(inside), -1).astype(np.float64) @ kernel
    return np.asarray(coefficients * streamed.activation_mean, np.float64)


def measure_ablations(
    circuit: Circuit, forward: Forward, streamed: Streamed, picture: Positions, settings: EvidenceSettings
) -> Ablations:
    """Take away each strongest input of a unit, all together, and controls."""
    examples = streamed.top
    groups = (examples, streamed.sample, picture)
    means = [mean_contributions(forward, streamed, group.inside) for group in groups]
    drive = float(examples.contributions.sum(axis=1, dtype=np.float64).mean())
    # A unit without any drive has no smallest change that counts; the least float keeps zero from counting.
    least = max(NEGLIGIBLE * abs(drive), np.finfo(np.float64).tiny)
    peak = int(picture.pre.argmax())

    def effect(changes: list[NDArray[np.float64]]) -> Effect:
        on_examples, on_photos, on_picture = map(estimate, changes)
        return Effect(on_examples, on_photos, on_picture, float(changes[-1][peak]))

    def ablation(channels: list[int]) -> Ablation:
        losses = [group.contributions[:, channels].sum(axis=1, dtype=np.float64) for group in groups]
        gains = [mean[:, channels].sum(axis=1) for mean in means]
        to_zero = effect([-loss for loss in losses])
        to_mean = effect([gain - loss for gain, loss in zip(gains, losses, strict=True)])
        sign = circuit.inputs[channels[0]].sign if len(channels) == 1 else "mixed"
        return Ablation(tuple(channels), to_zero, to_mean, sign_verdict(sign, to_zero.examples, least))

    top = [channel.index for channel in circuit.strongest]
    pool = [channel.index for channel in circuit.ranked[len(top) : 4 * len(top)]]
    size = min(len(top), len(pool))
    generator = np.random.default_rng([settings.seed, 1])
    draws = [generator.choice(pool, size, replace=False) for _ in range(settings.control_draws)] if size else []
    mean = examples.contributions.mean(axis=0, dtype=np.float64)
    return Ablations(
        baseline=estimate(examples.pre),
        drive=drive,
        picture_peak=float(picture.pre.max()),
        single=tuple(ablation([channel]) for channel in top),
        together=ablation(top),
        control=tuple(ablation([channel]) for channel in draws[0].tolist()) if draws else (),
        control_together=np.array([-mean[channels].sum() for channels in draws], np.float64),
        control_pool=tuple(pool),
    )


def sign_verdict(sign: str, change: Estimate, least: float) -> Verdict:
    """Whether the change of the pre-activation without a channel, on top examples, bears out the channel's sign.

    Undecided where the sign is mixed, or the interval isn't wholly on one side and at least `least` from zero.
    """
    if sign == "mixed" or not (change.high <= -least or change.low >= least):
        return "undecided"
    return "supported" if (change.mean < 0) == (sign == "excitatory") else "contradicted"


ABLATIONS = Measure(name="ablations", result=Ablations, version=1, compute=measure_ablations, panel="does")
