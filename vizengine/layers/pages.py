"""A sweep from its config to its files: the light pages of its units, their pictures, and the explorer."""

from __future__ import annotations

import itertools
import json
import logging
import re
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from vizengine.figures.pictures import jpeg
from vizengine.figures.quantities import decimals, fixed, significant, whole
from vizengine.layers.figures import PAGE_COLUMNS
from vizengine.layers.jobs import Job, left_out
from vizengine.layers.plan import Plan, measuring_jobs, plan
from vizengine.layers.runner import JobRunner
from vizengine.layers.views import (
    ASSETS,
    Connection,
    Figures,
    LayerTiles,
    Part,
    Tile,
    UnitPage,
    render_explorer,
    render_unit,
    shared_files,
)
from vizengine.layers.workers import SweepContext, Worker
from vizengine.measures.examples import example_reports
from vizengine.measures.inputs import Circuit, InputChannel, Sign, analyse, scale, slice_figures
from vizengine.measures.readings import OutputSlice, Slices, outputs_report, readings
from vizengine.network.architecture import Architecture
from vizengine.network.layers import INPUT
from vizengine.output import Progress
from vizengine.page.report import SiteReport, SweepReport
from vizengine.pictures.result import Visualization

logger = logging.getLogger(__name__)

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


class SweepRun:
    """One sweep: measure, choose, make pictures, then write page by page.

    Args:
        may_compute: whether a result that isn't kept may be computed.

    Attributes:
        failures: units that failed, `layer:unit` and reason; known once `report` and `files` are through.
        seconds: of this run, as `JobRunner.seconds`; with those of the pages once `files` is through.
    """

    def __init__(self, context: SweepContext, progress: Progress, may_compute: bool = True) -> None:
        self.section = context.section
        self.failures: dict[str, str] = {}
        self._progress = progress
        self._worker = Worker(context)
        self._runner = JobRunner(context, self._worker, progress, may_compute)
        self.seconds = self._runner.seconds
        self._figures = lru_cache(maxsize=6)(self._figures_of_layer)
        # From `report` on: the units, the job of each picture and why there is none, by layer and channel.
        self._plan = Plan({}, {}, {})
        self._picture_jobs: dict[tuple[str, int], Job] = {}
        self._reasons: dict[tuple[str, int], str] = {}

    @cached_property
    def _architecture(self) -> Architecture:
        return self._worker.architecture

    @cached_property
    def _folders(self) -> dict[str, str]:
        return layer_folders(self._architecture)

    @property
    def title(self) -> str:
        """The sweep's title, or one made from the network."""
        return self.section.title or f"Units of {self._architecture.title}"

    def report(self) -> SweepReport:
        """Do all jobs that aren't done; what the site's index says of the sweep.

        Raises:
            WeightsUnavailable: the weights can't be had.
            NotComputed: something isn't kept and may not be computed.
            VizengineError: photos can't be sent through a layer, so nothing can be said of its units.
        """
        trained = self._worker.source.identity.trained
        for reason in left_out(self.section.unit, self._architecture):
            logger.info("%s leaves out a layer: %s", self.section.name, reason)
        with self._runner as runner:
            runner.run_all("photos and stimuli", measuring_jobs(self._worker))
            self._plan = plan(self._worker)
            self._picture_jobs, self._reasons = runner.pictures(self._plan.pictures)
            self._reasons |= self._plan.broken
            for (layer, unit), reason in self._reasons.items():
                if unit in self._plan.units.get(layer, ()):
                    self.failures[f"{layer}:{unit}"] = reason
            runner.log_failures(self.failures)
        return SweepReport(
            name=self.section.name,
            title=self.title,
            network=self._architecture.title,
            trained=trained,
            units=self._plan.count,
            layers=len(self._plan.units),
            failures=len(self.failures),
        )

    def files(self, report: SweepReport, site: SiteReport) -> Iterator[tuple[str, bytes]]:
        """The sweep's files, one after the other: path in its folder and content. `report` is its own."""
        size = self.section.visualization.size
        yield from shared_files().items()
        for (layer, channel), job in self._picture_jobs.items():
            yield self._picture_address(layer, channel), jpeg(self._worker.pictures(job)[channel].image)
        started, busy = time.monotonic(), time.process_time()
        with self._progress.stage(f"{self.section.name}: pages", self._plan.count) as task:
            for layer, units in self._plan.units.items():
                data = []
                for unit in units:
                    page = self._page_or_failure(layer, unit)
                    yield page.tile.page, render_unit(page, report, size, site).encode()
                    data.append(page.data())
                    task.advance(1)
                yield f"{self._folders[layer]}/units.json", json.dumps(data, separators=(",", ":")).encode()
        layers = [self._tiles(layer) for layer in self._plan.units]
        yield "index.html", render_explorer(report, layers, size, self.failures, site).encode()
        self.seconds.update({"pages": time.monotonic() - started, "pages, processor": time.process_time() - busy})

    def _page_or_failure(self, layer: str, unit: int) -> UnitPage:
        """A unit's page; where it can't be made, one that says so."""
        try:
            return self.page(layer, unit)
        except Exception as error:
            logger.debug("the page of %s:%d failed", layer, unit, exc_info=True)
            reason = f"its page can't be made ({type(error).__name__}: {' '.join(str(error).split())[:300]})"
        self.failures[f"{layer}:{unit}"] = reason
        return self._failed_page(layer, unit, reason)

    def _picture_address(self, layer: str, channel: int) -> str:
        return f"{self._folders[layer]}/{channel}.jpg"

    def page(self, layer: str, unit: int) -> UnitPage:
        """The page of a unit; one that failed says so."""
        if failure := self._reasons.get((layer, unit)):
            return self._failed_page(layer, unit, failure)
        survey = self._worker.survey(layer)
        circuit = self._circuit(layer, unit)
        outputs = outputs_report(readings(self._architecture, circuit, self._slices_of))
        mean = survey.contributions(unit)
        places = decimals(mean.tolist())
        best, photo = survey.extremes.best(unit)
        strongest = zip(circuit.strongest, slice_figures(circuit, mean, circuit.strongest), strict=True)
        return replace(
            self._failed_page(layer, unit, ""),
            reached=significant(self._worker.pictures(self._picture_jobs[layer, unit])[unit].reached),
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
            total=fixed(float(mean.sum()) + circuit.bias, places),
            held_out_count=whole(survey.held_out),
            example_count=whole(len(survey.examples(unit))),
            examples=example_reports(tuple(self._worker.examples(layer, unit, SHOWN_EXAMPLES)), EXAMPLE_PIXELS),
            photo_count=whole(len(survey.extremes.names)),
            shown_count=whole(survey.shown),
        )

    def _failed_page(self, layer: str, unit: int, reason: str) -> UnitPage:
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

    def _tiles(self, layer: str) -> LayerTiles:
        """A layer in the explorer."""
        units = tuple(
            (self._tile(layer, unit), None if (layer, unit) in self._reasons else self._figures(layer)[unit])
            for unit in self._plan.units[layer]
        )
        return LayerTiles(layer, self._folders[layer], self._architecture.channels(layer), units)

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
            page=f"{self._folders[layer]}/{channel}.html" if channel in self._plan.units.get(layer, ()) else "",
            picture=self._picture_address(layer, channel) if (layer, channel) in self._picture_jobs else "",
            verdict=self._verdicts.get((layer, channel), ""),
        )

    @cached_property
    def _verdicts(self) -> dict[tuple[str, int], str]:
        """Of each picture, read job by job."""
        return {
            (job.layer, channel): "exact" if job.layer == INPUT else verdict(picture)
            for job in dict.fromkeys(self._picture_jobs.values())
            for channel, picture in self._worker.pictures(job).items()
        }

    def _circuit(self, layer: str, unit: int) -> Circuit:
        weights = self._worker.weights(layer)
        assert weights is not None
        slices, bias = weights
        sources = self._architecture.source_channels(layer, unit)
        return analyse(layer, unit, slices.kernel, bias, sources, self.section.inputs)

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
