"""The order of the stages, from a config to a site; the only file that knows it."""

from __future__ import annotations

import datetime
import json
import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vizengine.cache import Cache
from vizengine.check import check_circuit
from vizengine.compute import CircuitRun
from vizengine.config.load import load
from vizengine.config.schema import Config
from vizengine.errors import BuildFailed, WeightsUnavailable
from vizengine.kept import keep
from vizengine.progress import Progress
from vizengine.render.page import companions, render_circuit, render_index
from vizengine.render.writer import recover, write
from vizengine.report.model import Missing, Report, SiteReport
from vizengine.resources import NotComputed

logger = logging.getLogger(__name__)

CACHE_FOLDER = ".vizengine-cache"


@dataclass(frozen=True)
class Options:
    """What the command line adds to the config.

    Attributes:
        out: folder of the site, or None for the config's.
        only: names of the circuits to compute; all where empty.
        strict: whether a warning, or an optional circuit that can't be computed, fails the build.
        fresh: whether to compute everything again.
    """

    out: Path | None = None
    only: tuple[str, ...] = ()
    strict: bool = False
    fresh: bool = False


@dataclass(frozen=True)
class Outcome:
    """What a build gave.

    Attributes:
        index: path of the site's first page.
        warnings: every warning that was logged.
        missing: names of circuits that could not be computed.
    """

    index: Path
    warnings: tuple[str, ...]
    missing: tuple[str, ...]


def check(config_path: Path) -> Config:
    """Read a config and check all that can be known without computing.

    Raises:
        ConfigError: with every problem.
    """
    return load(config_path, (check_circuit,))


def build(config: Config, options: Options, progress: Progress) -> Outcome:
    """Compute every circuit that isn't cached, and write the site.

    Raises:
        VizengineError: nothing was written; the site that stood before still stands.
    """
    target = options.out or config.folder / config.site.out
    # Before any page of it is kept: a run that was killed while it swapped sites left the old one beside its place.
    recover(target)
    cache = Cache(config.folder / CACHE_FOLDER, fresh=options.fresh)
    pages: list[Report | Missing] = []
    side_files: dict[str, dict[str, object]] = {}
    missing: list[str] = []
    with _collected_warnings() as warnings:
        for section in config.circuits:
            run = CircuitRun(
                config, section, cache, progress, may_compute=not options.only or section.name in options.only
            )
            started = time.monotonic()
            try:
                page: Report | Missing = run.report()
                side_files[section.name] = _side_file(run, time.monotonic() - started)
            except WeightsUnavailable as error:
                if not section.optional:
                    raise
                if options.strict:
                    raise BuildFailed(
                        f"{section.name}: {error} Under --strict an optional circuit must be there."
                    ) from error
                page = _stand_in(target, run, error, side_files)
                missing.append(section.name)
            except NotComputed as error:
                page = Missing(name=section.name, title=run.title, reason=str(error), mend="Build without --only.")
            pages.append(page)
        if options.strict and warnings:
            raise BuildFailed(f"--strict makes warnings errors, and there was: {'; '.join(warnings)}")
        files = _files(config, tuple(pages), side_files)
        with progress.stage("writing the site", None):
            write(target, files)
    return Outcome(target / "index.html", tuple(warnings), tuple(missing))


def _stand_in(
    target: Path, run: CircuitRun, error: WeightsUnavailable, side_files: dict[str, dict[str, object]]
) -> Report | Missing:
    """The page of an earlier build where `target` has one with the same config section, else a notice."""
    folder = target if run.is_only_circuit else target / run.section.name
    kept = keep(folder, run.section, error)
    if kept is None:
        logger.warning("%s is left out: %s", run.section.name, error)
        return Missing(name=run.section.name, title=run.title, reason=error.reason, mend=error.mend)
    report, side_files[run.section.name] = kept
    assert report.kept is not None
    logger.warning(
        "%s is kept from an earlier build of %s (weights %s): %s",
        run.section.name,
        report.kept.date,
        report.kept.weights_sha256[:12],
        error,
    )
    return report


def _files(
    config: Config, pages: tuple[Report | Missing, ...], side_files: dict[str, dict[str, object]]
) -> dict[str, bytes]:
    """Every file of the site by its path in it."""
    site = SiteReport(
        title=config.site.title,
        description=config.site.description,
        author=config.site.author,
        url=config.site.url or "",
        language=config.site.language,
        circuits=pages,
    )
    files = {"config.yaml": config.source.read_bytes()}
    reports = [page for page in pages if isinstance(page, Report)]
    single = len(pages) == 1 and len(reports) == 1
    for report, before, after in _with_neighbours(reports):
        folder = "" if single else f"{report.name}/"
        files[f"{folder}index.html"] = render_circuit(report, site, before, after).encode()
        files.update({f"{folder}{name}": content for name, content in companions(report).items()})
        files[f"{folder}build.json"] = json.dumps(side_files[report.name], indent=1).encode()
    if not single:
        files["index.html"] = render_index(site).encode()
    return files


def _with_neighbours(reports: list[Report]) -> Iterable[tuple[Report, Report | None, Report | None]]:
    before: list[Report | None] = [None, *reports[:-1]]
    after: list[Report | None] = [*reports[1:], None]
    return zip(reports, before, after, strict=True)


def _side_file(run: CircuitRun, seconds: float) -> dict[str, object]:
    """What may differ from run to run: the date, wall-clock times, what was computed and what was cached."""
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
        "seconds_by_stage": {stage: round(each, 3) for stage, each in run.seconds.items()},
    }


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
