"""Where a page will be found, and how to cite it."""

from __future__ import annotations

import re

from vizengine.report.model import Missing, Report, SiteReport


def address(report: Report | Missing, site: SiteReport) -> str:
    """The page's address on the web; empty where the config names none for the site."""
    if not site.url:
        return ""
    root = site.url.rstrip("/") + "/"
    return root if len(site.circuits) == 1 else f"{root}{report.name}/"


def bibtex(report: Report, site: SiteReport) -> str:
    """An entry for a bibliography. It has no year, since nothing on a page depends on the day that it was made."""
    versions = {each.name: each.version for each in report.provenance.versions}
    made = f"{report.network.title}, {report.layer}, unit {report.unit}. Made with vizengine"
    version = versions.get("vizengine")
    fields = {
        "title": f"{{{report.title}}}",
        "author": site.author,
        "howpublished": address(report, site) and f"\\url{{{address(report, site)}}}",
        "note": f"{made} {version}" if version else made,
    }
    lines = [f"  {name} = {{{_escaped(name, value)}}}," for name, value in fields.items() if value]
    return "\n".join([f"@misc{{{report.name},", *lines, "}"])


def _escaped(name: str, value: str) -> str:
    """Text as BibTeX takes it."""
    return value if name == "howpublished" else re.sub(r"([&%$#_])", r"\\\1", value)
