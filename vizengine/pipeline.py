"""The order of the stages, from a config to a site; the only file that knows it."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vizengine.cache import CACHE_FOLDER, Cache
from vizengine.check import check_entry
from vizengine.check_links import check_links
from vizengine.config.load import load
from vizengine.config.places import is_within
from vizengine.config.schema import CircuitSection, Config, SweepSection
from vizengine.entries import Entry, Options, compute_entry, insist, not_rendered, rounded
from vizengine.errors import BuildFailed, UsageError
from vizengine.evidence.photos import Photos
from vizengine.networks.source import open_source
from vizengine.networks.weights import MissingWeights
from vizengine.progress import Progress, duration
from vizengine.render.marker import check_target
from vizengine.render.page import companions, render_circuit, render_index, render_missing
from vizengine.render.turn import turn
from vizengine.render.writer import recover, write
from vizengine.report.model import Missing, Report, SiteReport, SweepReport
from vizengine.sweep.run import SweepRun
from vizengine.sweep.workshop import Place, Workshop

logger = logging.getLogger(__name__)

__all__ = ["Options", "Outcome", "build", "check", "estimate", "missing_weights", "tell_of_photos"]


@dataclass(frozen=True)
class Outcome:
    """What a build gave.

    Attributes:
        index: path of the site's first page.
        warnings: every warning that was logged.
        missing: names of optional circuits that could not be computed.
        failures: units of sweeps that failed, each with its reason.
        failed: circuits and sweeps that failed, each with its reason.
    """

    index: Path
    warnings: tuple[str, ...]
    missing: tuple[str, ...]
    failures: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


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
    return load(config_path, (partial(check_entry, confined=confined),), confined, (check_links,))


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

    A circuit that fails costs the others nothing: its place says why.

    Raises:
        VizengineError: nothing was written; the site that stood before still stands.
        Exception: no circuit could be computed, and this is why; the site that stood before still stands.
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
            entries.append(compute_entry(config, section, options, progress, target))
        insist(entries, options)
        if options.strict and warnings:
            raise BuildFailed(f"--strict makes warnings errors, and there was: {'; '.join(warnings)}")
        with progress.stage("writing the site", None):
            files = _noting_pages(_files(config, entries, options), pages)
            write(target, files, config.source, options.replace)
    failures = [
        f"{run.section.name}: {unit}: {reason}"
        for entry in entries
        for run in [entry.run]
        if isinstance(run, SweepRun) and not entry.failure
        for unit, reason in run.failures.items()
    ]
    absent = tuple(entry.page.name for entry in entries if entry.absent)
    for entry in entries:
        if verdicts := _verdicts(entry):
            logger.info("%s: %s", entry.page.name, verdicts)
    # A page in the place of one that isn't there is none.
    absent_pages = {f"{entry.page.name}/index.html" for entry in entries if isinstance(entry.page, Missing)}
    made = len(set(pages) - absent_pages)
    count = f"{made} {'page' if made == 1 else 'pages'}"
    logger.info("%s in %s; open %s", count, duration(time.monotonic() - started), target / "index.html")
    failed = tuple(f"{entry.page.name}: {entry.failure}" for entry in entries if entry.failure)
    return Outcome(target / "index.html", tuple(warnings), absent, tuple(failures), failed)


def _noting_pages(files: Iterable[tuple[str, bytes | None]], pages: list[str]) -> Iterator[tuple[str, bytes | None]]:
    """The files as they are; `pages` gets the names of those that are pages."""
    for name, content in files:
        if content is None:
            pages[:] = [page for page in pages if not page.startswith(f"{name}/")]
        elif name.endswith(".html"):
            pages.append(name)
        yield name, content


def _verdicts(entry: Entry) -> str:
    """How the claims of a circuit came out, or how many units of a sweep have a page; empty where there is neither."""
    if isinstance(entry.run, SweepRun) and isinstance(entry.page, SweepReport):
        failed = f", {len(entry.run.failures)} failed" if entry.run.failures else ""
        return f"{entry.page.units} units{failed}"
    tally = entry.page.evidence.tally if isinstance(entry.page, Report) else None
    counts = {name: getattr(tally, name) for name in ("supported", "contradicted", "undecided")} if tally else {}
    return ", ".join(f"{count.text} {name}" for name, count in counts.items() if count.value)


def _files(config: Config, entries: Sequence[Entry], options: Options) -> Iterator[tuple[str, bytes | None]]:
    """Every file of the site with its path in it, one after the other; nothing takes a folder back.

    Raises:
        BuildFailed, Exception: as `_insist` does, where pages can't be rendered.
    """
    site = _site(config, entries)
    yield "config.yaml", config.source.read_bytes()
    reports = [entry.page for entry in entries if isinstance(entry.page, Report)]
    neighbours = {report.name: (before, after) for report, before, after in _with_neighbours(reports)}
    single = len(entries) == 1 and not isinstance(entries[0].page, Missing)
    for entry in entries:
        folder = "" if single else f"{entry.page.name}/"
        try:
            if isinstance(entry.page, Report):
                # Rendered as a whole first: a page that can't be leaves nothing of itself.
                pages = {"index.html": render_circuit(entry.page, site, *neighbours[entry.page.name]).encode()}
                for name, content in {**pages, **companions(entry.page, site)}.items():
                    yield f"{folder}{name}", content
            elif isinstance(entry.run, SweepRun) and isinstance(entry.page, SweepReport):
                for name, content in entry.run.files(site, single):
                    yield f"{folder}{name}", content
                entry.side_file["seconds_by_stage"] = rounded(entry.run.seconds)
        except Exception as error:
            not_rendered(config, entry, error)
            insist(entries, options)
            yield folder.rstrip("/"), None
        if isinstance(entry.page, Missing):
            # A page even so: others may link to it.
            yield f"{folder}index.html", render_missing(entry.page, site).encode()
        if not isinstance(entry.page, Missing):
            yield f"{folder}build.json", json.dumps(entry.side_file, indent=1).encode()
    if not single:
        # Last, when it is known which circuits and units failed.
        site = _site(config, entries).model_copy(update={"circuits": tuple(_last_words(entry) for entry in entries)})
        yield "index.html", render_index(site).encode()


def _site(config: Config, entries: Sequence[Entry]) -> SiteReport:
    return SiteReport(
        title=config.site.title,
        description=config.site.description,
        author=config.site.author,
        url=config.site.url or "",
        language=config.site.language,
        circuits=tuple(entry.page for entry in entries),
    )


def _last_words(entry: Entry) -> Report | Missing | SweepReport:
    if isinstance(entry.run, SweepRun) and isinstance(entry.page, SweepReport):
        return entry.page.model_copy(update={"failures": len(entry.run.failures)})
    return entry.page


def _with_neighbours(reports: list[Report]) -> Iterable[tuple[Report, Report | None, Report | None]]:
    framed = [None, *reports, None]
    return zip(reports, framed, framed[2:], strict=False)


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
