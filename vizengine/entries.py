"""One circuit or sweep of a config on its way into the site: computed, kept from an earlier build, or failed."""

from __future__ import annotations

import datetime
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vizengine.cache import CACHE_FOLDER, Cache
from vizengine.compute import CircuitRun
from vizengine.config.schema import CircuitSection, Config, SweepSection
from vizengine.errors import BuildFailed, WeightsUnavailable
from vizengine.failures import Failure, failure_of
from vizengine.kept import keep
from vizengine.progress import Progress
from vizengine.report.model import Missing, Report, SweepReport
from vizengine.resources import NotComputed
from vizengine.sweep.run import SweepRun
from vizengine.sweep.workshop import Place

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
            place = Place.beside(config, section.name, options.fresh and may_compute, options.scheduler)
            run = SweepRun(section, place, progress, may_compute)
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
    return {stage: round(each, 3) for stage, each in seconds.items()}
