"""Surveys of a layer, of every network of a config that has it."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from vizengine.cache import CACHE_FOLDER, Cache
from vizengine.circuit import site_report
from vizengine.config.schema import ALL, CircuitSection, Config, SweepSection, UnitsSection
from vizengine.errors import VizengineError, WeightsUnavailable
from vizengine.layers.contact_sheet import LayerRun
from vizengine.layers.estimate import estimate_layer
from vizengine.layers.pages import layer_folders, plain, unused
from vizengine.layers.workers import SweepContext, Worker
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
from vizengine.page.site import check_target, lock, write

logger = logging.getLogger(__name__)


class NoSuchLayer(VizengineError):
    """No network of the config has the layer."""


@dataclass(frozen=True)
class Surveyed:
    """A network of a config whose layer is surveyed.

    Attributes:
        config: the config with one sweep in it, of all units of the layer.
        name: that sweep's, and the folder of its contact sheet.
        circuits: names of the circuits whose network it is; the first gave photos and settings.
    """

    config: Config
    name: str
    circuits: tuple[str, ...]
    architecture: Architecture


def surveyed(config: Config, layer: str, only: Sequence[str] = ()) -> tuple[Surveyed, ...]:
    """The networks that have a conv layer, each once, in the order of the config.

    Args:
        only: names of the circuits to look at; all where empty.

    Raises:
        NoSuchLayer: none has it; with the nearest names of each.
    """
    networks: dict[str, list[CircuitSection | SweepSection]] = {}
    for section in config.circuits:
        if not only or section.name in only:
            # What makes two circuits' networks the same.
            network = repr(section.network.model_dump(mode="json", exclude={"why", "labels"}))
            networks.setdefault(network, []).append(section)
    layers: list[Surveyed] = []
    without: list[str] = []
    for first, *others in networks.values():
        try:
            source = open_source(first.network, (), config.folder, Cache(config.folder / CACHE_FOLDER))
            architecture = source.structure
        except WeightsUnavailable as error:
            without.append(f"{first.name}: {error}")
            continue
        if problem := _problem(architecture, layer):
            without.append(problem)
            continue
        name = f"{plain(Path(first.network.model).name)}-{plain(layer)}".replace(".", "-").replace("_", "-")[:76]
        section = SweepSection(
            name=unused(name, [network.name for network in layers]),
            network=first.network,
            unit=UnitsSection.model_validate({"layer": layer, "index": ALL}),
            inputs=1,
            photos=first.photos,
            visualization=first.visualization,
        )
        names = tuple(circuit.name for circuit in (first, *others))
        alone = config.model_copy(update={"circuits": (section,)})
        layers.append(Surveyed(alone, section.name, names, architecture))
    if not layers:
        raise NoSuchLayer(f"--survey {layer}: {' '.join(without)}")
    return tuple(layers)


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


def _site_pages(config: Config, network: Surveyed, layer: str) -> dict[int, Path]:
    """Pages of a layer's units that are there; where a unit has several, that of a single circuit comes first."""
    pages: dict[int, Path] = {}
    alone = len(config.circuits) == 1
    for section in config.circuits:
        if section.name not in network.circuits:
            continue
        folder = config.site_folder if alone else config.site_folder / section.name
        if isinstance(section, CircuitSection):
            if section.unit.layer == layer and _is_of(folder / "circuit.json", layer, section.unit.index):
                pages[section.unit.index] = folder / "index.html"
        else:
            for unit in range(network.architecture.channels(layer)):
                page = folder / layer_folders(network.architecture)[layer] / f"{unit}.html"
                if page.is_file():
                    pages.setdefault(unit, page)
    return pages


def _is_of(data: Path, layer: str, unit: int) -> bool:
    """Whether the page beside a `circuit.json` is that of the unit, and not of one that stood in the config before."""
    try:
        read = json.loads(data.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(read, dict) and (read.get("layer"), read.get("unit")) == (layer, unit)


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
    lines = []
    for network in surveyed(config, layer, only):
        lines += estimate_layer(Worker(SweepContext.beside(network.config, network.name)), layer)
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
        out: folder in which each sheet gets a folder; by default `survey` beside `config.yaml`, and for any other
            config its name with `-survey`.
        only: names of the circuits whose networks to look at; all where empty.
        fresh: whether to compute everything again.
        scheduler: address of the Dask scheduler whose workers compute; None for processes on this machine.
        replace: whether to replace a sheet that another config's survey wrote.

    Raises:
        NoSuchLayer: no network of the config has the layer.
        VizengineError: a sheet was not written; one that stood before still stands.
    """
    folder = out or config.folder / config.named(SURVEY_FOLDER)
    networks = surveyed(config, layer, only)
    for network in networks:
        check_target(folder / network.name, config.source, replace)
    indices, failures = [], []
    for network in networks:
        target = folder / network.name
        # Of each page from the sheet's folder, with slashes.
        addresses = {
            unit: Path(os.path.relpath(page.resolve(), target.resolve())).as_posix()
            for unit, page in _site_pages(config, network, layer).items()
        }
        context = SweepContext.beside(network.config, network.name, fresh, scheduler)
        quoted = {unit: quote(address) for unit, address in addresses.items()}
        run = LayerRun(context, layer, quoted, network.circuits[0], progress)
        run.compute()
        with lock(target), progress.stage("writing the survey", None):
            beside = frozenset(addresses.values())
            indices.append(write(target, run.files(site_report(config.site, ())), config.source, replace, beside))
        failures += [f"{network.name}: {unit}: {reason}" for unit, reason in run.failures.items()]
    return SurveyOutcome(tuple(indices), tuple(failures))
