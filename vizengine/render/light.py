"""Light pages: many to a site, with the styles, the script and the pictures that they share as files beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from vizengine.locations import templates_folder
from vizengine.render import assets
from vizengine.render.direction import without_turns
from vizengine.render.geometry import along, number
from vizengine.render.page import environment
from vizengine.report.contact_sheet import ContactSheet
from vizengine.report.light import Explorer, Part, UnitPage
from vizengine.report.model import SiteReport

POLICY = "; ".join(
    (
        "default-src 'none'",
        "img-src 'self' data:",
        "style-src 'self'",
        "script-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
    )
)


@dataclass(frozen=True)
class SharedFiles:
    """What light pages load.

    Attributes:
        style: CSS.
        script: JavaScript.
    """

    style: str
    script: str

    @staticmethod
    @cache
    def load(*names: str) -> SharedFiles:
        """Read them from the templates' folder.

        Args:
            names: of styles and scripts that a page needs besides those of all light pages.
        """
        own = assets.load()
        folder = templates_folder() / "assets"
        style, script = (
            "".join((folder / f"{name}.{kind}").read_text(encoding="utf-8") for name in ("explorer", *names))
            for kind in ("css", "js")
        )
        return SharedFiles(own.style + style, own.script + script)


@dataclass(frozen=True)
class Bar:
    """A bar from zero.

    Attributes:
        x, width: its place, in percent.
        kind: `excites` or `inhibits`.
    """

    x: str
    width: str
    kind: str


def render_unit(page: UnitPage, sweep: str, site: SiteReport) -> str:
    """The light page of a unit.

    Args:
        page: the unit.
        sweep: the sweep's title.
        site: the site that it is in.

    Returns:
        HTML, the whole page.
    """
    return _render("unit.html", page=page, sweep=sweep, site=site, root="../", bars=bars(page.parts))


def render_explorer(explorer: Explorer, site: SiteReport, alone: bool) -> str:
    """The page that leads to all units of a sweep.

    Args:
        explorer: the units.
        site: the site that it is in.
        alone: whether the sweep is all of the site.
    """
    return _render("explorer.html", explorer=explorer, site=site, root="", alone=alone)


def render_contact_sheet(sheet: ContactSheet, site: SiteReport) -> str:
    """The contact sheet of a layer.

    Args:
        sheet: the layer.
        site: what the config says of the site.
    """
    return _render("survey.html", sheet=sheet, site=site, root="", along=along, number=number)


def bars(parts: Sequence[Part]) -> tuple[Bar, ...]:
    """A bar for each part, all on one axis with zero on it."""
    values = [float(part.value.value) for part in parts]
    low, high = min([0.0, *values]), max([0.0, *values])
    return tuple(
        Bar(
            number(along(min(value, 0.0), low, high)),
            number(along(abs(value), 0.0, high - low)),
            "excites" if value > 0 else "inhibits",
        )
        for value in values
    )


def _render(template: str, **context: object) -> str:
    return without_turns(environment().get_template(template).render(assets=assets.load(), policy=POLICY, **context))
