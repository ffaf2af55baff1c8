"""More pictures of one unit: what it is most against, whether other seeds agree, in how many ways it is excited."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizengine.featurevis import objectives
from vizengine.featurevis.ascent import ascend, noise
from vizengine.featurevis.model import PhotoBest, Settings, Stability, UnitStudy, Visualization
from vizengine.featurevis.precision import ascent_precision
from vizengine.featurevis.visualize import measure, picture_key, visualize
from vizengine.networks.network import Network
from vizengine.networks.probe import Probe

SEEDS = 3
FRAMES = 16


@dataclass(frozen=True)
class Subject:
    """What is studied.

    Attributes:
        shown: the unit's picture as the page shows it.
        others: pictures of other units of the same layer, the control for likeness.
        lowest: the lowest pre-activation of any photo.
    """

    shown: Visualization
    others: tuple[Visualization, ...]
    lowest: PhotoBest


def study(
    network: Network,
    subject: Subject,
    settings: Settings,
    film: bool = False,
    advance: Callable[[int], None] = lambda count: None,
) -> UnitStudy:
    """All further pictures of a unit of a conv layer.

    Args:
        network: the network.
        subject: the unit and its picture.
        settings: as for the shown picture.
        film: whether to keep the frames of the shown picture's forming.
        advance: called with 1 after each step of each batch.
    """
    layer, unit = subject.shown.layer, subject.shown.channel
    lowest = {unit: subject.lowest}
    negative = visualize(network, layer, [unit], lowest, settings, "negative", advance=advance)[unit]
    diverse = _diverse(network, layer, unit, settings, advance)
    frames = _film(network, subject.shown, settings, advance) if film else np.zeros((0, 1, 1, 3), np.uint8)
    return UnitStudy(
        negative=negative,
        stability=_stability(network, subject, settings, advance),
        diverse=diverse,
        diverse_reached=_reached(network, layer, unit, diverse),
        film=frames,
    )


def _stability(network: Network, subject: Subject, settings: Settings, advance: Callable[[int], None]) -> Stability:
    layer, unit = subject.shown.layer, subject.shown.channel
    seeds = [settings.seed + offset for offset in range(SEEDS)]
    start = np.concatenate([noise([picture_key(layer, unit, "positive")], seed, settings.size) for seed in seeds[1:]])
    probe = Probe(network, layer, [unit], ascent_precision(settings.precision))
    objective = objectives.channel([0] * len(start))
    images = ascend(probe, start, objective, seeds[1], settings.steps, settings.image, advance=advance).images
    shown = subject.shown.image[None]
    own = styles(network, layer, np.concatenate([shown, images]))
    others = styles(network, layer, np.stack([each.image for each in subject.others])) if subject.others else None
    return Stability(
        seeds=tuple(seeds),
        reached=(subject.shown.reached, *_reached(network, layer, unit, images)),
        likeness=mean_cosine(own),
        control=None if others is None else float((own[:1] @ others.T).mean()),
        images=images,
    )


def styles(network: Network, layer: str, images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The layer's mean activation over positions, scaled to length 1: (batch, channels)."""
    active = np.maximum(measure(network, layer, None, images), 0).mean(axis=(1, 2)).astype(np.float64)
    return np.asarray(active / np.maximum(np.linalg.norm(active, axis=1, keepdims=True), 1e-12))


def mean_cosine(vectors: NDArray[np.float64]) -> float:
    """Mean cosine over all pairs of rows of length 1."""
    likeness = vectors @ vectors.T
    return float(likeness[np.triu_indices(len(vectors), 1)].mean())


def _diverse(
    network: Network, layer: str, unit: int, settings: Settings, advance: Callable[[int], None]
) -> NDArray[np.uint8]:
    """Pictures that excite the unit and are as different from each other as they can be."""
    count = objectives.DIVERSITY_BATCH
    start = noise([f"{layer}:{unit}:diverse:{index}" for index in range(count)], settings.seed, settings.size)
    probe = Probe(network, layer, None, ascent_precision(settings.precision))
    objective = objectives.channel([unit] * count) + objectives.DIVERSITY_WEIGHT * objectives.diversity()
    return ascend(probe, start, objective, settings.seed, settings.steps, settings.image, advance=advance).images


def _film(
    network: Network, shown: Visualization, settings: Settings, advance: Callable[[int], None]
) -> NDArray[np.uint8]:
    """The first ascent of the shown picture once more, with its frames."""
    layer, unit = shown.layer, shown.channel
    start = noise([picture_key(layer, unit, "positive")], settings.seed, settings.size)
    probe = Probe(network, layer, [unit], ascent_precision(settings.precision))
    objective = objectives.channel([0])
    return ascend(
        probe, start, objective, settings.seed, settings.steps, settings.image, frames=FRAMES, advance=advance
    ).frames


def _reached(network: Network, layer: str, unit: int, images: NDArray[np.uint8]) -> tuple[float, ...]:
    return tuple(float(value) for value in measure(network, layer, [unit], images).max(axis=(1, 2, 3)))
