"""How Sphinx makes the documentation's site: `make docs`. It takes docs/*.md as they stand and asks no other host."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

from vizengine import __version__

project = "vizengine"
author = "The vizengine authors"
version = release = __version__
language = "en-GB"

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
# Anchors of headings as GitHub makes them, so that one link serves both.
myst_heading_anchors = 4
nitpicky = True

html_theme = "furo"
html_title = "vizengine"
html_copy_source = False
html_show_copyright = False
html_static_path = ["style.css"]
html_css_files = ["style.css"]
# A browser refuses to fetch files for it where the site is read from disk.
html_show_search_summary = False
pygments_style = "tango"
pygments_dark_style = "monokai"


def setup(app: Sphinx) -> None:
    """Connect what follows; Furo makes its navigation at the usual time, so this comes later."""
    app.connect("html-page-context", make_accessible, priority=900)


def make_accessible(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Let keys reach code that scrolls, and give the navigation's headings their level."""
    for part in ("body", "furo_navigation_tree"):
        if part in context:
            text = context[part].replace("<pre>", '<pre tabindex="0">')
            context[part] = text.replace('role="heading">', 'role="heading" aria-level="2">')
