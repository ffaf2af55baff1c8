"""The committed site's pages, written again from its `circuit.json` files; run as a module, it prints their text."""

from __future__ import annotations

import json

from tests.page.words import Words
from tests.places import REPOSITORY
from vizengine.config.load import load
from vizengine.page.render import render_circuit, render_index
from vizengine.page.report import Report, SiteReport


def pages() -> dict[str, str]:
    """Each page as HTML, by its path in the site."""
    config = load(REPOSITORY / "config.yaml")
    reports = tuple(
        Report.model_validate_json((REPOSITORY / "site" / section.name / "circuit.json").read_bytes())
        for section in config.circuits
    )
    site = SiteReport(
        title=config.site.title,
        description=config.site.description,
        author=config.site.author,
        url=config.site.url or "",
        language=config.site.language,
        circuits=reports,
    )
    written = {f"{report.name}/index.html": render_circuit(report, site) for report in reports}
    return {"index.html": render_index(site), **written}


def texts() -> dict[str, list[str]]:
    """What each page says, in pieces, by its path in the site."""
    return {name: Words(page).said for name, page in pages().items()}


if __name__ == "__main__":
    print(json.dumps(texts()))
