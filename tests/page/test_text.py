"""What a reader reads is text: no tag and no entity, on any kind of page, under every supported Python."""

from __future__ import annotations

import pytest

from tests.page import default_site, example, example_sheet
from tests.page.markup_shown import markup_shown
from tests.places import REPOSITORY
from vizengine.figures.quantities import Quantity
from vizengine.layers.views import LayerTiles, Tile, UnitPage, render_contact_sheet, render_explorer, render_unit
from vizengine.page.render import render_circuit, render_index
from vizengine.page.report import SweepReport

pytestmark = pytest.mark.pages

COMMITTED = sorted((REPOSITORY / "site").rglob("*.html"))
# What the made-up contact sheet has between angle brackets.
AUTHORED = "<1> <all> <bell>"


def _every_kind_of_page() -> dict[str, str]:
    """Pages with a slash, a colon and a low line in their names, by their kind."""
    full, bare = example.report(kept=example.kept_notice()), example.bare_report()
    site = example.site(full, bare, example.missing())
    tile = Tile("block1_conv1/a:4", "block1_conv1/a", 4, "block1_conv1-a/4.html", "", "")
    size = Quantity(value=3.0, text="3", unit="px")
    layers = [LayerTiles("block1_conv1/a", "block1_conv1-a", 64, ((tile, None),))]
    swept = SweepReport(name="all", title="All", network="VGG19", trained=True, units=1, layers=1, failures=1)
    return {
        "circuit": render_circuit(full, site, None, bare),
        "circuit of the first layer": render_circuit(bare, site, full, None),
        "index": render_index(site),
        "unit": render_unit(UnitPage(tile, size, "no", None, None), swept, 64, site),
        "explorer": render_explorer(swept, layers, 64, {"block1_conv1/a:4": "no"}, site),
        "contact sheet": render_contact_sheet(example_sheet.sheet("block1_conv1/a"), site),
    }


def test_no_page_shows_markup_in_its_text() -> None:
    pages = _every_kind_of_page()
    assert all("<wbr>" in page for page in pages.values())
    assert {kind: markup_shown(page, AUTHORED) for kind, page in pages.items()} == dict.fromkeys(pages, set())


def test_the_default_site_shows_no_markup_in_its_text() -> None:
    pages = default_site.pages() | {str(path): path.read_text(encoding="utf-8") for path in COMMITTED}
    assert len(pages) == 6
    assert {name: markup_shown(page) for name, page in pages.items()} == dict.fromkeys(pages, set())


@pytest.mark.parametrize(
    ("html", "seen"),
    [
        ("<p>conv1_&lt;wbr&gt;a", {"<wbr>"}),
        ('<img alt="&lt;b&gt;a&lt;/b&gt;">', {"<b>", "</b>"}),
        ("<p>a &amp;amp; b, &amp;#39;c&amp;#39;", {"&amp;", "&#39;"}),
        ("<p>a &lt; b and b &gt; a &amp; c; <code>&lt;iframe&gt;</code>", set()),
        ("<p>its author writes &lt;em&gt; and not &lt;i&gt;", {"<i>"}),
    ],
)
def test_markup_in_a_text_is_found(html: str, seen: set[str]) -> None:
    assert markup_shown(html, "an author's <em>") == seen
