"""Of any kind of page: what a reader reads is text, with no tag and no entity, and its numbers are its data's."""

from __future__ import annotations

import json

import pytest

from tests.page import default_site, example, example_sheet
from tests.page.words import markup_shown, numbers_in_data, numbers_in_templates, numbers_shown
from tests.places import REPOSITORY
from vizengine.figures.quantities import whole
from vizengine.layers.views import LayerTiles, Tile, UnitPage, render_contact_sheet, render_explorer, render_unit
from vizengine.page.render import render_circuit, render_index
from vizengine.page.report import Report, SweepReport

pytestmark = pytest.mark.pages

SITE = REPOSITORY / "site"
# What the made-up contact sheet has between angle brackets.
AUTHORED = "<1> <all> <bell>"


def test_no_page_shows_markup_in_its_text() -> None:
    """Pages of every kind, with a slash, a colon and a low line in their names."""
    full, bare = example.report(kept=example.kept_notice()), example.bare_report()
    site = example.site(full, bare, example.missing())
    layer, label = "block1_conv1/a", "block1_conv1/a:4"
    tile = Tile(label, layer, 4, "block1_conv1-a/4.html", "", "")
    layers = [LayerTiles(layer, "block1_conv1-a", 64, ((tile, None),))]
    swept = SweepReport(name="all", title="All", network="VGG19", trained=True, units=1, layers=1, failures=1)
    pages = {
        "circuit": render_circuit(full, site, None, bare),
        "circuit of the first layer": render_circuit(bare, site, full, None),
        "index": render_index(site),
        "unit": render_unit(UnitPage(tile, whole(3, "px"), "no", None, None), swept, 64, site),
        "explorer": render_explorer(swept, layers, 64, {label: "no"}, site),
        "contact sheet": render_contact_sheet(example_sheet.sheet(layer), site),
    }
    assert all("<wbr>" in page for page in pages.values())
    assert {kind: markup_shown(page, AUTHORED) for kind, page in pages.items()} == dict.fromkeys(pages, set())


def test_the_default_site_shows_no_markup_in_its_text() -> None:
    committed = {str(path): path.read_text(encoding="utf-8") for path in SITE.rglob("*.html")}
    pages = default_site.pages() | committed
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


@pytest.mark.parametrize("report", [example.report(), example.bare_report()], ids=["full", "bare"])
def test_a_page_says_no_number_that_its_data_has_not(report: Report) -> None:
    missing = example.missing()
    site = example.site(report, missing)
    data = numbers_in_data(json.loads(report.model_dump_json())) | numbers_in_templates()
    for page in (render_circuit(report, site), render_index(site)):
        shown = numbers_shown(page)
        assert len(shown) > 30
        assert shown - data - numbers_in_data(missing.model_dump()) == set()
    wrong = report.model_copy(update={"bias": report.bias.model_copy(update={"text": "98.7654"})})
    assert numbers_shown(render_circuit(wrong, site)) - data == {"98.7654"}


def test_the_committed_index_says_no_number_that_its_circuits_have_not() -> None:
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in SITE.glob("*/circuit.json")]
    assert len(reports) == 2
    shown = numbers_shown((SITE / "index.html").read_text(encoding="utf-8"))
    assert shown - numbers_in_templates() - numbers_in_data(reports) == set()
