"""A site from its config: compute each circuit, say in its place why one failed, write all pages at once."""

from __future__ import annotations

import datetime
import json
import logging
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from vizengine.cache import CACHE_FOLDER, Cache
from vizengine.check import check_entry, check_links
from vizengine.circuit import CircuitRun, site_report
from vizengine.config.load import load
from vizengine.config.paths import is_within
from vizengine.config.schema import CircuitSection, Config, SweepSection
from vizengine.errors import BuildFailed, UsageError, VizengineError, WeightsUnavailable
from vizengine.layers.run import SweepRun
from vizengine.layers.workers import SweepContext, Worker
from vizengine.measures.photos import Photos
from vizengine.network.source import open_source
from vizengine.network.weights import MissingWeights
from vizengine.output import Progress, duration
from vizengine.page.render import companions, render_circuit, render_index, render_missing
from vizengine.page.report import KeptNotice, Missing, Report, SweepReport
from vizengine.page.site import check_target, lock, recover, write
from vizengine.runtime import is_shortage
from vizengine.stages import NotComputed


@dataclass(frozen=True)
class Failure:
    """Why there is no page, in words that may be published.

    Attributes:
        reason: what happened, one or more sentences.
        mend: what can be done about it; empty where `reason` says so.
    """

    reason: str
    mend: str

    def __str__(self) -> str:
        return f"{self.reason} {self.mend}".strip()


def failure_of(error: Exception, folder: Path) -> Failure:
    """An error that ended the work on one circuit, in words.

    Args:
        error: the error.
        folder: the config's, which the words leave out, and so does the reader's home: they may be published.
    """
    reason, mend = _words(error)
    return Failure(_without_places(reason, folder), _without_places(mend, folder))


def _words(error: Exception) -> tuple[str, str]:
    if isinstance(error, WeightsUnavailable):
        return error.reason, error.mend
    if isinstance(error, VizengineError):
        return str(error), ""
    if is_shortage(error):
        smaller = "Close other programs, or make `visualization.size` or the photos smaller, and build again."
        return "Memory ran out while it was computed.", smaller
    if isinstance(error, ModuleNotFoundError) and not (error.name or "").startswith("vizengine"):
        return f"The package {error.name} isn’t installed.", "Run `pip install -r requirements.txt`, and build again."
    if isinstance(error, OSError) and error.strerror:
        where = f": {error.filename}" if error.filename else ""
        return f"{error.strerror}{where}.", "Make sure that it can be read and written, and build again."
    words = " ".join(str(error).split())
    what = f"{type(error).__name__}: {words}" if words else type(error).__name__
    return f"Unexpected error: {what}.", "Run again with `-v` for the traceback, and please report it."


def _without_places(text: str, folder: Path) -> str:
    text = text.replace(f"{folder.resolve()}/", "")
    home = os.path.expanduser("~")
    # Where a system gives none, it is `/` or stays `~`.
    return text.replace(home, "~") if len(home) > 1 else text


logger = logging.getLogger(__name__)


def keep(folder: Path, section: CircuitSection, why: Failure) -> tuple[Report, dict[str, object]] | None:
    """The report of the page in `folder` and its side file, where it was made with the same config section.

    Args:
        folder: the page's folder in the site.
        section: the circuit's section today.
        why: why it can't be computed again.
    """
    try:
        report = Report.model_validate_json((folder / "circuit.json").read_bytes())
        side_file = json.loads((folder / "build.json").read_bytes())
        date = datetime.datetime.fromisoformat(side_file["date"]).date()
        # Read by today's schema, so that a setting that is new since then has its default.
        earlier = CircuitSection.model_validate_json(json.dumps(report.config))
    except FileNotFoundError:
        return None
    except (OSError, ValidationError, ValueError, KeyError, TypeError) as problem:
        logger.warning("the earlier page in %s can't be read, so it isn't kept: %s", folder.name, problem)
        return None
    if earlier.model_dump(mode="json") != section.model_dump(mode="json"):
        return None
    notice = KeptNotice(
        date=f"{date.day} {date:%B %Y}",
        reason=why.reason,
        mend=why.mend,
        versions=report.provenance.versions,
        weights_sha256=report.provenance.weights_sha256,
    )
    return report.model_copy(update={"kept": notice}), side_file


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


@dataclass
class Entry:
    """One circuit or sweep, computed or not.

    Attributes:
        section: of the config.
        run: what computed it; None where not even its network could be opened.
        page: what the site's index says of it.
        side_file: what may differ from run to run.
        absent: whether it is optional and could not be computed.
        error: what ended the work on it, or None.
        failure: the same in words.
    """

    section: CircuitSection | SweepSection
    run: CircuitRun | SweepRun | None
    page: Report | Missing | SweepReport
    side_file: dict[str, object] = field(default_factory=dict)
    absent: bool = False
    error: Exception | None = None
    failure: Failure | None = None


def compute_entry(
    config: Config, section: CircuitSection | SweepSection, options: Options, progress: Progress, target: Path
) -> Entry:
    """Compute one circuit or sweep, or say why it isn't there.

    Raises:
        BuildFailed: it is optional and its weights can't be had, under `--strict`.
    """
    may_compute = not options.only or section.name in options.only
    run: CircuitRun | SweepRun | None = None
    started = time.monotonic()
    try:
        if isinstance(section, SweepSection):
            context = SweepContext.beside(config, section.name, options.fresh and may_compute, options.scheduler)
            run = SweepRun(context, progress, may_compute)
        else:
            cache = Cache(config.folder / CACHE_FOLDER, fresh=options.fresh)
            run = CircuitRun(config, section, cache, progress, may_compute)
        page = run.report()
        return Entry(section, run, page, _side_file(run, time.monotonic() - started))
    except NotComputed as error:
        notice = Missing(name=section.name, title=_title(section, run), reason=str(error), mend="Build without --only.")
        return Entry(section, run, notice)
    except WeightsUnavailable as error:
        if not section.optional:
            return _failed(config, section, run, error, target)
        if options.strict:
            raise BuildFailed(f"{section.name}: {error} Under --strict an optional circuit must be there.") from error
        return _optional(config, section, run, error, target)
    # Whatever it is, it must not cost the other circuits their pages.
    except Exception as error:
        return _failed(config, section, run, error, target)


def _title(section: CircuitSection | SweepSection, run: CircuitRun | SweepRun | None) -> str:
    """The heading of a circuit's place; made from the config alone where its network can't be opened."""
    try:
        if run is not None:
            return run.title
    except Exception:
        logger.debug("%s has no title", section.name, exc_info=True)
    return section.title or f"{section.network.model}: {section.name}"


def _failed(
    config: Config,
    section: CircuitSection | SweepSection,
    run: CircuitRun | SweepRun | None,
    error: Exception,
    target: Path,
) -> Entry:
    """What stands in the place of a circuit that failed: the page of an earlier build, or a notice."""
    why = failure_of(error, config.folder)
    logger.info("%s failed, and its place will say why: %s", section.name, why)
    logger.debug("%s failed", section.name, exc_info=error)
    page, side_file = _stand_in(config, section, run, why, target)
    return Entry(section, run, page, side_file, error=error, failure=why)


def _optional(
    config: Config,
    section: CircuitSection | SweepSection,
    run: CircuitRun | SweepRun | None,
    error: WeightsUnavailable,
    target: Path,
) -> Entry:
    """What stands in the place of an optional circuit whose weights can't be had."""
    page, side_file = _stand_in(config, section, run, Failure(error.reason, error.mend), target)
    if isinstance(page, Report) and page.kept is not None:
        logger.warning(
            "%s is kept from an earlier build of %s (weights %s): %s",
            section.name,
            page.kept.date,
            page.kept.weights_sha256[:12],
            error,
        )
    else:
        logger.warning("%s is left out: %s", section.name, error)
    return Entry(section, run, page, side_file, absent=True)


def _stand_in(
    config: Config,
    section: CircuitSection | SweepSection,
    run: CircuitRun | SweepRun | None,
    why: Failure,
    target: Path,
) -> tuple[Report | Missing, dict[str, object]]:
    """The page of an earlier build where `target` has one with the same config section, else a notice."""
    if isinstance(section, CircuitSection):
        kept = keep(target if len(config.circuits) == 1 else target / section.name, section, why)
        if kept is not None:
            return kept
    return Missing(name=section.name, title=_title(section, run), reason=why.reason, mend=why.mend), {}


def insist(entries: Sequence[Entry], options: Options) -> None:
    """Make sure that a site can be written at all.

    Raises:
        BuildFailed: circuits failed, and none was computed or `--strict` was given.
        Exception: what ended the work on all of them, where that is one and the same.
    """
    failed = [entry for entry in entries if entry.failure]
    computed = any(not isinstance(entry.page, Missing) and not entry.absent and not entry.failure for entry in entries)
    if not failed or (computed and not options.strict):
        return
    first = failed[0].error
    if first is not None and len({str(entry.failure) for entry in failed}) == 1 and not computed:
        raise first
    lines = "".join(f"\n  {entry.page.name}: {entry.failure}" for entry in failed)
    strict = "--strict, and " if computed else "nothing was written, since "
    raise BuildFailed(f"{strict}{len(failed)} of {len(entries)} circuits failed:{lines}")


def not_rendered(config: Config, entry: Entry, error: Exception) -> None:
    """Have a notice stand in the place of a circuit whose page can't be rendered."""
    why = failure_of(error, config.folder)
    logger.info("the page of %s failed, and its place will say why: %s", entry.page.name, why)
    logger.debug("%s failed", entry.page.name, exc_info=error)
    entry.error, entry.failure = error, why
    entry.page = Missing(name=entry.page.name, title=entry.page.title, reason=why.reason, mend=why.mend)


def _side_file(run: CircuitRun | SweepRun, seconds: float) -> dict[str, object]:
    """What may differ from run to run: the date, wall-clock times, what was computed and what was cached."""
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
        "seconds_by_stage": rounded(run.seconds),
    }


def rounded(seconds: Mapping[str, float]) -> dict[str, float]:
    """Seconds by stage, to the thousandth."""
    return {stage: round(taken, 3) for stage, taken in seconds.items()}


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
    from vizengine.layers.estimate import estimate as measured

    lines = []
    for section in config.circuits:
        if isinstance(section, SweepSection):
            worker = Worker(SweepContext.beside(config, section.name))
            processes = config.execution.workers or config.execution.gpus or 1
            lines += measured(worker, processes).lines(section.name)
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
    with lock(target):
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
    number = len(set(pages) - absent_pages)
    count = f"{number} {'page' if number == 1 else 'pages'}"
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
    pages = [entry.page for entry in entries]
    site = site_report(config.site, pages, config.site.url or "")
    yield "config.yaml", config.source.read_bytes()
    reports = [entry.page for entry in entries if isinstance(entry.page, Report)]
    neighbours = {report.name: (before, after) for report, before, after in _with_neighbours(reports)}
    single = len(entries) == 1 and not isinstance(entries[0].page, Missing)
    for entry in entries:
        folder = "" if single else f"{entry.page.name}/"
        try:
            if isinstance(entry.page, Report):
                # Rendered as a whole first: a page that can't be leaves nothing of itself.
                page = {"index.html": render_circuit(entry.page, site, *neighbours[entry.page.name]).encode()}
                for name, content in {**page, **companions(entry.page, site)}.items():
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
        pages = [_last_words(entry) for entry in entries]
        yield "index.html", render_index(site_report(config.site, pages, config.site.url or "")).encode()


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
