"""Where a sweep's pages and pictures lie in its folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vizengine.figures.pictures import jpeg
from vizengine.figures.quantities import Quantity, decimals, fixed, significant, whole
from vizengine.layers.figures import FIGURES, PAGE_FIGURES
from vizengine.layers.jobs import Job
from vizengine.layers.plan import Plan
from vizengine.layers.views import Connection, Part, Sheet, SheetUnit, Tile, UnitPage
from vizengine.layers.workers import Worker
from vizengine.measures.examples import example_reports
from vizengine.measures.inputs import Circuit, InputChannel, Sign, analyse, scale, slice_figures
from vizengine.measures.readings import OutputSlice, Slices, outputs_report, readings
from vizengine.network.layers import INPUT

ASSETS = "assets"


def plain(name: str) -> str:
    """A layer's name, or a network's, as that of a folder."""
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-.") or "layer"


class Addresses:
    """Addresses from the sweep's folder, with slashes.

    Args:
        layers: every layer that has pages or pictures.
        pages: units that have pages, by layer.
        pictures: channels that have pictures, by layer.
    """

    def __init__(
        self, layers: Iterable[str], pages: Mapping[str, Iterable[int]], pictures: Mapping[str, Iterable[int]]
    ) -> None:
        self._folders: dict[str, str] = {}
        for layer in layers:
            name, number = plain(layer), 1
            while name in self._folders.values() or name == ASSETS:
                number += 1
                name = f"{plain(layer)}-{number}"
            self._folders[layer] = name
        self._pages = {layer: frozenset(units) for layer, units in pages.items()}
        self._pictures = {layer: frozenset(channels) for layer, channels in pictures.items()}

    def folder(self, layer: str) -> str:
        """The folder of a layer."""
        return self._folders[layer]

    def page(self, layer: str, unit: int) -> str:
        """A unit's page, or empty where it has none."""
        return f"{self.folder(layer)}/{unit}.html" if unit in self._pages.get(layer, ()) else ""

    def picture(self, layer: str, channel: int) -> str:
        """A channel's picture, or empty where there is none."""
        return f"{self.folder(layer)}/{channel}.jpg" if channel in self._pictures.get(layer, ()) else ""


# Of a unit's top examples.
SHOWN_EXAMPLES = 6
EXAMPLE_PIXELS = 64
LARGEST_PARTS = 6


class Pages:
    """Makes the pages of a sweep.

    Args:
        worker: reads the results.
        plan: the units.
        pictures: job of each picture by layer and channel.
        failures: why a channel has no picture.
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
        channels: dict[str, list[int]] = {}
        for layer, channel in pictures:
            channels.setdefault(layer, []).append(channel)
        layers = tuple(layer.name for layer in self._architecture.layers)
        self.addresses = Addresses(layers, plan.units, channels)

    def picture(self, layer: str, channel: int) -> bytes:
        """The picture of a channel as a file."""
        return jpeg(self._worker.pictures(self._pictures[layer, channel])[channel].image)

    def page(self, layer: str, unit: int) -> UnitPage:
        """The page of a unit; one that failed says so."""
        if failure := self._failures.get((layer, unit)):
            return self.failed(layer, unit, failure)
        survey = self._worker.survey(layer)
        visualization = self._worker.pictures(self._pictures[layer, unit])[unit]
        circuit = self._circuit(layer, unit)
        outputs = outputs_report(readings(self._architecture, layer, unit, self._slices_of))
        examples = survey.examples(unit)
        mean = survey.parts[unit, examples].mean(axis=0, dtype=np.float64)
        places = decimals(mean.tolist())
        best, photo = survey.extremes.best(unit)
        return replace(
            self._frame(layer, unit),
            reached=significant(visualization.reached),
            photo_best=significant(best),
            photo_best_name=photo,
            figures=self._figures(layer, unit),
            inputs=self._inputs(circuit, mean),
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
        return replace(self._frame(layer, unit), failure=reason)

    def _frame(self, layer: str, unit: int) -> UnitPage:
        """What every page has."""
        units = self._plan.units[layer]
        place = units.index(unit)
        return UnitPage(
            tile=self._tile(layer, unit),
            network=self._architecture.title,
            trained=self._worker.source.identity.trained,
            receptive_field=whole(self._architecture.receptive_field(layer).size, "px"),
            size=self._worker.section.visualization.size,
            failure="",
            previous=self._tile(layer, units[place - 1]) if place else None,
            next=self._tile(layer, units[place + 1]) if place + 1 < len(units) else None,
        )

    def sheet(self, layer: str) -> Sheet:
        """The contact sheet of a layer."""
        units = tuple(
            SheetUnit(self._tile(layer, unit), None if (layer, unit) in self._failures else self._figures(layer, unit))
            for unit in self._plan.units[layer]
        )
        return Sheet(layer, self.addresses.folder(layer), self._architecture.channels(layer), units)

    def _figures(self, layer: str, unit: int) -> dict[str, Quantity | None]:
        results = self._worker.results(layer)
        return {name: FIGURES[name].quantity(FIGURES[name].of(results)[unit]) for name in PAGE_FIGURES}

    def _tile(self, layer: str, channel: int, label: str = "") -> Tile:
        return Tile(
            label=label or f"{layer}:{channel}",
            layer=layer,
            unit=channel,
            page=self.addresses.page(layer, channel),
            picture=self.addresses.picture(layer, channel),
            verdict=self._verdicts.get((layer, channel), ""),
        )

    @cached_property
    def _verdicts(self) -> dict[tuple[str, int], str]:
        """Of each picture, read job by job."""
        return {
            (job.layer, channel): "exact"
            if job.layer == INPUT
            else "converged"
            if picture.converged
            else "not converged"
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

    def _inputs(self, circuit: Circuit, mean: NDArray[np.float64]) -> tuple[Connection, ...]:
        figures = slice_figures(circuit, mean, circuit.strongest)
        return tuple(
            Connection(self._source(channel), channel.sign, of_channel)
            for channel, of_channel in zip(circuit.strongest, figures, strict=True)
        )

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
