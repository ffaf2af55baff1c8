"""A site from its config: compute each circuit, say in its place why one failed, write all pages at once."""

from __future__ import annotations

import datetime
import json
import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from vizengine.cache import CACHE_FOLDER, Cache
from vizengine.circuit import CircuitRun, site_report
from vizengine.config.schema import CircuitSection, Config, SweepSection
from vizengine.errors import BuildFailed, Unavailable, VizengineError
from vizengine.layers.estimate import estimate as estimate_sweep
from vizengine.layers.pages import SweepRun
from vizengine.layers.workers import SweepContext, Worker
from vizengine.output import Progress, duration
from vizengine.page.render import companions, render_circuit, render_index, render_missing
from vizengine.page.report import KeptNotice, Missing, Report, SweepReport
from vizengine.page.site import check_target, lock, recover, write
from vizengine.runtime import is_shortage
from vizengine.stages import NotComputed

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failure:
    """Why there is no page, in words that may be published, and what can be done about it, perhaps nothing."""

    reason: str
    mend: str

    def __str__(self) -> str:
        return f"{self.reason} {self.mend}".strip()


def failure_of(error: Exception, folder: Path) -> Failure:
    """An error that ended the work on one circuit, in words without the config's folder and the reader's home."""

    def without_places(text: str) -> str:
        text = text.replace(f"{folder.resolve()}/", "")
        home = os.path.expanduser("~")
        # Where a system gives none, it is `/` or stays `~`.
        return text.replace(home, "~") if len(home) > 1 else text

    reason, mend = _words(error)
    return Failure(without_places(reason), without_places(mend))


def _words(error: Exception) -> tuple[str, str]:
    if isinstance(error, Unavailable):
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


def keep(folder: Path, section: CircuitSection, why: Failure) -> tuple[Report, dict[str, object]] | None:
    """The report of the page in `folder` and its side file, where it was made with the same config section."""
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
    """What the command line adds to the config; its `--help` says what each is for."""

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
        page: what the site's index says of it.
        run: what computed it; None where not even its network could be opened.
        side_file: what may differ from run to run.
        absent: whether it is optional and could not be computed.
        error: what ended the work on it; `failure` is the same in words, and None where it is optional.
    """

    section: CircuitSection | SweepSection
    page: Report | Missing | SweepReport
    run: CircuitRun | SweepRun | None = None
    side_file: dict[str, object] = field(default_factory=dict)
    absent: bool = False
    error: Exception | None = None
    failure: Failure | None = None

    @property
    def name(self) -> str:
        return self.section.name


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
    failures: tuple[str, ...]
    failed: tuple[str, ...]


def estimate(config: Config) -> list[str]:
    """How long the config's sweeps will take, and how much memory and disk, in lines.

    Raises:
        Unavailable: a sweep's weights or photos can't be had.
    """
    lines = []
    for section in config.circuits:
        if isinstance(section, SweepSection):
            lines += estimate_sweep(Worker(SweepContext.beside(config, section.name)))
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
        return _Build(config, options, progress, target).outcome()


class _Build:
    def __init__(self, config: Config, options: Options, progress: Progress, target: Path) -> None:
        self.config, self.options, self.progress, self.target = config, options, progress, target
        self.entries: list[Entry] = []
        self.pages: list[str] = []
        """Names of the pages that were written."""

    def outcome(self) -> Outcome:
        """Compute all circuits and write the site."""
        config, options, target = self.config, self.options, self.target
        # Before any page of it is kept: a run that was killed while it swapped sites left the old one beside its place.
        recover(target)
        started = time.monotonic()
        check_target(target, config.source, options.replace)
        with _collected_warnings() as warnings:
            for number, section in enumerate(config.circuits, start=1):
                if len(config.circuits) > 1:
                    logger.info("%s: circuit %d of %d", section.name, number, len(config.circuits))
                self.entries.append(self._compute(section))
            self._insist()
            if options.strict and warnings:
                raise BuildFailed(f"--strict makes warnings errors, and there was: {'; '.join(warnings)}")
            with self.progress.stage("writing the site", None):
                write(target, self._noting_pages(), config.source, options.replace)
        failures = []
        for entry in self.entries:
            if isinstance(entry.run, SweepRun) and not entry.failure:
                failures += [f"{entry.name}: {unit}: {reason}" for unit, reason in entry.run.failures.items()]
            if verdicts := _verdicts(entry):
                logger.info("%s: %s", entry.name, verdicts)
        # A page in the place of one that isn't there is none.
        absent_pages = {f"{entry.name}/index.html" for entry in self.entries if isinstance(entry.page, Missing)}
        number = len(set(self.pages) - absent_pages)
        count = f"{number} {'page' if number == 1 else 'pages'}"
        logger.info("%s in %s; open %s", count, duration(time.monotonic() - started), target / "index.html")
        return Outcome(
            target / "index.html",
            tuple(warnings),
            missing=tuple(entry.name for entry in self.entries if entry.absent),
            failures=tuple(failures),
            failed=tuple(f"{entry.name}: {entry.failure}" for entry in self.entries if entry.failure),
        )

    def _compute(self, section: CircuitSection | SweepSection) -> Entry:
        """Compute one circuit or sweep, or say why it isn't there.

        Raises:
            BuildFailed: it is optional and its weights can't be had, under `--strict`.
        """
        config, options = self.config, self.options
        may_compute = not options.only or section.name in options.only
        run: CircuitRun | SweepRun | None = None
        started = time.monotonic()
        try:
            if isinstance(section, SweepSection):
                context = SweepContext.beside(config, section.name, options.fresh and may_compute, options.scheduler)
                run = SweepRun(context, self.progress, may_compute)
            else:
                cache = Cache(config.folder / CACHE_FOLDER, fresh=options.fresh)
                run = CircuitRun(config, section, cache, self.progress, may_compute)
            page = run.report()
            side_file: dict[str, object] = {
                "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
                "seconds": round(time.monotonic() - started, 3),
                "seconds_by_stage": _rounded(run.seconds),
            }
            return Entry(section, page, run, side_file)
        except NotComputed as error:
            return Entry(section, _missing(section, run, Failure(str(error), "Build without --only.")), run)
        # Whatever it is, it must not cost the other circuits their pages.
        except Exception as error:
            if not isinstance(error, Unavailable) or not section.optional:
                why = failure_of(error, config.folder)
                logger.info("%s failed, and its place will say why: %s", section.name, why)
                logger.debug("%s failed", section.name, exc_info=error)
                stand_in, kept_file = self._stand_in(section, run, why)
                return Entry(section, stand_in, run, kept_file, error=error, failure=why)
            if options.strict:
                message = f"{section.name}: {error} Under --strict an optional circuit must be there."
                raise BuildFailed(message) from error
            stand_in, kept_file = self._stand_in(section, run, Failure(error.reason, error.mend))
            if isinstance(stand_in, Report) and stand_in.kept is not None:
                date, sha256 = stand_in.kept.date, stand_in.kept.weights_sha256[:12]
                notice = "%s is kept from an earlier build of %s (weights %s): %s"
                logger.warning(notice, section.name, date, sha256, error)
            else:
                logger.warning("%s is left out: %s", section.name, error)
            return Entry(section, stand_in, run, kept_file, absent=True)

    def _stand_in(
        self, section: CircuitSection | SweepSection, run: CircuitRun | SweepRun | None, why: Failure
    ) -> tuple[Report | Missing, dict[str, object]]:
        """The page of an earlier build where the site has one with the same config section, else a notice."""
        if isinstance(section, CircuitSection):
            folder = self.target if len(self.config.circuits) == 1 else self.target / section.name
            if kept := keep(folder, section, why):
                return kept
        return _missing(section, run, why), {}

    def _insist(self) -> None:
        """Make sure that a site can be written at all.

        Raises:
            BuildFailed: circuits failed, and none was computed or `--strict` was given.
            Exception: what ended the work on all of them, where that is one and the same.
        """
        failed = [entry for entry in self.entries if entry.failure]
        computed = any(
            not isinstance(entry.page, Missing) and not entry.absent and not entry.failure for entry in self.entries
        )
        if not failed or (computed and not self.options.strict):
            return
        first = failed[0].error
        if first is not None and len({str(entry.failure) for entry in failed}) == 1 and not computed:
            raise first
        lines = "".join(f"\n  {entry.name}: {entry.failure}" for entry in failed)
        strict = "--strict, and " if computed else "nothing was written, since "
        raise BuildFailed(f"{strict}{len(failed)} of {len(self.entries)} circuits failed:{lines}")

    def _noting_pages(self) -> Iterator[tuple[str, bytes | None]]:
        for name, content in self._files():
            if content is None:
                self.pages = [page for page in self.pages if not page.startswith(f"{name}/")]
            elif name.endswith(".html"):
                self.pages.append(name)
            yield name, content

    def _files(self) -> Iterator[tuple[str, bytes | None]]:
        """Every file of the site with its path in it, one after the other; nothing takes a folder back.

        Raises:
            BuildFailed, Exception: as `_insist` does, where pages can't be rendered.
        """
        section, entries = self.config.site, self.entries
        site = site_report(section, [entry.page for entry in entries], section.url or "")
        yield "config.yaml", self.config.source.read_bytes()
        reports = [entry.page for entry in entries if isinstance(entry.page, Report)]
        framed = [None, *reports, None]
        neighbours = {
            report.name: (before, after) for report, before, after in zip(reports, framed, framed[2:], strict=False)
        }
        single = len(entries) == 1 and not isinstance(entries[0].page, Missing)
        for entry in entries:
            folder = "" if single else f"{entry.name}/"
            try:
                if isinstance(entry.page, Report):
                    # Rendered as a whole first: a page that can't be leaves nothing of itself.
                    page = {"index.html": render_circuit(entry.page, site, *neighbours[entry.name]).encode()}
                    for name, content in {**page, **companions(entry.page, site)}.items():
                        yield f"{folder}{name}", content
                elif isinstance(entry.run, SweepRun) and isinstance(entry.page, SweepReport):
                    for name, content in entry.run.files(entry.page, site):
                        yield f"{folder}{name}", content
                    entry.side_file["seconds_by_stage"] = _rounded(entry.run.seconds)
            except Exception as error:
                entry.error, entry.failure = error, failure_of(error, self.config.folder)
                logger.info("the page of %s failed, and its place will say why: %s", entry.name, entry.failure)
                logger.debug("%s failed", entry.name, exc_info=error)
                why = entry.failure
                entry.page = Missing(name=entry.name, title=entry.page.title, reason=why.reason, mend=why.mend)
                self._insist()
                yield folder.rstrip("/"), None
            if isinstance(entry.page, Missing):
                # A page even so: others may link to it.
                yield f"{folder}index.html", render_missing(entry.page, site).encode()
            else:
                yield f"{folder}build.json", json.dumps(entry.side_file, indent=1).encode()
        if not single:
            # Last, when it is known which circuits and units failed.
            for entry in entries:
                if isinstance(entry.run, SweepRun) and isinstance(entry.page, SweepReport):
                    entry.page = entry.page.model_copy(update={"failures": len(entry.run.failures)})
            site = site_report(section, [entry.page for entry in entries], section.url or "")
            yield "index.html", render_index(site).encode()


def _missing(section: CircuitSection | SweepSection, run: CircuitRun | SweepRun | None, why: Failure) -> Missing:
    """A notice; its heading is made from the config alone where the network can't be opened."""
    title = section.title or f"{section.network.model}: {section.name}"
    try:
        title = run.title if run else title
    except Exception:
        logger.debug("%s has no title", section.name, exc_info=True)
    return Missing(name=section.name, title=title, reason=why.reason, mend=why.mend)


def _rounded(seconds: Mapping[str, float]) -> dict[str, float]:
    return {stage: round(taken, 3) for stage, taken in seconds.items()}


def _verdicts(entry: Entry) -> str:
    """How the claims of a circuit came out, or how many units of a sweep have a page; empty where there is neither."""
    if isinstance(entry.run, SweepRun) and isinstance(entry.page, SweepReport):
        failed = f", {len(entry.run.failures)} failed" if entry.run.failures else ""
        return f"{entry.page.units} units{failed}"
    tally = entry.page.evidence.tally if isinstance(entry.page, Report) else None
    counts = {name: getattr(tally, name) for name in ("supported", "contradicted", "undecided")} if tally else {}
    return ", ".join(f"{count.text} {name}" for name, count in counts.items() if count.value)


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
