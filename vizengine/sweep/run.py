"""A sweep from its config to its files: measure, choose, make pictures, then write page by page."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator

from vizengine.config.schema import SweepSection
from vizengine.errors import VizengineError
from vizengine.progress import Progress
from vizengine.render.light import SharedFiles, render_explorer, render_unit
from vizengine.report.light import Explorer, UnitPage
from vizengine.report.model import SiteReport, SweepReport
from vizengine.sweep.addresses import ASSETS
from vizengine.sweep.doing import Doing
from vizengine.sweep.pages import Pages
from vizengine.sweep.plan import Plan, measuring_jobs, plan
from vizengine.sweep.select import left_out
from vizengine.sweep.workshop import Place, Workshop

logger = logging.getLogger(__name__)


class SweepRun:
    """One sweep.

    Args:
        section: the sweep's section.
        place: where its results are kept.
        progress: shown to the user.
        may_compute: whether a result that isn't kept may be computed.

    Attributes:
        failures: units that failed, `layer:unit` and reason; known once `report` and `files` are through.
    """

    def __init__(self, section: SweepSection, place: Place, progress: Progress, may_compute: bool = True) -> None:
        self.section = section
        self.failures: dict[str, str] = {}
        self._progress = progress
        self.workshop = Workshop(place)
        self._doing = Doing(place, self.workshop, progress, may_compute)
        self._pages: Pages | None = None
        self._plan: Plan | None = None

    @property
    def seconds(self) -> dict[str, float]:
        """Of this run, as `Doing.seconds`; with those of the pages once `files` is through."""
        return self._doing.seconds

    @property
    def title(self) -> str:
        """The sweep's title, or one made from the network."""
        return self.section.title or f"Units of {self.workshop.architecture.title}"

    def report(self) -> SweepReport:
        """Do all jobs that aren't done; what the site's index says of the sweep.

        Raises:
            WeightsUnavailable: the weights can't be had.
            NotComputed: something isn't kept and may not be computed.
            VizengineError: photos can't be sent through a layer, so nothing can be said of its units.
        """
        _ = self.workshop.have.source.identity
        for reason in left_out(self.section.unit, self.workshop.architecture):
            logger.info("%s leaves out a layer: %s", self.section.name, reason)

        with self._doing.engine as engine:
            failed = self._doing.do(engine, "photos and stimuli", measuring_jobs(self.workshop))
            if failed:
                raise VizengineError(f"{self.section.name}: {failed[0].job.title}: {failed[0].reason}")
            chosen = plan(self.workshop)
            made, lost = self._doing.pictures(engine, chosen.jobs(self.workshop))
        for (layer, unit), reason in {**lost, **chosen.broken}.items():
            if unit in chosen.units.get(layer, ()):
                self.failures[f"{layer}:{unit}"] = reason
        for name, reason in self.failures.items():
            self._doing.log.line(f"{name} failed: {reason}")
        self._doing.log.close()
        self._plan = chosen
        self._pages = Pages(self.workshop, chosen, made, {**lost, **chosen.broken})
        return SweepReport(
            name=self.section.name,
            title=self.title,
            network=self.workshop.architecture.title,
            trained=self.workshop.have.source.identity.trained,
            units=chosen.count,
            layers=len(chosen.units),
            failures=len(self.failures),
        )

    def files(self, site: SiteReport, alone: bool) -> Iterator[tuple[str, bytes]]:
        """The sweep's files, one after the other: path in its folder and content.

        Args:
            site: the site.
            alone: whether the sweep is all of it.
        """
        assert self._pages is not None and self._plan is not None
        pages = self._pages
        shared = SharedFiles.load()
        yield f"{ASSETS}/light.css", shared.style.encode()
        yield f"{ASSETS}/light.js", shared.script.encode()
        for layer, channels in self._plan.shown.items():
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
            self.workshop.architecture.title,
            self.workshop.have.source.identity.trained,
            tuple(pages.sheet(layer) for layer in self._plan.units),
            self.section.visualization.size,
            tuple(self.failures.items()),
        )
        yield "index.html", render_explorer(explorer, site, alone).encode()
        self._doing.seconds |= {"pages": time.monotonic() - started, "pages, processor": time.process_time() - busy}

    def _page(self, pages: Pages, layer: str, unit: int) -> UnitPage:
        """A unit's page; where it can't be made, one that says so."""
        try:
            return pages.page(layer, unit)
        except Exception as error:
            logger.debug("the page of %s:%d failed", layer, unit, exc_info=True)
            reason = f"its page can't be made ({type(error).__name__}: {' '.join(str(error).split())[:300]})"
        self.failures[f"{layer}:{unit}"] = reason
        return pages.failed(layer, unit, reason)


def _data(page: UnitPage) -> dict[str, object]:
    """A unit's figures for those who compute with them."""
    figures: dict[str, object] = {"unit": page.tile.unit}
    if page.failure:
        return {**figures, "failure": page.failure}
    assert page.indices is not None and page.reached is not None and page.photo_best is not None
    indices = vars(page.indices)
    return {
        **figures,
        "picture": page.tile.verdict,
        "reached": page.reached.value,
        "photo_best": page.photo_best.value,
        **{name: None if value is None else value.value for name, value in indices.items()},
        "inputs": [
            {"name": each.label, "norm": each.norm.value, "contribution": each.contribution.value}
            for each in page.inputs
            if each.contribution
        ],
        "outputs": [{"name": each.label, "share": each.share.value} for each in page.outputs],
    }
