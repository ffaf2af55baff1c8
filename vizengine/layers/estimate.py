"""How long a sweep will take, and how much memory and disk, from a measurement of some seconds."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vizengine.layers.jobs import chosen_layers, named_units, source_layers
from vizengine.layers.survey import EXAMPLES
from vizengine.layers.workers import Worker
from vizengine.measures.photos import LONGEST_SIDE
from vizengine.network.architecture import Architecture
from vizengine.network.layers import INPUT
from vizengine.output import duration
from vizengine.pictures.ascent import widest
from vizengine.pictures.result import PhotoBest, Settings
from vizengine.runtime import available_bytes

# Steps of all attempts over those of the first, by how many attempts there may be: means of 128 channels of
# SqueezeNet's fire5 and fire9 at 64 px and 96 steps (docs/scale.md).
STEPS_OF_ALL_ATTEMPTS = (1.0, 1.75, 2.1, 2.35)
# Means over the 416 pages of examples/squeezenet-fire5.yaml.
SECONDS_PER_PAGE, BYTES_PER_PAGE = 0.012, 22_000
# Means over SqueezeNet's fire5/expand3x3 and VGG19's block3_conv3: a unit's part of a contact sheet, its strip of
# examples included.
SECONDS_PER_ENTRY, BYTES_PER_ENTRY, SECONDS_PER_GROUPING = 0.015, 7_000, 0.1
STIMULI = 200
_STEPS = 4


@dataclass(frozen=True)
class Estimate:
    """What a sweep will need.

    Attributes:
        units: how many units, at most where they are chosen by a measure.
        pictures: how many pictures, at most.
        seconds: by stage, on the config's processes.
        memory: bytes of all processes together.
        site, cache: bytes on disk.
        measured: seconds that this took.
    """

    units: int
    pictures: int
    seconds: dict[str, float]
    memory: float
    site: float
    cache: float
    measured: float

    def lines(self, name: str) -> list[str]:
        """The estimate in words."""
        stages = ", ".join(f"{stage} {duration(seconds)}" for stage, seconds in self.seconds.items())
        free = available_bytes()
        short = f", and {free / 1e9:.1f} GB are free: name fewer `workers`, or smaller pictures"
        return [
            f"{name}: {self.units} units, {self.pictures} pictures",
            f"  time: about {duration(sum(self.seconds.values()))} ({stages}), less what is kept from earlier runs",
            f"  memory: about {self.memory / 1e9:.1f} GB in all processes{short if self.memory > free else ''}",
            f"  disk: about {self.site / 1e6:.0f} MB of site, {self.cache / 1e6:.0f} MB of kept results",
            f"  from a measurement of {duration(self.measured)} on this machine",
        ]


@dataclass(frozen=True)
class _Work:
    """What is to be done.

    Attributes:
        units: how many of each layer.
        pictures: how many of each layer; photos go through all of these.
        page_seconds, page_bytes: of a unit's page, or of its part of a contact sheet.
        group_seconds: of grouping a unit's examples, where that is done.
    """

    units: dict[str, int]
    pictures: dict[str, int]
    page_seconds: float
    page_bytes: int
    group_seconds: float = 0.0


def estimate(worker: Worker, processes: int) -> Estimate:
    """What a sweep will need.

    Args:
        worker: of the sweep.
        processes: that will share the work.
    """
    architecture, section = worker.architecture, worker.section
    layers = chosen_layers(section.unit, architecture)
    units = {layer: _count(worker, layer) for layer in layers}
    pictures = dict(units)
    for layer in layers:
        sources = source_layers(architecture, layer)
        for source in sources:
            # No more than all units' inputs together, nor than the layer has.
            most = pictures.get(source, 0) + units[layer] * section.inputs
            pictures[source] = min(architecture.channels(source), most)
    return _reckoned(worker, processes, _Work(units, pictures, SECONDS_PER_PAGE, BYTES_PER_PAGE))


def estimate_layer(worker: Worker, layer: str, processes: int) -> Estimate:
    """What the survey of a layer will need.

    Args:
        worker: of a sweep of all its units.
        layer: the layer.
        processes: that will share the work.
    """
    units = {layer: worker.architecture.channels(layer)}
    return _reckoned(worker, processes, _Work(units, units, SECONDS_PER_ENTRY, BYTES_PER_ENTRY, SECONDS_PER_GROUPING))


def _reckoned(worker: Worker, processes: int, work: _Work) -> Estimate:
    """Measure the cheapest and the dearest layer, and reckon the others by their multiplications."""
    began = time.monotonic()
    architecture, section = worker.architecture, worker.section
    layers, pictures = tuple(work.units), work.pictures
    size = section.visualization.size
    ends = sorted(layers, key=lambda layer: multiplications(architecture, layer, size))
    ends = [ends[0], ends[-1]]
    per_photo = _line(ends, lambda layer: multiplications(architecture, layer, LONGEST_SIDE), _photo_seconds(worker))
    steps = _line(ends, lambda layer: multiplications(architecture, layer, size), _step_seconds(worker))
    seen = dict.fromkeys((*pictures, *layers))
    photos = sum(per_photo(_photo_work(architecture, layer)) for layer in seen) * len(worker.photos)
    stimuli = sum(
        per_photo(multiplications(architecture, layer, architecture.receptive_field(layer).size + 8)) * STIMULI
        for layer in layers
    )
    attempts = STEPS_OF_ALL_ATTEMPTS[min(section.visualization.attempts, len(STEPS_OF_ALL_ATTEMPTS)) - 1]
    ascents = sum(
        count * steps(multiplications(architecture, layer, size)) * section.visualization.steps * attempts
        for layer, count in pictures.items()
        if layer != INPUT
    )
    count = sum(work.units.values())
    parts = sum(4 * EXAMPLES * architecture.channels(layer) * architecture.kernel_shape(layer)[2] for layer in layers)
    return Estimate(
        units=count,
        pictures=sum(pictures.values()),
        seconds={
            "photos and stimuli": (photos + stimuli) / processes,
            "pictures": ascents / processes,
            **({"groups of examples": count * work.group_seconds / processes} if work.group_seconds else {}),
            "pages": count * work.page_seconds,
        },
        memory=float(_peak_bytes() * (processes + (processes > 1))),
        site=float(count * work.page_bytes + sum(pictures.values()) * size**2 * 1.4),
        cache=float(sum(pictures.values()) * (3 * size**2 + 8192) + parts),
        measured=time.monotonic() - began,
    )


def multiplications(architecture: Architecture, layer: str, size: int) -> float:
    """How many it takes to send a square image of `size` pixels through a layer."""
    return float(
        sum(
            architecture.side(spec.name, size, 0)
            * architecture.side(spec.name, size, 1)
            * int(np.prod(architecture.kernel_shape(spec.name)))
            for spec in architecture.upto(layer)
            if spec.is_conv
        )
    )


def _photo_work(architecture: Architecture, layer: str) -> float:
    return 0.0 if layer == INPUT else multiplications(architecture, layer, LONGEST_SIDE)


def _count(worker: Worker, layer: str) -> int:
    channels, chosen = worker.architecture.channels(layer), worker.section.unit
    return min(chosen.top, channels) if chosen.top else len(named_units(chosen, channels))


def _line(
    ends: Sequence[str], work: Callable[[str], float], measured: Callable[[str], float]
) -> Callable[[float], float]:
    """Seconds by multiplications: the line through what was measured at both ends, never falling, never below 0."""
    (low, high), (first, last) = map(work, ends), map(measured, ends)
    slope = max((last - first) / (high - low), 0.0) if high > low else last / high
    base = max(first - slope * low, 0.0)
    return lambda amount: base + slope * amount


def _photo_seconds(worker: Worker) -> Callable[[str], float]:
    """Seconds that a photo takes through a layer."""

    def measured(layer: str) -> float:
        from vizengine.layers.survey import survey

        photos = worker.photos[:1]
        survey(worker.network, layer, photos)
        started = time.monotonic()
        survey(worker.network, layer, photos)
        return time.monotonic() - started

    return measured


def _step_seconds(worker: Worker) -> Callable[[str], float]:
    """Seconds that one step of one picture takes, with its share of what each batch takes before its first step."""

    def measured(layer: str) -> float:
        from vizengine.pictures.search import Job as PictureJob
        from vizengine.pictures.search import visualize

        section = worker.section.visualization
        settings = Settings(**section.model_dump(exclude={"film"}))
        width = min(widest(worker.architecture, layer, section.size), worker.architecture.channels(layer))
        best = {channel: PhotoBest(0.0, worker.photos[0].name) for channel in range(width)}

        def timed(steps: int) -> float:
            short = replace(settings, steps=steps, attempts=1, start="noise")
            started = time.monotonic()
            visualize(worker.network, PictureJob(layer, best, short))
            return time.monotonic() - started

        timed(1)
        few, more = timed(_STEPS), timed(3 * _STEPS)
        step = max(more - few, 1e-9) / (2 * _STEPS)
        before = max(few - _STEPS * step, 0.0)
        return (step + before / section.steps) / width

    return measured


def _peak_bytes() -> int:
    """The most memory that this process has had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
