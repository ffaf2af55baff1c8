"""More pictures of one unit: whether other seeds agree, in how many ways it is excited, how its picture forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
        others: pictures of other units of the same layer, the control for likeness.
    """

    shown: Visualization
    settings: Settings
    squares: Mapping[str, NDArray[np.float32]] | None = None
    others: Sequence[Visualization] = ()

    @property
    def key(self) -> str:
        """The name from which the noise of the unit's picture is drawn."""
        return picture_key(self.shown.layer, self.shown.channel, "positive")


def stability(network: Network, subject: Subject, task: Task = SILENT) -> Stability:
    """Pictures of the unit from other seeds, compared with the one that is shown."""
    layer, unit, first = subject.shown.layer, subject.shown.channel, subject.settings.seed
    seeds = tuple(range(first, first + SEEDS))
    objective = channel([0] * (SEEDS - 1))
    images = _ascend(network, subject, [unit], {seed: [subject.key] for seed in seeds[1:]}, objective, task).images
    finite = _finite(network, subject)
    seed_styles = styles(network, layer, np.concatenate([subject.shown.image[None], images]), finite)
    control = None
    if subject.others:
        other_styles = styles(network, layer, np.stack([other.image for other in subject.others]), finite)
        control = float((seed_styles[:1] @ other_styles.T).mean())
    reached = (subject.shown.reached, *_reached(network, layer, unit, images))
    return Stability(seeds, reached, mean_cosine(seed_styles), control, images)


def variants(network: Network, subject: Subject, task: Task = SILENT) -> Variants:
    """Pictures that excite the unit and are as different from each other as they can be."""
    layer, unit = subject.shown.layer, subject.shown.channel
    keys = [f"{layer}:{unit}:diverse:{index}" for index in range(DIVERSITY_BATCH)]
    finite = _finite(network, subject)
    column = unit if finite is None else finite.index(unit)
    objective = channel([column] * DIVERSITY_BATCH) + DIVERSITY_WEIGHT * diversity()
    images = _ascend(network, subject, finite, {subject.settings.seed: keys}, objective, task).images
    return Variants(images, _reached(network, layer, unit, images))


def film(network: Network, subject: Subject, task: Task = SILENT) -> Film:
    """The first ascent of the shown picture once more, with its frames."""
    keys = {subject.settings.seed: [subject.key]}
    return Film(_ascend(network, subject, [subject.shown.channel], keys, channel([0]), task, FRAMES).frames)


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


def _ascend(
    network: Network,
    subject: Subject,
    channels: list[int] | None,
    keys: Mapping[int, Sequence[str]],
    objective: Objective,
    task: Task,
    frames: int = 0,
) -> Ascent:
    """An ascent of the layer's `channels`, with a picture for each of the `keys` of each seed."""
    settings, photo = subject.settings, subject.shown.photo_best_name
    start = np.concatenate(
        [starts(names, [photo] * len(names), seed, settings.size, subject.squares) for seed, names in keys.items()]
    )
    task.expect(settings.steps * len(start))
    return ascend(
        Probe(network, subject.shown.layer, channels, ascent_precision(settings.precision)),
        start,
        objective,
        next(iter(keys)),
        settings.steps,
        settings.image,
        frames=frames,
        channel_order=network.architecture.channel_order,
        advance=task.advance,
    )


def _reached(network: Network, layer: str, unit: int, images: NDArray[np.uint8]) -> tuple[float, ...]:
    return tuple(measure(network, layer, [unit], images).max(axis=(1, 2, 3)).astype(float).tolist())


STABILITY = Stage("stability", Stability, 1, (stability,), (PICTURES,))
VARIANTS = Stage("variants", Variants, 1, (variants,), (PICTURES,))
FILM = Stage("film", Film, 1, (film,), (PICTURES,))
