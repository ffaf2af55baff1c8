"""What a sweep needs: the units, each one's strongest inputs, and the pictures that all pages together show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from vizengine.layers.figures import PAGE_COLUMNS
from vizengine.layers.jobs import Job, chosen_layers, named_units, source_layers
from vizengine.layers.workers import Worker


@dataclass(frozen=True)
class Plan:
    """The units of a sweep and the pictures that their pages show.

    Attributes:
        units: by layer, in order of computation; ascending.
        broken: units whose weights aren't numbers, with the reason.
        pictures: channels whose pictures are wanted, by layer; ascending.
    """

    units: Mapping[str, tuple[int, ...]]
    broken: Mapping[tuple[str, int], str]
    pictures: Mapping[str, tuple[int, ...]]

    @property
    def count(self) -> int:
        """How many units there are."""
        return sum(map(len, self.units.values()))


def measuring_jobs(worker: Worker) -> list[Job]:
    """Photos and stimuli through every layer whose units get pages, and photos through those that feed them."""
    layers = chosen_layers(worker.section.unit, worker.architecture)
    feeding = [source for layer in layers for source in source_layers(worker.architecture, layer)]
    every = dict.fromkeys((*feeding, *layers))
    surveys = [Job("survey", layer, part=part) for layer in every for part in range(worker.parts)]
    return surveys + [Job("selectivity", layer) for layer in layers]


def plan(worker: Worker) -> Plan:
    """Choose the units and the pictures, once the measuring jobs are done."""
    architecture = worker.architecture
    units: dict[str, tuple[int, ...]] = {}
    broken: dict[tuple[str, int], str] = {}
    pictures: dict[str, set[int]] = {}
    for layer in chosen_layers(worker.section.unit, architecture):
        kernel, _ = worker.source.kernel_and_bias(layer)
        units[layer] = _units(worker, layer, kernel.shape[-1])
        reasons = worker.broken_units(layer)
        for unit in units[layer]:
            if unit in reasons:
                broken[layer, unit] = reasons[unit]
                continue
            pictures.setdefault(layer, set()).add(unit)
            sources = architecture.source_channels(layer, unit)
            norms = np.sqrt(np.square(kernel[..., unit].astype(np.float64)).sum(axis=(0, 1)))
            for index in np.argsort(-norms, kind="stable")[: worker.section.inputs]:
                pictures.setdefault(sources[index].layer, set()).add(sources[index].channel)
    order = [layer.name for layer in architecture.layers]
    return Plan(units, broken, {layer: tuple(sorted(pictures[layer])) for layer in order if layer in pictures})


def _units(worker: Worker, layer: str, channels: int) -> tuple[int, ...]:
    units = worker.section.unit
    if units.top is None or units.by is None:
        return named_units(units, channels)
    results = worker.results(layer)
    values = results.norms if units.by == "norm" else PAGE_COLUMNS[units.by](results).values
    # A unit that can't be measured comes last.
    order = np.argsort(-np.where(np.isfinite(values), values, -np.inf), kind="stable")
    return tuple(sorted(order[: units.top].tolist()))
