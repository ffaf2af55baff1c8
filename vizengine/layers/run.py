"""A sweep from its config to its files: measure, choose, make pictures, then write page by page."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from vizengine.cache import CACHE_FOLDER, Cache
from vizengine.circuit import site_report
from vizengine.config.schema import ALL, CircuitSection, Config, SweepSection, UnitsSection
from vizengine.errors import VizengineError, WeightsUnavailable
from vizengine.layers.contact_sheet import Sheet
from vizengine.layers.jobs import Job, left_out
from vizengine.layers.pages import ASSETS, Addresses, Pages, plain
from vizengine.layers.plan import Plan, measuring_jobs, plan
from vizengine.layers.runner import JobRunner
from vizengine.layers.views import (
    ContactSheet,
    Explorer,
    SharedFiles,
    UnitPage,
    render_contact_sheet,
    render_explorer,
    render_unit,
)
from vizengine.layers.workers import SweepContext, Worker
from vizengine.measures.inputs import SliceFigures
from vizengine.network.architecture import (
    Architecture,
    Untraceable,
    expected_layers,
    nearest_layers,
    no_such_layer,
    readable_layers,
)
from vizengine.network.source import open_source
from vizengine.output import Progress
from vizengine.page.report import SiteReport, SweepReport
from vizengine.page.site import check_target, lock, write
from vizengine.pictures.ascent import batches

logger = logging.getLogger(__name__)


class SweepRun:
    """One sweep.

    Args:
        context: of the sweep.
        progress: shown to the user.
        may_compute: whether a result that isn't kept may be computed.

    Attributes:
        section: the sweep's section.
        failures: units that failed, `layer:unit` and reason; known once `report` and `files` are through.
        pages: makes its pages, once `report` is through.
    """

    def __init__(self, context: SweepContext, progress: Progress, may_compute: bool = True) -> None:
        self.section = context.section
        self.failures: dict[str, str] = {}
        self.pages: Pages | None = None
        self._progress = progress
        self._worker = Worker(context)
        self._runner = JobRunner(context, self._worker, progress, may_compute)
        self._plan: Plan | None = None

    @property
    def seconds(self) -> dict[str, float]:
        """Of this run, as `JobRunner.seconds`; with those of the pages once `files` is through."""
        return self._runner.seconds

    @property
    def title(self) -> str:
        """The sweep's title, or one made from the network."""
        return self.section.title or f"Units of {self._worker.architecture.title}"

    def report(self) -> SweepReport:
        """Do all jobs that aren't done; what the site's index says of the sweep.

        Raises:
            WeightsUnavailable: the weights can't be had.
            NotComputed: something isn't kept and may not be computed.
            VizengineError: photos can't be sent through a layer, so nothing can be said of its units.
        """
        trained = self._worker.source.identity.trained
        architecture = self._worker.architecture
        for reason in left_out(self.section.unit, architecture):
            logger.info("%s leaves out a layer: %s", self.section.name, reason)
        with self._runner as runner:
            runner.run_all("photos and stimuli", measuring_jobs(self._worker))
            self._plan = plan(self._worker)
            pictures, reasons = runner.pictures(self._plan.jobs(self._worker))
            reasons |= self._plan.broken
            for (layer, unit), reason in reasons.items():
                if unit in self._plan.units.get(layer, ()):
                    self.failures[f"{layer}:{unit}"] = reason
            runner.log_failures(self.failures)
        self.pages = Pages(self._worker, self._plan, pictures, reasons)
        return SweepReport(
            name=self.section.name,
            title=self.title,
            network=architecture.title,
            trained=trained,
            units=self._plan.count,
            layers=len(self._plan.units),
            failures=len(self.failures),
        )

    def files(self, site: SiteReport, alone: bool) -> Iterator[tuple[str, bytes]]:
        """The sweep's files, one after the other: path in its folder and content.

        Args:
            site: the site.
            alone: whether the sweep is all of it.
        """
        assert self.pages is not None and self._plan is not None
        pages = self.pages
        yield from _shared_files()
        for layer, channels in self._plan.pictures.items():
            for channel in channels:
                if address := pages.addresses.picture(layer, channel):
                    yield address, pages.picture(layer, channel)
        started, busy = time.monotonic(), time.process_time()
        with self._progress.stage(f"{self.section.name}: pages", self._plan.count) as task:
            for layer, units in self._plan.units.items():
                data = []
                for unit in units:
                    page = self._page(pages, layer, unit)
                    yield pages.addresses.page(layer, unit), render_unit(page, self.title, site).encode()
                    data.append(_data(page))
                    task.advance(1)
                yield f"{pages.addresses.folder(layer)}/units.json", json.dumps(data, separators=(",", ":")).encode()
        explorer = Explorer(
            self.section.name,
            self.title,
            self._worker.architecture.title,
            self._worker.source.identity.trained,
            tuple(pages.sheet(layer) for layer in self._plan.units),
            self.section.visualization.size,
            tuple(self.failures.items()),
        )
        yield "index.html", render_explorer(explorer, site, alone).encode()
        self.seconds.update({"pages": time.monotonic() - started, "pages, processor": time.process_time() - busy})

    def _page(self, pages: Pages, layer: str, unit: int) -> UnitPage:
        """A unit's page; where it can't be made, one that says so."""
        try:
            return pages.page(layer, unit)
        except Exception as error:
            logger.debug("the page of %s:%d failed", layer, unit, exc_info=True)
            reason = f"its page can't be made ({type(error).__name__}: {' '.join(str(error).split())[:300]})"
        self.failures[f"{layer}:{unit}"] = reason
        return pages.failed(layer, unit, reason)


def _shared_files(*names: str) -> Iterator[tuple[str, bytes]]:
    """What light pages load: style and script, with those of `names`."""
    shared = SharedFiles.load(*names)
    yield f"{ASSETS}/light.css", shared.style.encode()
    yield f"{ASSETS}/light.js", shared.script.encode()


def _data(page: UnitPage) -> dict[str, object]:
    """A unit's figures for those who compute with them."""
    if page.failure:
        return {"unit": page.tile.unit, "failure": page.failure}
    assert page.reached is not None and page.photo_best is not None
    readers = sorted((*page.excited, *page.inhibited), key=lambda reader: -reader.slice.share.value)
    return {
        "unit": page.tile.unit,
        "picture": page.tile.verdict,
        "reached": page.reached.value,
        "photo_best": page.photo_best.value,
        **{name: None if figure is None else figure.value for name, figure in page.figures.items()},
        "inputs": [
            {"name": input.label, "norm": input.slice.norm.value, "contribution": input.slice.contribution.value}
            for input in page.inputs
            if isinstance(input.slice, SliceFigures)
        ],
        "outputs": [{"name": reader.label, "share": reader.slice.share.value} for reader in readers],
    }


class NoSuchLayer(VizengineError):
    """No network of the config has the layer."""


@dataclass(frozen=True)
class Surveyed:
    """A layer of one of the config's networks.

    Attributes:
        layer: its name.
        config: the config with one sweep in it, of all units of the layer.
        name: that sweep's, and the folder of its contact sheet.
        circuits: names of the circuits whose network it is; the first gave photos and settings.
        architecture: the network's layers.
    """

    layer: str
    config: Config
    name: str
    circuits: tuple[str, ...]
    architecture: Architecture


def surveyed(config: Config, layer: str, only: Sequence[str] = ()) -> tuple[Surveyed, ...]:
    """The networks that have a layer, each once, in the order of the config.

    Args:
        config: the config.
        layer: a conv layer.
        only: names of the circuits to look at; all where empty.

    Raises:
        NoSuchLayer: none has it; with the nearest names of each.
    """
    names: dict[str, list[str]] = {}
    for section in config.circuits:
        if not only or section.name in only:
            names.setdefault(_network_of(section.network.model_dump(mode="json")), []).append(section.name)
    layers: list[Surveyed] = []
    without: list[str] = []
    for circuits in names.values():
        first = next(section for section in config.circuits if section.name == circuits[0])
        try:
            source = open_source(first.network, (), config.folder, Cache(config.folder / CACHE_FOLDER))
            architecture = source.structure
        except WeightsUnavailable as error:
            without.append(f"{first.name}: {error}")
            continue
        if problem := _problem(architecture, layer):
            without.append(problem)
            continue
        name = _name(first.network.model, layer, [surveyed.name for surveyed in layers])
        section = SweepSection(
            name=name,
            network=first.network,
            unit=UnitsSection.model_validate({"layer": layer, "index": ALL}),
            inputs=1,
            photos=first.photos,
            visualization=first.visualization,
        )
        alone = config.model_copy(update={"circuits": (section,)})
        layers.append(Surveyed(layer, alone, name, tuple(circuits), architecture))
    if not layers:
        raise NoSuchLayer(f"--survey {layer}: {' '.join(without)}")
    return tuple(layers)


def _network_of(section: dict[str, object]) -> str:
    """What makes two circuits' networks the same."""
    return repr({name: value for name, value in section.items() if name not in ("why", "labels")})


def _name(model: str, layer: str, taken: Sequence[str]) -> str:
    name = f"{plain(Path(model).name)}-{plain(layer)}".replace(".", "-").replace("_", "-")[:76]
    number = 1
    while (name if number == 1 else f"{name}-{number}") in taken:
        number += 1
    return name if number == 1 else f"{name}-{number}"


def _problem(architecture: Architecture, layer: str) -> str:
    """Why a layer can't be surveyed; empty where it can."""
    if layer in [conv.name for conv in architecture.conv_layers]:
        try:
            architecture.source_channels(layer)
        except Untraceable as error:
            return str(error)
        return ""
    near = nearest_layers(layer, readable_layers(architecture), 3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"expected {expected_layers(architecture)}."
    return f"{no_such_layer(layer, architecture)}; {hint}"


_CIRCUIT = "circuit.json"


def site_pages(
    config: Config, sections: tuple[str, ...], layer: str, architecture: Architecture, site: Path
) -> dict[int, Path]:
    """Pages that are there, by unit; where a unit has several, that of a single circuit comes first.

    Args:
        config: the config.
        sections: names of the circuits whose network it is.
        layer: the layer.
        architecture: of the network.
        site: the site's folder.
    """
    pages: dict[int, Path] = {}
    alone = len(config.circuits) == 1
    for section in config.circuits:
        if section.name not in sections:
            continue
        folder = site if alone else site / section.name
        if isinstance(section, CircuitSection):
            if section.unit.layer == layer and _is_of(folder / _CIRCUIT, layer, section.unit.index):
                pages[section.unit.index] = folder / "index.html"
        else:
            for unit, page in _light_pages(architecture, layer, folder):
                pages.setdefault(unit, page)
    return pages


def _is_of(data: Path, layer: str, unit: int) -> bool:
    """Whether the page beside a `circuit.json` is that of the unit, and not of one that stood in the config before."""
    try:
        read = json.loads(data.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(read, dict) and (read.get("layer"), read.get("unit")) == (layer, unit)


def _light_pages(architecture: Architecture, layer: str, folder: Path) -> Iterator[tuple[int, Path]]:
    units = range(architecture.channels(layer))
    addresses = Addresses((spec.name for spec in architecture.layers), {layer: units}, {})
    for unit in units:
        page = folder / addresses.page(layer, unit)
        if page.is_file():
            yield unit, page


# Units whose examples are grouped by one job.
_UNITS_OF_A_JOB = 32


class LayerRun:
    """One layer's survey.

    Args:
        context: of a sweep that has all units of the layer.
        layer: the layer.
        progress: shown to the user.
    """

    def __init__(self, context: SweepContext, layer: str, progress: Progress) -> None:
        self._name = context.name
        self._worker = Worker(context)
        self._layer = layer
        self._progress = progress
        self._runner = JobRunner(context, self._worker, progress)
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
            size = worker.section.visualization.size
            jobs, reasons = runner.pictures(
                [Job("pictures", layer, tuple(batch)) for batch in batches(worker.architecture, layer, sound, size)]
            )
            failures = {unit: reason for (_, unit), reason in reasons.items()} | broken
            runner.log_failures({f"{layer}:{unit}": reason for unit, reason in failures.items()})
        pictures = {unit: job for (_, unit), job in jobs.items()}
        self._sheet = Sheet(worker, layer, pictures, groups, failures, pages, settings)
        self._drawn = self._sheet.sheet()
        return self._drawn

    def files(self, site: SiteReport) -> Iterator[tuple[str, bytes]]:
        """The sheet's files, one after the other: path in its folder and content. After `sheet`.

        Args:
            site: what the config says of the site.
        """
        assert self._sheet is not None and self._drawn is not None
        yield from _shared_files("survey")
        with self._progress.stage(f"{self._name}: the sheet", len(self._drawn.entries)) as task:
            for entry in self._drawn.entries:
                if entry.picture:
                    yield entry.picture, self._sheet.picture(entry.unit)
                    yield entry.examples, self._sheet.examples(entry.unit)
                task.advance(1)
        yield "survey.json", json.dumps(self._drawn.data(), separators=(",", ":")).encode()
        yield "index.html", render_contact_sheet(self._drawn, site).encode()


SURVEY_FOLDER = "survey"
"""What the folder of surveys, beside the config, is called after: no part of the site, which a build replaces whole."""


@dataclass(frozen=True)
class SurveyOutcome:
    """What a survey gave.

    Attributes:
        indices: path of each contact sheet's page.
        failures: units that failed, each with its reason.
    """

    indices: tuple[Path, ...]
    failures: tuple[str, ...]


def estimate_survey(config: Config, layer: str, only: Sequence[str]) -> list[str]:
    """How long the survey of a layer will take, and how much memory and disk, in lines.

    Raises:
        NoSuchLayer: no network of the config has the layer.
        WeightsUnavailable: the weights can't be had.
    """
    from vizengine.layers.estimate import estimate_layer

    processes = config.execution.workers or config.execution.gpus or 1
    lines = []
    for sheet in surveyed(config, layer, only):
        worker = Worker(SweepContext.beside(sheet.config, sheet.name))
        lines += estimate_layer(worker, layer, processes).lines(sheet.name)
    return lines


def survey(
    config: Config,
    layer: str,
    out: Path | None,
    only: Sequence[str],
    fresh: bool,
    progress: Progress,
    scheduler: str | None = None,
    replace: bool = False,
) -> SurveyOutcome:
    """Survey a layer of every network of a config that has it.

    Args:
        config: the config.
        layer: the layer.
        out: folder in which each sheet gets a folder; by default `survey` beside `config.yaml`, and for any other
            config its name with `-survey`.
        only: names of the circuits whose networks to look at; all where empty.
        fresh: whether to compute everything again.
        progress: shown to the user.
        scheduler: address of the Dask scheduler whose workers compute; None for processes on this machine.
        replace: whether to replace a sheet that another config's survey wrote.

    Raises:
        NoSuchLayer: no network of the config has the layer.
        VizengineError: a sheet was not written; one that stood before still stands.
    """
    folder = out or config.folder / config.named(SURVEY_FOLDER)
    layers = surveyed(config, layer, only)
    for surveyed_layer in layers:
        check_target(folder / surveyed_layer.name, config.source, replace)
    indices, failures = [], []
    for surveyed_layer in layers:
        name, target = surveyed_layer.name, folder / surveyed_layer.name
        pages = site_pages(config, surveyed_layer.circuits, layer, surveyed_layer.architecture, config.site_folder)
        addresses = {unit: _address(page, target) for unit, page in pages.items()}
        run = LayerRun(SweepContext.beside(surveyed_layer.config, name, fresh, scheduler), layer, progress)
        sheet = run.sheet({unit: quote(address) for unit, address in addresses.items()}, surveyed_layer.circuits[0])
        with lock(target), progress.stage("writing the survey", None):
            beside = frozenset(addresses.values())
            indices.append(write(target, run.files(site_report(config.site, ())), config.source, replace, beside))
        failures += [f"{name}: {unit}: {reason}" for unit, reason in sheet.failures.items()]
    return SurveyOutcome(tuple(indices), tuple(failures))


def _address(page: Path, folder: Path) -> str:
    """Of a page, from a folder, with slashes."""
    return Path(os.path.relpath(page.resolve(), folder.resolve())).as_posix()
