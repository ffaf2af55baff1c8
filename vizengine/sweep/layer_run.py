"""The survey of a layer from its config to its files: measure, make pictures, group examples, write the sheet."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import numpy as np

from vizengine.errors import VizengineError
from vizengine.featurevis.batches import batches
from vizengine.progress import Progress
from vizengine.render.light import SharedFiles, render_contact_sheet
from vizengine.report.contact_sheet import ContactSheet
from vizengine.report.model import SiteReport
from vizengine.sweep.addresses import ASSETS
from vizengine.sweep.doing import Doing
from vizengine.sweep.jobs import Failed, Job
from vizengine.sweep.sheet import Sheet
from vizengine.sweep.workshop import Place, Workshop

# Units whose examples are grouped by one job.
_UNITS_OF_A_JOB = 32


class LayerRun:
    """One layer's survey.

    Args:
        place: where its results are kept; its sweep has all units of the layer.
        layer: the layer.
        progress: shown to the user.

    Attributes:
        workshop: reads the results.
    """

    def __init__(self, place: Place, layer: str, progress: Progress) -> None:
        self.workshop = Workshop(place)
        self._layer = layer
        self._progress = progress
        self._doing = Doing(place, self.workshop, progress)
        self._sheet: Sheet | None = None
        self._drawn: ContactSheet | None = None

    def sheet(self, pages: Mapping[int, str], settings: str) -> ContactSheet:
        """Do all jobs that aren't done; the contact sheet.

        Args:
            pages: address of a unit's page, for those that have one.
            settings: name of the circuit that gave photos and settings.

        Raises:
            WeightsUnavailable: the weights can't be had.
            VizengineError: photos can't be sent through the layer, so nothing can be said of its units.
        """
        workshop, layer = self.workshop, self._layer
        _ = workshop.have.source.identity
        units = range(workshop.architecture.channels(layer))
        measuring = [Job("survey", layer, part=part) for part in range(workshop.parts)] + [Job("selectivity", layer)]
        groups = [
            Job("groups", layer, tuple(units[start : start + _UNITS_OF_A_JOB]))
            for start in range(0, len(units), _UNITS_OF_A_JOB)
        ]
        with self._doing.engine as engine:
            self._whole(self._doing.do(engine, "photos and stimuli", measuring))
            broken = self._broken()
            self._whole(self._doing.do(engine, "groups of examples", groups))
            sound = [unit for unit in units if unit not in broken]
            size = workshop.section.visualization.size
            pictures = [
                Job("pictures", layer, tuple(batch)) for batch in batches(workshop.architecture, layer, sound, size)
            ]
            made, lost = self._doing.pictures(engine, pictures)
        failures = {unit: reason for (_, unit), reason in lost.items()} | broken
        for unit, reason in failures.items():
            self._doing.log.line(f"{layer}:{unit} failed: {reason}")
        self._doing.log.close()
        jobs = {unit: job for (_, unit), job in made.items()}
        self._sheet = Sheet(workshop, layer, jobs, groups, failures, pages, settings)
        self._drawn = self._sheet.sheet()
        return self._drawn

    def _whole(self, failed: list[Failed]) -> None:
        """Make sure that what all units rest on is there."""
        if failed:
            raise VizengineError(f"{failed[0].job.title}: {failed[0].reason}")

    def _broken(self) -> dict[int, str]:
        kernel, bias = self.workshop.have.source.kernel_and_bias(self._layer)
        finite = np.isfinite(kernel).all(axis=(0, 1, 2)) & np.isfinite(bias)
        reason = "its weights aren't all numbers (NaN or infinity), so nothing can be measured"
        return {int(unit): reason for unit in np.flatnonzero(~finite)}

    def files(self, site: SiteReport) -> Iterator[tuple[str, bytes]]:
        """The sheet's files, one after the other: path in its folder and content. After `sheet`.

        Args:
            site: what the config says of the site.
        """
        assert self._sheet is not None and self._drawn is not None
        shared = SharedFiles.load("survey")
        yield f"{ASSETS}/light.css", shared.style.encode()
        yield f"{ASSETS}/light.js", shared.script.encode()
        with self._progress.stage(f"{self.workshop.section.name}: the sheet", len(self._drawn.entries)) as task:
            for entry in self._drawn.entries:
                if entry.picture:
                    yield entry.picture, self._sheet.picture(entry.unit)
                    yield entry.examples, self._sheet.examples(entry.unit)
                task.advance(1)
        yield "survey.json", json.dumps(self._drawn.data(), separators=(",", ":")).encode()
        yield "index.html", render_contact_sheet(self._drawn, site).encode()
