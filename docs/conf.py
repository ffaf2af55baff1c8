"""How Sphinx makes the documentation's site: `make docs`. It takes docs/*.md as they stand and asks no other host."""

from __future__ import annotations

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
pygments_style = "tango"
pygments_dark_style = "monokai"
