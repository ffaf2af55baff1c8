"""The survey of a layer: a contact sheet of all its units, in a folder of its own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from vizengine.config.schema import Config
from vizengine.progress import Progress
from vizengine.render.marker import check_target
from vizengine.render.turn import turn
from vizengine.render.writer import write
from vizengine.report.model import SiteReport
from vizengine.sweep.layer_run import LayerRun
from vizengine.sweep.site_pages import site_pages
from vizengine.sweep.surveyed import surveyed
from vizengine.sweep.workshop import Place, Workshop

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
    from vizengine.sweep.estimate import estimate_layer

    processes = config.execution.workers or config.execution.gpus or 1
    lines = []
    for each in surveyed(config, layer, only):
        workshop = Workshop(Place.beside(each.config, each.name))
        lines += estimate_layer(workshop, layer, processes).lines(each.name)
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
    found = surveyed(config, layer, only)
    for each in found:
        check_target(folder / each.name, config.source, replace)
    indices, failures = [], []
    for each in found:
        target = folder / each.name
        pages = site_pages(config, each.circuits, layer, each.architecture, config.site_folder)
        addresses = {unit: _address(page, target) for unit, page in pages.items()}
        run = LayerRun(Place.beside(each.config, each.name, fresh, scheduler), layer, progress)
        sheet = run.sheet({unit: quote(address) for unit, address in addresses.items()}, each.circuits[0])
        with turn(target), progress.stage("writing the survey", None):
            beside = frozenset(addresses.values())
            indices.append(write(target, run.files(_report(config)), config.source, replace, beside))
        failures += [f"{each.name}: {name}: {reason}" for name, reason in sheet.failures.items()]
    return SurveyOutcome(tuple(indices), tuple(failures))


def _address(page: Path, folder: Path) -> str:
    """Of a page, from a folder, with slashes."""
    return Path(os.path.relpath(page.resolve(), folder.resolve())).as_posix()


def _report(config: Config) -> SiteReport:
    return SiteReport(
        title=config.site.title,
        description=config.site.description,
        author=config.site.author,
        url="",
        language=config.site.language,
        circuits=(),
    )
