"""Where a sweep's pages and pictures lie in its folder."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vizengine.figures.pictures import jpeg, patch
from vizengine.figures.quantities import Quantity, decimals, fixed, percent, significant, whole
from vizengine.layers.jobs import Job
from vizengine.layers.places import SHOWN_EXAMPLES, Output, Outputs, Places
from vizengine.layers.plan import Plan
from vizengine.layers.views import Connection, Indices, Part, Sheet, SheetUnit, ShownExample, Tile, UnitPage
from vizengine.layers.workers import Workshop
from vizengine.measures.inputs import Circuit, InputChannel, analyse, kernel_of
from vizengine.network.architecture import SourceChannel
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


EXAMPLE_PIXELS = 64
LARGEST_PARTS = 6


class Pages:
    """Makes the pages of a sweep.

    Args:
        workshop: reads the results.
        plan: the units.
        made: job of each picture by layer and channel.
        failures: why a channel has no picture.
    """

    def __init__(
        self,
        workshop: Workshop,
        plan: Plan,
        made: Mapping[tuple[str, int], Job],
        failures: Mapping[tuple[str, int], str],
    ) -> None:
        self._workshop = workshop
        self._plan = plan
        self._made = made
        self._failures = failures
        self._architecture = workshop.architecture
        pictures: dict[str, list[int]] = {}
        for layer, channel in made:
            pictures.setdefault(layer, []).append(channel)
        layers = tuple(layer.name for layer in self._architecture.layers)
        self.addresses = Addresses(layers, plan.units, pictures)
        self._outputs = Outputs(workshop)
        self._seen = Places(workshop)

    def picture(self, layer: str, channel: int) -> bytes:
        """The picture of a channel as a file."""
        return jpeg(self._workshop.pictures(self._made[layer, channel])[channel].image)

    def page(self, layer: str, unit: int) -> UnitPage:
        """The page of a unit; one that failed says so."""
        if failure := self._failures.get((layer, unit)):
            return self.failed(layer, unit, failure)
        survey = self._workshop.survey(layer)
        visualization = self._workshop.pictures(self._made[layer, unit])[unit]
        circuit = self._circuit(layer, unit)
        outputs = self._outputs.of(layer, unit)
        kernels = [channel.kernel for channel in circuit.strongest] + [output.kernel for output in outputs]
        scale = max(float(np.abs(kernel).max()) for kernel in kernels)
        examples = survey.best_of_photos(unit, SHOWN_EXAMPLES)
        mean = survey.parts[unit, examples].mean(axis=0, dtype=np.float64)
        parts = self._parts(circuit, mean)
        best, photo = survey.extremes.best(unit)
        return replace(
            self._frame(layer, unit),
            reached=significant(visualization.reached),
            photo_best=significant(best),
            photo_best_name=photo,
            indices=self.indices(layer, unit),
            inputs=self._inputs(circuit, mean),
            input_count=whole(len(circuit.inputs)),
            outputs=self._connections(outputs, (layer, unit)),
            parts=parts,
            total=fixed(float(survey.pre[unit, examples].mean(dtype=np.float64)), _places(parts)),
            examples=self._examples(layer, unit),
            photo_count=whole(len(survey.extremes.names)),
            scale=significant(scale),
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
            trained=self._workshop.have.source.identity.trained,
            field=whole(self._architecture.receptive_field(layer).size, "px"),
            size=self._workshop.section.visualization.size,
            failure="",
            previous=self._tile(layer, units[place - 1]) if place else None,
            next=self._tile(layer, units[place + 1]) if place + 1 < len(units) else None,
        )

    def sheet(self, layer: str) -> Sheet:
        """The contact sheet of a layer."""
        units = tuple(
            SheetUnit(self._tile(layer, unit), None if (layer, unit) in self._failures else self.indices(layer, unit))
            for unit in self._plan.units[layer]
        )
        return Sheet(layer, self.addresses.folder(layer), self._architecture.channels(layer), units)

    def indices(self, layer: str, unit: int) -> Indices:
        """The figures of a unit."""
        survey, selectivity = self._workshop.survey(layer), self._workshop.selectivity(layer)
        return Indices(
            strength=_finite(survey.strength[unit], 2),
            firing=percent(float(survey.firing[unit])),
            orientation=_finite(selectivity.orientation[unit], 2),
            hue=_finite(selectivity.hue[unit], 2),
        )

    def _tile(self, layer: str, unit: int) -> Tile:
        return Tile(
            label=f"{layer}:{unit}",
            layer=layer,
            unit=unit,
            page=self.addresses.page(layer, unit),
            picture=self.addresses.picture(layer, unit),
            verdict=self._verdicts.get((layer, unit), ""),
        )

    @cached_property
    def _verdicts(self) -> dict[tuple[str, int], str]:
        """Of each picture, read job by job."""
        return {
            (job.layer, channel): "exact" if job.layer == INPUT else "converged" if each.converged else "not converged"
            for job in dict.fromkeys(self._made.values())
            for channel, each in self._workshop.pictures(job).items()
        }

    def _circuit(self, layer: str, unit: int) -> Circuit:
        weights = self._outputs.kernel(layer)
        assert weights is not None
        sources = self._architecture.source_channels(layer, unit)
        return analyse(layer, unit, *weights, sources, self._workshop.section.inputs)

    def _inputs(self, circuit: Circuit, mean: NDArray[np.float64]) -> tuple[Connection, ...]:
        energy = sum(channel.norm**2 for channel in circuit.inputs) or 1.0
        weight_places = decimals((float(np.abs(channel.kernel).max()) for channel in circuit.strongest), 3)
        norm_places = decimals((channel.norm for channel in circuit.strongest), 3)
        places = decimals((float(mean[channel.index]) for channel in circuit.strongest), 3)
        return tuple(
            Connection(
                tile=self._source(channel),
                kernel=kernel_of(channel.kernel, weight_places),
                norm=fixed(channel.norm, norm_places),
                share=percent(channel.norm**2 / energy),
                sign=channel.sign,
                contribution=fixed(float(mean[channel.index]), places),
            )
            for channel in circuit.strongest
        )

    def _source(self, channel: InputChannel) -> Tile:
        tile = self._tile(channel.source_layer, channel.source_channel)
        return Tile(channel.label, tile.layer, tile.unit, tile.page, tile.picture, tile.verdict)

    def _connections(self, outputs: Sequence[Output], read: tuple[str, int]) -> tuple[Connection, ...]:
        found = []
        source = SourceChannel(*read, f"{read[0]}:{read[1]}")
        for output in outputs:
            alone = output.kernel[:, :, None, None]
            (channel,) = analyse(output.layer, 0, alone, np.zeros(1, np.float32), (source,), 1).inputs
            found.append(
                Connection(
                    tile=self._tile(output.layer, output.unit),
                    kernel=kernel_of(channel.kernel, decimals([float(np.abs(channel.kernel).max())], 3)),
                    norm=significant(channel.norm),
                    share=percent(output.share),
                    sign=channel.sign,
                    contribution=None,
                )
            )
        return tuple(found)

    def _parts(self, circuit: Circuit, mean: NDArray[np.float64]) -> tuple[Part, ...]:
        order = np.argsort(-np.abs(mean), kind="stable")
        largest, others = order[:LARGEST_PARTS].tolist(), order[LARGEST_PARTS:]
        values = [circuit.bias, *(float(mean[index]) for index in largest), float(mean[others].sum())]
        places = decimals(values)
        tiles = [self._source(circuit.inputs[index]) for index in largest]
        parts = [Part("bias", fixed(values[0], places))]
        parts += [
            Part(tile.label, fixed(value, places), tile.page) for tile, value in zip(tiles, values[1:-1], strict=True)
        ]
        if len(others):
            name = f"{len(others)} other input{'s' if len(others) > 1 else ''}"
            parts.append(Part(name, fixed(values[-1], places)))
        return tuple(parts)

    def _examples(self, layer: str, unit: int) -> tuple[ShownExample, ...]:
        shown = []
        for seen in self._seen.of(layer, unit):
            pre = significant(seen.pre)
            alt = f"Place in photo {seen.photo} that drives {layer}:{unit} to {pre.text}"
            shown.append(ShownExample(patch(seen.crop, alt, EXAMPLE_PIXELS), seen.photo, pre))
        return tuple(shown)


def _places(parts: Sequence[Part]) -> int:
    """The decimals with which parts are printed."""
    return decimals(float(part.value.value) for part in parts)


def _finite(value: float, places: int) -> Quantity | None:
    return fixed(float(value), places) if math.isfinite(value) else None
