"""How long a sweep will take, and how much memory and disk, from a measurement of some seconds."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from vizengine.layers.jobs import chosen_layers, named_units, source_layers
from vizengine.layers.survey import EXAMPLES
from vizengine.layers.workers import Worker
from vizengine.measures.photos import LONGEST_SIDE
from vizengine.measures.stream import Split
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


def estimate(worker: Worker) -> list[str]:
    """What a sweep will need, in lines."""
    architecture, chosen = worker.architecture, worker.section.unit
    units: dict[str, int] = {}
    for layer in chosen_layers(chosen, architecture):
        channels = architecture.channels(layer)
        # At most so many, where they are chosen by a measure.
        units[layer] = min(chosen.top, channels) if chosen.top else len(named_units(chosen, channels))
    pictures = dict(units)
    for layer in units:
        for source in source_layers(architecture, layer):
            # No more than all units' inputs together, nor than the layer has.
            most = pictures.get(source, 0) + units[layer] * worker.section.inputs
            pictures[source] = min(architecture.channels(source), most)
    return _lines(worker, units, pictures, {"pages": SECONDS_PER_PAGE}, BYTES_PER_PAGE)


def estimate_layer(worker: Worker, layer: str) -> list[str]:
    """What the survey of a layer will need, by the worker of a sweep of all its units, in lines."""
    units = {layer: worker.architecture.channels(layer)}
    per_unit = {"groups of examples": SECONDS_PER_GROUPING / worker.processes, "pages": SECONDS_PER_ENTRY}
    return _lines(worker, units, units, per_unit, BYTES_PER_ENTRY)


def _lines(
    worker: Worker,
    units: dict[str, int],
    pictures: dict[str, int],
    per_unit: dict[str, float],
    page_bytes: int,
) -> list[str]:
    """Measure the cheapest and the dearest layer, and reckon the others by their multiplications.

    Args:
        units, pictures: how many of each layer; photos go through all of these.
        per_unit: seconds of further stages that each unit takes.
        page_bytes: of a unit's page, or of its part of a contact sheet.
    """
    began = time.monotonic()
    architecture, visualization = worker.architecture, worker.section.visualization
    size, processes = visualization.size, worker.processes
    by_work = sorted(units, key=lambda layer: multiplications(architecture, layer, size))
    ends = [by_work[0], by_work[-1]]
    per_photo = _line(
        [(multiplications(architecture, layer, LONGEST_SIDE), _photo_seconds(worker, layer)) for layer in ends]
    )
    per_step = _line([(multiplications(architecture, layer, size), _step_seconds(worker, layer)) for layer in ends])
    photos = sum(
        per_photo(0.0 if layer == INPUT else multiplications(architecture, layer, LONGEST_SIDE))
        for layer in {**pictures, **units}
    ) * len(worker.photos)
    stimuli = sum(
        per_photo(multiplications(architecture, layer, architecture.receptive_field(layer).size + 8)) * STIMULI
        for layer in units
    )
    attempts = STEPS_OF_ALL_ATTEMPTS[min(visualization.attempts, len(STEPS_OF_ALL_ATTEMPTS)) - 1]
    ascents = sum(
        count * per_step(multiplications(architecture, layer, size)) * visualization.steps * attempts
        for layer, count in pictures.items()
        if layer != INPUT
    )
    unit_count, picture_count = sum(units.values()), sum(pictures.values())
    seconds = {
        "photos and stimuli": (photos + stimuli) / processes,
        "pictures": ascents / processes,
        **{stage: unit_count * of_unit for stage, of_unit in per_unit.items()},
    }
    stages = ", ".join(f"{stage} {duration(taken)}" for stage, taken in seconds.items())
    memory, free = _peak_bytes() * (processes + (processes > 1)), available_bytes()
    short = f", and {free / 1e9:.1f} GB are free: name fewer `workers`, or smaller pictures" if memory > free else ""
    parts = sum(4 * EXAMPLES * architecture.channels(layer) * architecture.kernel_shape(layer)[2] for layer in units)
    site = unit_count * page_bytes + picture_count * size**2 * 1.4
    cache = picture_count * (3 * size**2 + 8192) + parts
    return [
        f"{worker.section.name}: {unit_count} units, {picture_count} pictures",
        f"  time: about {duration(sum(seconds.values()))} ({stages}), less what is kept from earlier runs",
        f"  memory: about {memory / 1e9:.1f} GB in all processes{short}",
        f"  disk: about {site / 1e6:.0f} MB of site, {cache / 1e6:.0f} MB of kept results",
        f"  from a measurement of {duration(time.monotonic() - began)} on this machine",
    ]


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


def _line(measured: Sequence[tuple[float, float]]) -> Callable[[float], float]:
    """Seconds by multiplications: the line through two measurements of both, never falling, never below 0."""
    (low, first), (high, last) = measured
    slope = max((last - first) / (high - low), 0.0) if high > low else last / high
    base = max(first - slope * low, 0.0)
    return lambda amount: base + slope * amount


def _photo_seconds(worker: Worker, layer: str) -> float:
    """Seconds that a photo takes through a layer."""
    from vizengine.layers.survey import survey

    photos = worker.photos[:1]
    both = Split.of(photos)
    survey(worker.network, layer, photos, both)
    started = time.monotonic()
    survey(worker.network, layer, photos, both)
    return time.monotonic() - started


def _step_seconds(worker: Worker, layer: str) -> float:
    """Seconds that one step of one picture takes, with its share of what each batch takes before its first step."""
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


def _peak_bytes() -> int:
    """The most memory that this process has had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
