"""The survey of a layer: every unit with its picture, its figures and its strongest places in photos, on one sheet."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import yaml
from PIL import Image

from vizengine.config.network import NetworkSection
from vizengine.figures.pictures import PATCH_QUALITY, jpeg
from vizengine.figures.quantities import fixed, significant, whole
from vizengine.layers.figures import COLUMNS, LayerResults
from vizengine.layers.jobs import Job
from vizengine.layers.pages import EXAMPLE_PIXELS, SHOWN_EXAMPLES, plain, verdict
from vizengine.layers.population import nearest_units, together
from vizengine.layers.runner import JobRunner
from vizengine.layers.views import ContactSheet, SheetEntry, render_contact_sheet, shared_files
from vizengine.layers.workers import SweepContext, Worker
from vizengine.output import Progress
from vizengine.page.report import SiteReport
from vizengine.pictures.result import Visualization

NEIGHBOURS = 3
# Units whose examples are grouped by one job.
_UNITS_OF_A_JOB = 32


class LayerRun:
    """One layer's survey.

    Args:
        context: of a sweep that has all units of the layer.
        pages: address of a unit's page, for those that have one.
        settings: name of the circuit that gave photos and settings.

    Attributes:
        failures: units that failed, `layer:unit` and reason; known once `compute` is through.
    """

    def __init__(
        self, context: SweepContext, layer: str, pages: Mapping[int, str], settings: str, progress: Progress
    ) -> None:
        self.failures: dict[str, str] = {}
        self._name = context.name
        self._worker = Worker(context)
        self._layer = layer
        self._pages = pages
        self._settings = settings
        self._progress = progress
        self._runner = JobRunner(context, self._worker, progress)
        self._picture_jobs: dict[int, Job] = {}
        self._results: LayerResults | None = None

    def compute(self) -> None:
        """Do all jobs that aren't done.

        Raises:
            WeightsUnavailable: the weights can't be had.
            VizengineError: photos can't be sent through the layer, so nothing can be said of its units.
        """
        worker, layer = self._worker, self._layer
        _ = worker.source.identity
        units = range(worker.architecture.channels(layer))
        measuring = [Job("survey", layer, part=part) for part in range(worker.parts)] + [Job("selectivity", layer)]
        groups = [
            Job("groups", layer, tuple(units[start : start + _UNITS_OF_A_JOB]))
            for start in range(0, len(units), _UNITS_OF_A_JOB)
        ]
        with self._runner as runner:
            runner.run_all("photos and stimuli", measuring)
            broken = worker.broken_units(layer)
            runner.run_all("groups of examples", groups)
            sound = [unit for unit in units if unit not in broken]
            jobs, reasons = runner.pictures({layer: sound})
            failures = {unit: reason for (_, unit), reason in reasons.items()} | broken
            self.failures = {f"{layer}:{unit}": failures[unit] for unit in sorted(failures)}
            runner.log_failures(self.failures)
        self._picture_jobs = {unit: job for (_, unit), job in jobs.items()}
        grouped = together(tuple(worker.groups(job) for job in groups))
        self._results = replace(worker.results(layer), groups=grouped)

    def files(self, site: SiteReport) -> Iterator[tuple[str, bytes]]:
        """The sheet's files, one after the other: path in its folder and content. After `compute`."""
        sheet = self.sheet()
        yield from shared_files("survey").items()
        with self._progress.stage(f"{self._name}: the sheet", len(sheet.entries)) as task:
            for entry in sheet.entries:
                if not entry.failure:
                    yield f"pictures/{entry.unit}.jpg", jpeg(self._picture(entry.unit).image)
                    yield f"examples/{entry.unit}.webp", self._examples(entry.unit)
                task.advance(1)
        yield "survey.json", json.dumps(sheet.data(), separators=(",", ":")).encode()
        yield "index.html", render_contact_sheet(sheet, site).encode()

    def sheet(self) -> ContactSheet:
        """What the sheet says. After `compute`."""
        assert self._results is not None
        architecture, survey = self._worker.architecture, self._results.survey
        nearest = nearest_units(self._results.correlation, NEIGHBOURS).tolist()
        return ContactSheet(
            network=architecture.title,
            layer=self._layer,
            size=self._worker.section.visualization.size,
            field=whole(architecture.receptive_field(self._layer).size, "px"),
            photos=whole(len(survey.extremes.names)),
            positions=whole(survey.count),
            shown=whole(survey.shown),
            columns=tuple(filter(None, (column(self._results) for column in COLUMNS))),
            entries=tuple(self._entry(unit, self._results, others) for unit, others in enumerate(nearest)),
            config=config_lines(self._worker.section.network, self._layer),
            settings=self._settings,
        )

    def _entry(self, unit: int, results: LayerResults, nearest: list[int]) -> SheetEntry:
        page = self._pages.get(unit, "")
        if failure := self.failures.get(f"{self._layer}:{unit}"):
            return SheetEntry(unit, page, failure)
        survey, groups, picture = results.survey, results.groups, self._picture(unit)
        assert groups is not None
        photos = survey.photo[unit, survey.examples(unit)[:SHOWN_EXAMPLES]].tolist()
        names = dict.fromkeys(survey.extremes.names[photo] for photo in photos)
        return SheetEntry(
            unit=unit,
            page=page,
            verdict=verdict(picture),
            reached=significant(picture.reached),
            photo_best=significant(survey.extremes.best(unit)[0]),
            seen=f"Places in shown photos that drive unit {unit} most, from {', '.join(names)}",
            group_count=whole(int(groups.count[unit])),
            neighbours=tuple(
                (other, fixed(float(results.correlation[unit, other]), 2)) for other in nearest if other >= 0
            ),
        )

    def _picture(self, unit: int) -> Visualization:
        return self._worker.pictures(self._picture_jobs[unit])[unit]

    def _examples(self, unit: int) -> bytes:
        """What a unit sees at the places in photos that drive it most, side by side, as a file."""
        crops = [example.crop for example in self._worker.examples(self._layer, unit, SHOWN_EXAMPLES)]
        sides = (EXAMPLE_PIXELS, EXAMPLE_PIXELS)
        tiles = [Image.fromarray(crop).resize(sides, Image.Resampling.LANCZOS) for crop in crops]
        stream = io.BytesIO()
        Image.fromarray(np.hstack([np.asarray(tile) for tile in tiles])).save(
            stream, "WEBP", quality=PATCH_QUALITY, method=4
        )
        return stream.getvalue()


def config_lines(network: NetworkSection, layer: str) -> str:
    """Three lines of a config that make the page of a unit, `{unit}` standing for its index."""
    named = network.model_dump(mode="json", exclude_defaults=True, exclude={"why"})
    # Braces of the text itself would be taken for the index.
    name = f"{plain(network.model)}-{plain(layer)}".replace(".", "-").replace("_", "-")[:70].strip("-")
    return "\n".join(
        (
            f"  - name: {name}-{{unit}}",
            f"    network: {_flow(named)}",
            f"    unit: {_flow({'layer': layer})[:-1]}, index: {{unit}}}}",
        )
    )


def _flow(data: dict[str, object]) -> str:
    """A mapping on one line."""
    return yaml.safe_dump(data, default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True).strip()
