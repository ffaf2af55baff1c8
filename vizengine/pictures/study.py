"""More pictures of one unit: whether other seeds agree, in how many ways it is excited, how its picture forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizengine.cache import Stage
from vizengine.network.model import Network
from vizengine.network.probes import Probe
from vizengine.output import SILENT, Task
from vizengine.pictures.ascent import Ascent, ascend, ascent_precision
from vizengine.pictures.objectives import DIVERSITY_BATCH, DIVERSITY_WEIGHT, Objective, channel, diversity
from vizengine.pictures.result import Film, Settings, Stability, Variants, Visualization
from vizengine.pictures.search import PICTURES, measure
from vizengine.pictures.spectrum import picture_key, starts

SEEDS = 3
FRAMES = 16


@dataclass(frozen=True)
class Subject:
    """A unit to make more pictures of, and how.

    Attributes:
        shown: the unit's picture as the page shows it.
        settings: as for that picture.
        squares: where pictures begin as photos, each photo's centred square by name.
    """

    shown: Visualization
    settings: Settings
    squares: Mapping[str, NDArray[np.float32]] | None = None


def stability(network: Network, subject: Subject, others: tuple[Visualization, ...], task: Task = SILENT) -> Stability:
    """Pictures of the unit from other seeds, compared with the one that is shown.

    Args:
        network: the network.
        subject: the unit.
        others: pictures of other units of the same layer, the control for likeness.
        task: told of each step of each picture.
    """
    layer, unit, settings = subject.shown.layer, subject.shown.channel, subject.settings
    seeds = [settings.seed + offset for offset in range(SEEDS)]
    key = picture_key(layer, unit, "positive")
    start = np.concatenate([_starts(subject, [key], seed) for seed in seeds[1:]])
    images = _ascend(network, subject, [unit], start, channel([0] * len(start)), seeds[1], 0, task).images
    finite = _finite(network, subject)
    styles_of_seeds = styles(network, layer, np.concatenate([subject.shown.image[None], images]), finite)
    control = styles(network, layer, np.stack([other.image for other in others]), finite) if others else None
    return Stability(
        seeds=tuple(seeds),
        reached=(subject.shown.reached, *_reached(network, layer, unit, images)),
        likeness=mean_cosine(styles_of_seeds),
        control=None if control is None else float((styles_of_seeds[:1] @ control.T).mean()),
        images=images,
    )


def variants(network: Network, subject: Subject, task: Task = SILENT) -> Variants:
    """Pictures that excite the unit and are as different from each other as they can be."""
    layer, unit = subject.shown.layer, subject.shown.channel
    count = DIVERSITY_BATCH
    start = _starts(subject, [f"{layer}:{unit}:diverse:{index}" for index in range(count)], subject.settings.seed)
    finite = _finite(network, subject)
    place = unit if finite is None else finite.index(unit)
    objective = channel([place] * count) + DIVERSITY_WEIGHT * diversity()
    images = _ascend(network, subject, finite, start, objective, subject.settings.seed, 0, task).images
    return Variants(images, _reached(network, layer, unit, images))


def film(network: Network, subject: Subject, task: Task = SILENT) -> Film:
    """The first ascent of the shown picture once more, with its frames."""
    layer, unit, seed = subject.shown.layer, subject.shown.channel, subject.settings.seed
    start = _starts(subject, [picture_key(layer, unit, "positive")], seed)
    return Film(_ascend(network, subject, [unit], start, channel([0]), seed, FRAMES, task).frames)


def _finite(network: Network, subject: Subject) -> list[int] | None:
    """The channels of the unit's layer whose values are finite; None where all are.

    One channel of NaN would make NaN of all that is computed over the layer.
    """
    finite = np.isfinite(measure(network, subject.shown.layer, None, subject.shown.image[None])).all(axis=(0, 1, 2))
    return None if finite.all() else np.flatnonzero(finite).tolist()


def styles(
    network: Network, layer: str, images: NDArray[np.uint8], channels: list[int] | None = None
) -> NDArray[np.float64]:
    """The layer's mean activation over positions, scaled to length 1: (batch, channels); of all channels by default."""
    active = np.maximum(measure(network, layer, channels, images), 0).mean(axis=(1, 2)).astype(np.float64)
    return np.asarray(active / np.maximum(np.linalg.norm(active, axis=1, keepdims=True), 1e-12))


def mean_cosine(vectors: NDArray[np.float64]) -> float:
    """Mean cosine over all pairs of rows of length 1."""
    likeness = vectors @ vectors.T
    return float(likeness[np.triu_indices(len(vectors), 1)].mean())


def _starts(subject: Subject, keys: list[str], seed: int) -> NDArray[np.float32]:
    photos = [subject.shown.photo_best_name] * len(keys)
    return starts(keys, photos, seed, subject.settings.size, subject.squares)


def _ascend(
    network: Network,
    subject: Subject,
    channels: list[int] | None,
    start: NDArray[np.float32],
    objective: Objective,
    seed: int,
    frames: int,
    task: Task,
) -> Ascent:
    settings = subject.settings
    task.expect(settings.steps * len(start))
    probe = Probe(network, subject.shown.layer, channels, ascent_precision(settings.precision))
    return ascend(
        probe,
        start,
        objective,
        seed,
        settings.steps,
        settings.image,
        frames=frames,
        channel_order=network.architecture.channel_order,
        advance=task.advance,
    )


def _reached(network: Network, layer: str, unit: int, images: NDArray[np.uint8]) -> tuple[float, ...]:
    return tuple(float(value) for value in measure(network, layer, [unit], images).max(axis=(1, 2, 3)))


STABILITY = Stage("stability", Stability, 1, (stability,), (PICTURES,))
VARIANTS = Stage("variants", Variants, 1, (variants,), (PICTURES,))
FILM = Stage("film", Film, 1, (film,), (PICTURES,))
