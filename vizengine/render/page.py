"""Pages from reports, by Jinja templates that escape everything and refuse what they don't know."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from vizengine.locations import templates_folder
from vizengine.render import assets, charts, citation, geometry, preview, tiles
from vizengine.render.compared import compared
from vizengine.render.direction import runs_from_the_right, without_turns
from vizengine.render.once import Once
from vizengine.render.starting import starting_config
from vizengine.report import colours
from vizengine.report.model import Missing, Report, SiteReport, SweepReport

PREVIEW = "preview.jpg"


def render_circuit(
    report: Report,
    site: SiteReport,
    previous: Report | Missing | None = None,
    next: Report | Missing | None = None,
) -> str:
    """A circuit's page.

    Args:
        report: the circuit.
        site: the site that it is in; where the circuit is the only one, the page is the site's index.
        previous, next: its neighbours on the site. One that has no page of its own is passed over.

    Returns:
        HTML, the whole page.
    """
    alone = len(site.circuits) == 1
    neighbours = [each if isinstance(each, Report) else None for each in (previous, next)]
    return _render(
        "circuit.html",
        report=report,
        site=site,
        alone=alone,
        previous=neighbours[0],
        next=neighbours[1],
        address=citation.address(report, site),
        citation=citation.bibtex(report, site),
        picture=_preview_address(report, site),
    )


def companions(report: Report, site: SiteReport) -> dict[str, bytes]:
    """The files that lie beside a circuit page and to which it links, by name.

    The picture for link previews is among them where the site's address is known, since only an absolute address
    serves there.
    """
    files = {"circuit.json": report.model_dump_json().encode()}
    if site.url:
        files[PREVIEW] = preview.preview(report)
    return files


def render_index(site: SiteReport) -> str:
    """The page that leads to all circuits; for a site of one computed circuit, that circuit's page."""
    if len(site.circuits) == 1 and isinstance(site.circuits[0], Report):
        return render_circuit(site.circuits[0], site)
    first = next((each for each in site.circuits if isinstance(each, Report)), None)
    return _render("index.html", site=site, picture=_preview_address(first, site) if first else "")


def render_missing(missing: Missing, site: SiteReport) -> str:
    """The page in the place of a circuit's that isn't there, which says why.

    Args:
        missing: the circuit and why it isn't there.
        site: the site that it is in.
    """
    return _render("missing.html", each=missing, site=site, address=citation.address(missing, site))


def _preview_address(report: Report, site: SiteReport) -> str:
    """Absolute address of the picture for link previews; empty where the site's own isn't known."""
    return citation.address(report, site) and citation.address(report, site) + PREVIEW


def render_frame(title: str, page: str) -> str:
    """A frame that holds a whole page, for a notebook: an `iframe` with the page in its `srcdoc`.

    The page's own script may run in it and links open beside it; it can't reach the notebook.

    Args:
        title: what the frame is called.
        page: HTML, as `render_circuit` gives it.
    """
    return environment().get_template("frame.html").render(title=title, page=page)


def _render(template: str, **context: Any) -> str:
    return without_turns(environment().get_template(template).render(assets=assets.load(), once=Once(), **context))


@cache
def environment() -> Environment:
    """Where templates are found, and what they may use."""
    made = Environment(
        loader=FileSystemLoader(templates_folder()),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["geometry"] = geometry
    made.globals["charts"] = charts
    made.globals["colours"] = colours
    made.globals["compared"] = compared
    made.globals["preview"] = preview
    made.globals["runs_from_the_right"] = runs_from_the_right
    made.globals["tiles"] = tiles
    made.globals["starting_config"] = starting_config
    made.filters["yaml"] = _yaml
    made.filters["embed"] = Markup
    made.filters["breakable"] = _breakable
    made.tests["circuit"] = lambda value: isinstance(value, Report)
    made.tests["sweep"] = lambda value: isinstance(value, SweepReport)
    return made


def _breakable(name: str) -> Markup:
    """A name that may be broken after a slash, a colon or a low line where its line is too short."""
    # As plain text: below Python 3.12, `re.sub` on a `Markup` joins its pieces by escaping them once more.
    return Markup(re.sub(r"([/:_])", r"\1<wbr>", str(escape(name))))


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as a block, as an author would."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _represent_text)


def _yaml(data: Any) -> str:
    """Canonical data as YAML."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
