"""What a sweep needs: the units, each one's strongest inputs, and the pictures that all pages together show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizengine.config.schema import Measure
from vizengine.layers.jobs import Job, chosen_layers, named_units, source_layers
from vizengine.layers.workers import Workshop
from vizengine.pictures.ascent import batches


@dataclass(frozen=True)
class Plan:
    """The units of a sweep and the pictures that their pages show.

    Attributes:
        units: by layer, in order of computation; ascending.
        broken: units whose weights aren't numbers, with the reason.
        shown: channels whose pictures are wanted, by layer; ascending.
    """

    units: Mapping[str, tuple[int, ...]]
    broken: Mapping[tuple[str, int], str]
    shown: Mapping[str, tuple[int, ...]]

    @property
    def count(self) -> int:
        """How many units there are."""
        return sum(map(len, self.units.values()))

    def jobs(self, workshop: Workshop) -> list[Job]:
        """The pictures, in batches."""
        size = workshop.section.visualization.size
        return [
            Job("pictures", layer, tuple(batch))
            for layer, channels in self.shown.items()
            for batch in batches(workshop.architecture, layer, channels, size)
        ]


def measuring_jobs(workshop: Workshop) -> list[Job]:
    """Photos and stimuli through every layer whose units get pages, and photos through those that feed them."""
    layers = chosen_layers(workshop.section.unit, workshop.architecture)
    feeding = [source for layer in layers for source in source_layers(workshop.architecture, layer)]
    every = dict.fromkeys((*feeding, *layers))
    surveys = [Job("survey", layer, part=part) for layer in every for part in range(workshop.parts)]
    return surveys + [Job("selectivity", layer) for layer in layers]


def plan(workshop: Workshop) -> Plan:
    """Choose the units and the pictures, once the measuring jobs are done.

    Args:
        workshop: reads weights and results.
    """
    architecture = workshop.architecture
    units: dict[str, tuple[int, ...]] = {}
    broken: dict[tuple[str, int], str] = {}
    shown: dict[str, set[int]] = {}
    for layer in chosen_layers(workshop.section.unit, architecture):
        kernel, bias = workshop.have.source.kernel_and_bias(layer)
        units[layer] = _units(workshop, layer, kernel)
        finite = np.isfinite(kernel).all(axis=(0, 1, 2)) & np.isfinite(bias)
        for unit in units[layer]:
            if not finite[unit]:
                broken[layer, unit] = "its weights aren't all numbers (NaN or infinity), so nothing can be measured"
                continue
            shown.setdefault(layer, set()).add(unit)
            sources = architecture.source_channels(layer, unit)
            for index in strongest(kernel[..., unit], workshop.section.inputs):
                shown.setdefault(sources[index].layer, set()).add(sources[index].channel)
    order = [layer.name for layer in architecture.layers]
    return Plan(units, broken, {layer: tuple(sorted(shown[layer])) for layer in order if layer in shown})


def strongest(kernel: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Indices of the input channels with the largest L2 norms, largest first; ties go to the lower index.

    Args:
        kernel: (height, width, inputs) of one unit.
        count: how many.
    """
    norms = np.sqrt(np.square(kernel.astype(np.float64)).sum(axis=(0, 1)))
    return np.argsort(-norms, kind="stable")[:count]


def _units(workshop: Workshop, layer: str, kernel: NDArray[np.float32]) -> tuple[int, ...]:
    chosen = workshop.section.unit
    if chosen.top is None or chosen.by is None:
        return named_units(chosen, kernel.shape[-1])
    values = measure(workshop, layer, chosen.by, kernel)
    # A unit that can't be measured comes last.
    order = np.argsort(-np.where(np.isfinite(values), values, -np.inf), kind="stable")
    return tuple(sorted(order[: chosen.top].tolist()))


def measure(workshop: Workshop, layer: str, by: Measure, kernel: NDArray[np.float32]) -> NDArray[np.float64]:
    """(units,) what `top` goes by."""
    if by == "norm":
        return np.asarray(np.sqrt(np.square(kernel.astype(np.float64)).sum(axis=(0, 1, 2))))
    if by in ("orientation", "hue"):
        selectivity = workshop.selectivity(layer)
        return selectivity.orientation if by == "orientation" else selectivity.hue
    survey = workshop.survey(layer)
    return survey.strength if by == "strength" else survey.firing
