"""The light pages of a sweep's units, and where they and their pictures lie in its folder."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from vizengine.figures.pictures import jpeg
from vizengine.figures.quantities import decimals, fixed, significant, whole
from vizengine.layers.figures import PAGE_COLUMNS
from vizengine.layers.jobs import Job
from vizengine.layers.plan import Plan
from vizengine.layers.views import ASSETS, Connection, Figures, LayerTiles, Part, Tile, UnitPage
from vizengine.layers.workers import Worker
from vizengine.measures.examples import example_reports
from vizengine.measures.inputs import Circuit, InputChannel, Sign, analyse, scale, slice_figures
from vizengine.measures.readings import OutputSlice, Slices, outputs_report, readings
from vizengine.network.architecture import Architecture
from vizengine.network.layers import INPUT
from vizengine.pictures.result import Visualization

# Of a unit's top examples.
SHOWN_EXAMPLES = 6
EXAMPLE_PIXELS = 64
LARGEST_PARTS = 6


def plain(name: str) -> str:
    """A layer's name, or a network's, as that of a folder."""
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-.") or "layer"


def unused(name: str, taken: Collection[str]) -> str:
    """The name, with the first number from 2 on that makes it one that isn't taken, where it is."""
    numbered = (f"{name}-{number}" for number in itertools.count(2))
    return next(free for free in itertools.chain([name], numbered) if free not in taken)


def layer_folders(architecture: Architecture) -> dict[str, str]:
    """The folder of each layer's pages and pictures in that of a sweep, by the layer's name."""
    folders: dict[str, str] = {}
    for layer in architecture.layers:
        folders[layer.name] = unused(plain(layer.name), (*folders.values(), ASSETS))
    return folders


def verdict(picture: Visualization) -> str:
    """Of a picture's search, in words."""
    return "converged" if picture.converged else "not converged"


class Pages:
    """Makes the pages of a sweep.

    Args:
        pictures: job of each picture by layer and channel.
        failures: why a channel has no picture, likewise.
    """

    def __init__(
        self,
        worker: Worker,
        plan: Plan,
        pictures: Mapping[tuple[str, int], Job],
        failures: Mapping[tuple[str, int], str],
    ) -> None:
        self._worker = worker
        self._plan = plan
        self._pictures = pictures
        self._failures = failures
        self._architecture = worker.architecture
        self.folders = layer_folders(worker.architecture)
        self._figures = lru_cache(maxsize=6)(self._figures_of_layer)

    def page_address(self, layer: str, unit: int) -> str:
        """Of a unit's page from the sweep's folder, with slashes; empty where it has none."""
        return f"{self.folders[layer]}/{unit}.html" if unit in self._plan.units.get(layer, ()) else ""

    def picture_address(self, layer: str, channel: int) -> str:
        """Of a channel's picture likewise."""
        return f"{self.folders[layer]}/{channel}.jpg" if (layer, channel) in self._pictures else ""

    def picture(self, layer: str, channel: int) -> bytes:
        """The picture of a channel as a file."""
        return jpeg(self._worker.pictures(self._pictures[layer, channel])[channel].image)

    def page(self, layer: str, unit: int) -> UnitPage:
        """The page of a unit; one that failed says so."""
        if failure := self._failures.get((layer, unit)):
            return self.failed(layer, unit, failure)
        survey = self._worker.survey(layer)
        circuit = self._circuit(layer, unit)
        outputs = outputs_report(readings(self._architecture, layer, unit, self._slices_of))
        examples = survey.examples(unit)
        mean = survey.parts[unit, examples].mean(axis=0, dtype=np.float64)
        places = decimals(mean.tolist())
        best, photo = survey.extremes.best(unit)
        strongest = zip(circuit.strongest, slice_figures(circuit, mean, circuit.strongest), strict=True)
        return replace(
            self.failed(layer, unit, ""),
            reached=significant(self._worker.pictures(self._pictures[layer, unit])[unit].reached),
            photo_best=significant(best),
            photo_best_name=photo,
            figures=self._figures(layer)[unit],
            inputs=tuple(Connection(self._source(channel), channel.sign, figures) for channel, figures in strongest),
            input_count=whole(len(circuit.inputs)),
            scale=scale(circuit),
            excited=self._readers(outputs.excited, "excitatory"),
            inhibited=self._readers(outputs.inhibited, "inhibitory"),
            output_scale=outputs.scale,
            parts=self._parts(circuit, mean, places),
            total=fixed(float(survey.pre[unit, examples].mean(dtype=np.float64)), places),
            example_count=whole(len(examples)),
            examples=example_reports(tuple(self._worker.examples(layer, unit, SHOWN_EXAMPLES)), EXAMPLE_PIXELS),
            photo_count=whole(len(survey.extremes.names)),
        )

    def failed(self, layer: str, unit: int, reason: str) -> UnitPage:
        """The page of a unit that says why there is none."""
        units = self._plan.units[layer]
        place = units.index(unit)
        return UnitPage(
            tile=self._tile(layer, unit),
            receptive_field=whole(self._architecture.receptive_field(layer).size, "px"),
            failure=reason,
            previous=self._tile(layer, units[place - 1]) if place else None,
            next=self._tile(layer, units[place + 1]) if place + 1 < len(units) else None,
        )

    def tiles(self, layer: str) -> LayerTiles:
        """A layer in the explorer."""
        units = tuple(
            (self._tile(layer, unit), None if (layer, unit) in self._failures else self._figures(layer)[unit])
            for unit in self._plan.units[layer]
        )
        return LayerTiles(layer, self.folders[layer], self._architecture.channels(layer), units)

    def _figures_of_layer(self, layer: str) -> list[Figures]:
        """By unit."""
        results = self._worker.results(layer)
        columns = [column(results).figures for column in PAGE_COLUMNS.values()]
        return [dict(zip(PAGE_COLUMNS, figures, strict=True)) for figures in zip(*columns, strict=True)]

    def _tile(self, layer: str, channel: int, label: str = "") -> Tile:
        return Tile(
            label=label or f"{layer}:{channel}",
            layer=layer,
            unit=channel,
            page=self.page_address(layer, channel),
            picture=self.picture_address(layer, channel),
            verdict=self._verdicts.get((layer, channel), ""),
        )

    @cached_property
    def _verdicts(self) -> dict[tuple[str, int], str]:
        """Of each picture, read job by job."""
        return {
            (job.layer, channel): "exact" if job.layer == INPUT else verdict(picture)
            for job in dict.fromkeys(self._pictures.values())
            for channel, picture in self._worker.pictures(job).items()
        }

    def _circuit(self, layer: str, unit: int) -> Circuit:
        weights = self._worker.weights(layer)
        assert weights is not None
        slices, bias = weights
        sources = self._architecture.source_channels(layer, unit)
        return analyse(layer, unit, slices.kernel, bias, sources, self._worker.section.inputs)

    def _slices_of(self, layer: str) -> Slices | None:
        weights = self._worker.weights(layer)
        return None if weights is None else weights[0]

    def _source(self, channel: InputChannel) -> Tile:
        return self._tile(channel.source_layer, channel.source_channel, channel.label)

    def _readers(self, outputs: Sequence[OutputSlice], sign: Sign) -> tuple[Connection, ...]:
        connections = []
        for output in outputs:
            layer, _, unit = output.label.rpartition(":")
            connections.append(Connection(self._tile(layer, int(unit)), sign, output))
        return tuple(connections)

    def _parts(self, circuit: Circuit, mean: NDArray[np.float64], places: int) -> tuple[Part, ...]:
        """Bias, largest inputs and all others, each with so many decimals."""
        order = np.argsort(-np.abs(mean), kind="stable")
        largest, others = order[:LARGEST_PARTS].tolist(), order[LARGEST_PARTS:]
        parts = [Part("bias", fixed(circuit.bias, places))]
        for index in largest:
            tile = self._source(circuit.inputs[index])
            parts.append(Part(tile.label, fixed(float(mean[index]), places), tile.page))
        if len(others):
            name = f"{len(others)} other input{'s' if len(others) > 1 else ''}"
            parts.append(Part(name, fixed(float(mean[others].sum()), places)))
        return tuple(parts)
