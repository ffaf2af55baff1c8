"""The order of the stages, from a config to a site; the only file that knows it."""

from __future__ import annotations

import datetime
import json
import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vizengine.cache import CACHE_FOLDER, Cache
from vizengine.check import check_entry
from vizengine.compute import CircuitRun
from vizengine.config.load import load
from vizengine.config.places import is_within
from vizengine.config.schema import CircuitSection, Config, SweepSection
from vizengine.errors import BuildFailed, UsageError, WeightsUnavailable
from vizengine.evidence.photos import Photos
from vizengine.kept import keep
from vizengine.networks.source import open_source
from vizengine.networks.weights import MissingWeights
from vizengine.progress import Progress, duration
from vizengine.render.marker import check_target
from vizengine.render.page import companions, render_circuit, render_index
from vizengine.render.turn import turn
from vizengine.render.writer import recover, write
from vizengine.report.model import Missing, Report, SiteReport, SweepReport
from vizengine.resources import NotComputed
from vizengine.sweep.run import SweepRun
from vizengine.sweep.workshop import Place, Workshop

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """What the command line adds to the config.

    Attributes:
        out: folder of the site, or None for the config's.
        only: names of the circuits to compute; all where empty.
        strict: whether a warning, or an optional circuit that can't be computed, fails the build.
        fresh: whether to compute everything again.
        scheduler: address of the Dask scheduler whose workers compute sweeps; None for processes on this machine.
        replace: whether to replace a site that another config made.
    """

    out: Path | None = None
    only: tuple[str, ...] = ()
    strict: bool = False
    fresh: bool = False
    scheduler: str | None = None
    replace: bool = False


@dataclass(frozen=True)
class Outcome:
    """What a build gave.

    Attributes:
        index: path of the site's first page.
        warnings: every warning that was logged.
        missing: names of circuits that could not be computed.
        failures: units of sweeps that failed, each with its reason.
    """

    index: Path
    warnings: tuple[str, ...]
    missing: tuple[str, ...]
    failures: tuple[str, ...] = ()


def check(config_path: Path, confined: bool = False) -> Config:
    """Read a config and check all that can be known without computing.

    Args:
        config_path: the config.
        confined: whether it may name nothing outside its folder, nor code that runs.

    Raises:
        ConfigError: with every problem.
        UsageError: results would be kept outside its folder in spite of `confined`.
    """
    # The check itself keeps in the cache what it reads of a network.
    if confined and not is_within(config_path.parent / CACHE_FOLDER, config_path.parent):
        raise UsageError(f"--confined: {CACHE_FOLDER} is a link that leads out of the config's folder; remove it")
    return load(config_path, (partial(check_entry, confined=confined),), confined)


def tell_of_photos(config: Config) -> None:
    """Say which folders outside the config's give pictures to its pages."""
    places = {Photos(section.photos, config.folder).outside for section in config.circuits}
    for place in sorted(filter(None, places)):
        logger.info("pictures from %s, which lies outside the config's folder, are on the pages", place)


def missing_weights(config: Config) -> list[tuple[CircuitSection | SweepSection, MissingWeights]]:
    """The circuits whose weights aren't on this machine, told without reading or downloading any."""
    cache = Cache(config.folder / CACHE_FOLDER)
    missing = (
        (section, open_source(section.network, (), config.folder, cache).missing_weights) for section in config.circuits
    )
    return [(section, weights) for section, weights in missing if weights is not None]


def estimate(config: Config) -> list[str]:
    """How long the config's sweeps will take, and how much memory and disk, in lines.

    Raises:
        WeightsUnavailable: a sweep's weights can't be had.
    """
    from vizengine.sweep.estimate import estimate as measured

    lines = []
    for section in config.circuits:
        if isinstance(section, SweepSection):
            workshop = Workshop(Place.beside(config, section.name))
            processes = config.execution.workers or config.execution.gpus or 1
            lines += measured(workshop, processes).lines(section.name)
        else:
            lines.append(f"{section.name}: one circuit; only sweeps are estimated")
    return lines


def build(config: Config, options: Options, progress: Progress) -> Outcome:
    """Compute every circuit that isn't cached, and write the site.

    Raises:
        VizengineError: nothing was written; the site that stood before still stands.
    """
    target = options.out or config.site_folder
    with turn(target):
        return _build(config, options, progress, target)


def _build(config: Config, options: Options, progress: Progress, target: Path) -> Outcome:
    # Before any page of it is kept: a run that was killed while it swapped sites left the old one beside its place.
    recover(target)
    started = time.monotonic()
    pages: list[str] = []
    check_target(target, config.source, options.replace)
    with _collected_warnings() as warnings:
        entries = []
        for number, section in enumerate(config.circuits, start=1):
            if len(config.circuits) > 1:
                logger.info("%s: circuit %d of %d", section.name, number, len(config.circuits))
            entries.append(_entry(config, section, options, progress, target))
        if options.strict and warnings:
            raise BuildFailed(f"--strict makes warnings errors, and there was: {'; '.join(warnings)}")
        with progress.stage("writing the site", None):
            write(target, _noting_pages(_files(config, entries), pages), config.source, options.replace)
    failures = [
        f"{run.section.name}: {unit}: {reason}"
        for run in (entry.run for entry in entries)
        if isinstance(run, SweepRun)
        for unit, reason in run.failures.items()
    ]
    absent = tuple(entry.page.name for entry in entries if entry.absent)
    for entry in entries:
        if verdicts := _verdicts(entry):
            logger.info("%s: %s", entry.page.name, verdicts)
    count = f"{len(pages)} {'page' if len(pages) == 1 else 'pages'}"
    logger.info("%s in %s; open %s", count, duration(time.monotonic() - started), target / "index.html")
    return Outcome(target / "index.html", tuple(warnings), absent, tuple(failures))


def _noting_pages(files: Iterable[tuple[str, bytes]], pages: list[str]) -> Iterator[tuple[str, bytes]]:
    """The files as they are; `pages` gets the names of those that are pages."""
    for name, content in files:
        if name.endswith(".html"):
            pages.append(name)
        yield name, content


def _verdicts(entry: _Entry) -> str:
    """How the claims of a circuit came out, or how many units of a sweep have a page; empty where there is neither."""
    if isinstance(entry.run, SweepRun) and isinstance(entry.page, SweepReport):
        failed = f", {len(entry.run.failures)} failed" if entry.run.failures else ""
        return f"{entry.page.units} units{failed}"
    tally = entry.page.evidence.tally if isinstance(entry.page, Report) else None
    counts = {name: getattr(tally, name) for name in ("supported", "contradicted", "undecided")} if tally else {}
    return ", ".join(f"{count.text} {name}" for name, count in counts.items() if count.value)


@dataclass
class _Entry:
    """One circuit or sweep, computed or not.

    Attributes:
        run: what computed it.
        page: what the site's index says of it.
        side_file: what may differ from run to run.
        absent: whether it could not be computed, though it should have been.
    """

    run: CircuitRun | SweepRun
    page: Report | Missing | SweepReport
    side_file: dict[str, object]
    absent: bool = False


def _entry(
    config: Config, section: CircuitSection | SweepSection, options: Options, progress: Progress, target: Path
) -> _Entry:
    """Compute one circuit or sweep, or say why it isn't there.

    Raises:
        WeightsUnavailable: it isn't optional.
        BuildFailed: it is, under `--strict`.
    """
    may_compute = not options.only or section.name in options.only
    run: CircuitRun | SweepRun
    if isinstance(section, SweepSection):
        place = Place.beside(config, section.name, options.fresh and may_compute, options.scheduler)
        run = SweepRun(section, place, progress, may_compute)
    else:
        cache = Cache(config.folder / CACHE_FOLDER, fresh=options.fresh)
        run = CircuitRun(config, section, cache, progress, may_compute)
    started = time.monotonic()
    try:
        page = run.report()
        return _Entry(run, page, _side_file(run, time.monotonic() - started))
    except WeightsUnavailable as error:
        if not section.optional:
            raise
        if options.strict:
            raise BuildFailed(f"{section.name}: {error} Under --strict an optional circuit must be there.") from error
        return _stand_in(target, run, error)
    except NotComputed as error:
        return _Entry(
            run, Missing(name=section.name, title=run.title, reason=str(error), mend="Build without --only."), {}
        )


def _stand_in(target: Path, run: CircuitRun | SweepRun, error: WeightsUnavailable) -> _Entry:
    """The page of an earlier build where `target` has one with the same config section, else a notice."""
    kept = None
    if isinstance(run, CircuitRun):
        kept = keep(target if run.is_only_circuit else target / run.section.name, run.section, error)
    if kept is None:
        logger.warning("%s is left out: %s", run.section.name, error)
        notice = Missing(name=run.section.name, title=run.title, reason=error.reason, mend=error.mend)
        return _Entry(run, notice, {}, absent=True)
    report, side_file = kept
    assert report.kept is not None
    logger.warning(
        "%s is kept from an earlier build of %s (weights %s): %s",
        run.section.name,
        report.kept.date,
        report.kept.weights_sha256[:12],
        error,
    )
    return _Entry(run, report, side_file, absent=True)


def _files(config: Config, entries: Sequence[_Entry]) -> Iterator[tuple[str, bytes]]:
    """Every file of the site with its path in it, one after the other."""
    site = SiteReport(
        title=config.site.title,
        description=config.site.description,
        author=config.site.author,
        url=config.site.url or "",
        language=config.site.language,
        circuits=tuple(entry.page for entry in entries),
    )
    yield "config.yaml", config.source.read_bytes()
    reports = [entry.page for entry in entries if isinstance(entry.page, Report)]
    neighbours = {report.name: (before, after) for report, before, after in _with_neighbours(reports)}
    single = len(entries) == 1 and not isinstance(entries[0].page, Missing)
    for entry in entries:
        folder = "" if single else f"{entry.page.name}/"
        if isinstance(entry.page, Report):
            yield f"{folder}index.html", render_circuit(entry.page, site, *neighbours[entry.page.name]).encode()
            for name, content in companions(entry.page, site).items():
                yield f"{folder}{name}", content
        elif isinstance(entry.run, SweepRun) and isinstance(entry.page, SweepReport):
            for name, content in entry.run.files(site, single):
                yield f"{folder}{name}", content
            entry.side_file["seconds_by_stage"] = _rounded(entry.run.seconds)
        if not isinstance(entry.page, Missing):
            yield f"{folder}build.json", json.dumps(entry.side_file, indent=1).encode()
    if not single:
        # Last, when it is known which units failed.
        site = site.model_copy(update={"circuits": tuple(_last_words(entry) for entry in entries)})
        yield "index.html", render_index(site).encode()


def _last_words(entry: _Entry) -> Report | Missing | SweepReport:
    if isinstance(entry.run, SweepRun) and isinstance(entry.page, SweepReport):
        return entry.page.model_copy(update={"failures": len(entry.run.failures)})
    return entry.page


def _with_neighbours(reports: list[Report]) -> Iterable[tuple[Report, Report | None, Report | None]]:
    framed = [None, *reports, None]
    return zip(reports, framed, framed[2:], strict=False)


def _side_file(run: CircuitRun | SweepRun, seconds: float) -> dict[str, object]:
    """What may differ from run to run: the date, wall-clock times, what was computed and what was cached."""
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
        "seconds_by_stage": _rounded(run.seconds),
    }


def _rounded(seconds: Mapping[str, float]) -> dict[str, float]:
    return {stage: round(each, 3) for stage, each in seconds.items()}


@contextmanager
def _collected_warnings() -> Iterator[list[str]]:
    """The messages of all warnings that this package logs meanwhile."""
    messages: list[str] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.append(record.getMessage())

    handler = Collect(logging.WARNING)
    root = logging.getLogger("vizengine")
    root.addHandler(handler)
    try:
        yield messages
    finally:
        root.removeHandler(handler)
