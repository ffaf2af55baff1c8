from __future__ import annotations

import re
from html.parser import HTMLParser

import jinja2
import numpy as np
import pytest

from tests.page import example
from vizengine.figures.quantities import Quantity
from vizengine.layers.views import LayerTiles, Tile, UnitPage, render_explorer, render_unit
from vizengine.page.render import render_circuit, render_index
from vizengine.page.report import Missing, Report, SiteReport, SweepReport
from vizengine.page.verify import PageReader

pytestmark = pytest.mark.pages

SCRIPT = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


class Elements(HTMLParser):
    """Collects the elements of a page and the text outside its head."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def with_class(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for _, attributes in self.elements if name in (attributes.get("class") or "").split()]


@pytest.fixture(scope="module")
def full() -> Report:
    return example.report()


@pytest.fixture(scope="module")
def site(full: Report) -> SiteReport:
    return example.site(full, example.bare_report(), example.missing())


def test_random_weights_are_marked_wherever_the_network_is_named() -> None:
    untrained = example.bare_report()
    assert not untrained.network.trained and untrained.title.endswith("random weights")
    site = example.site(untrained)
    tile = Tile("conv1:4", "conv1", 4, "conv1/4.html", "", "")
    size = Quantity(value=3.0, text="3", unit="px")
    layers = [LayerTiles("conv1", "conv1", 64, ())]
    for trained in (False, True):
        swept = SweepReport(name="all", title="All", network="VGG19", trained=trained, units=1, layers=1, failures=0)
        pages = {
            "unit": render_unit(UnitPage(tile, size, "no", None, None), swept, 64, site),
            "explorer": render_explorer(swept, layers, 64, {}, site),
            "index": render_index(example.site().model_copy(update={"circuits": (swept,)})),
        }
        assert {name: "random weights" in text.lower() for name, text in pages.items()} == dict.fromkeys(
            pages, not trained
        )
    assert render_circuit(untrained, site).lower().count("random weights") >= 4
    assert "random weights" in render_index(site)
    assert "random weights" not in render_circuit(example.report(), site).lower()


def test_every_page_stands_up_to_verification(full: Report, site: SiteReport) -> None:
    pages = [
        render_circuit(full, site, None, site.circuits[1]),
        render_circuit(full.model_copy(update={"kept": example.kept_notice()}), site),
        render_circuit(example.bare_report(), site, full, site.circuits[2]),
        render_index(site),
        render_index(example.site(example.missing())),
    ]
    for page in pages:
        assert PageReader(page).problems == []


def test_equal_reports_give_equal_bytes(full: Report, site: SiteReport) -> None:
    again = Report.model_validate_json(full.model_dump_json())
    assert render_circuit(again, site) == render_circuit(full, site)


def test_the_hero_leads_from_each_strong_input_to_its_row(full: Report, site: SiteReport) -> None:
    page = Elements(render_circuit(full, site))
    sources = [each["href"] for each in page.with_class("source")]
    assert sources == [f"#input-{strong.slice.index}" for strong in full.strongest]
    assert [f"#{each['id']}" for each in page.with_class("input")][: len(sources)] == sources
    widths = [float(each["stroke-width"] or 0) for each in page.of("path") if "stroke-width" in each]
    sizes = [abs(float(strong.slice.contribution.value)) for strong in full.strongest]
    assert widths == pytest.approx([max(1, 13 * size / max(sizes)) for size in sizes], abs=0.01)


def test_an_entry_on_the_index_leads_to_its_page(full: Report, site: SiteReport) -> None:
    page = Elements(render_index(site))
    links = [each.get("href") for each in page.of("a")]
    assert f"{full.name}/index.html" in links
    assert f"{full.name}/index.html#input-{full.strongest[0].slice.index}" in links
    assert full.summary in " ".join(page.text.split())


def rows_of(page: str) -> list[str]:
    """The rows of the inputs, each with its own `li` alone."""
    return re.split(r'<li class="input[ "]', page)[1:]


def test_every_input_has_a_row_with_its_figures_and_places(full: Report, site: SiteReport) -> None:
    rows = rows_of(render_circuit(full, site))
    assert len(rows) == 256
    for row, each in zip(rows, full.inputs, strict=True):
        places = f'data-norm="{each.rank}" data-photos="{each.photo_place}" data-drop="{each.drop_place}"'
        assert f'id="input-{each.index}" {places}' in row
        for value, place in ((each.norm, each.rank), (each.photo_size, each.photo_place)):
            assert f"<dd>{value.text} <small>no. {place}</small></dd>" in row
        assert f"<dd>{each.contribution.text} <small>no. {each.drop_place}</small></dd>" in row
        assert all(f"{figure.text}</span>" in row for figure in (each.positive_mass, each.negative_mass))
    for places in zip(*((each.rank, each.photo_place, each.drop_place) for each in full.inputs), strict=True):
        assert sorted(places) == list(range(1, 257))


def test_a_contribution_is_worked_out_to_the_last_digit(full: Report, site: SiteReport) -> None:
    page = render_circuit(full, site)
    effects = full.evidence.effects
    for place, (strong, effect) in enumerate(zip(full.strongest, effects.inputs, strict=True)):
        assert len(effect.sums) == 6
        for each, bar in zip(effect.sums, effects.bars, strict=False):
            read, kernel = (
                np.array([[float(cell.value) for cell in row] for row in rows])
                for rows in (each.activations, strong.slice.kernel.rows)
            )
            products = np.array([[float(cell.value) for cell in row] for row in each.products])
            total = bar.inputs[place]
            np.testing.assert_allclose(read * kernel, products, rtol=2e-5)
            assert products.sum() == pytest.approx(float(total.value), rel=1e-5, abs=1e-4 * np.abs(products).max())
            assert f"sum <b>{total.text}</b>" in page
            assert all(f">{cell.text}</text>" in page for row in each.products for cell in row)


def test_a_picture_is_in_a_page_once(full: Report, site: SiteReport) -> None:
    for page in (render_circuit(full, site), render_index(site)):
        shared = re.findall(r'<image id="([^"]+)" href="([^"]+)"', page)
        assert len(shared) > 5
        names, sources = zip(*shared, strict=True)
        assert len(set(names)) == len(names) and len(set(sources)) == len(sources)
        assert all(page.count(source) == 1 for source in sources)
        used = set(re.findall(r'<use href="#(picture-[^"]+)"', page))
        assert used and used <= set(names)


def test_kernels_are_drawn_cell_by_cell_with_their_values(full: Report, site: SiteReport) -> None:
    page = render_circuit(full, site)
    for strong in full.strongest:
        for down, row in enumerate(strong.slice.kernel.rows, start=1):
            for across, cell in enumerate(row, start=1):
                assert f"<title>row {down}, column {across}: {cell.text}</title>" in page


def test_a_site_of_one_circuit_is_its_page(full: Report) -> None:
    alone = example.site(full)
    page = render_index(alone)
    assert page == render_circuit(full, alone)
    links = [each.get("href") for each in Elements(page).of("a")]
    assert "config.yaml" in links
    assert not any(link and link.startswith("..") for link in links)


def test_a_circuit_that_could_not_be_computed_has_a_notice(site: SiteReport) -> None:
    text = " ".join(Elements(render_index(site)).text.split())
    missing = example.missing()
    assert missing.title in text and missing.reason in text and missing.mend in text


def test_a_kept_page_says_so_on_itself_and_on_the_index(full: Report) -> None:
    kept = full.model_copy(update={"kept": example.kept_notice()})
    site = example.site(kept, example.bare_report())
    for page in (render_circuit(kept, site), render_index(site)):
        text = " ".join(Elements(page).text.split())
        assert "Kept from an earlier build" in text
        assert "3 May 2026" in text and "tensorflow 2.21.0" in text and "0123456789abcdef" * 4 in text


def test_neighbours_without_a_page_are_passed_over(full: Report, site: SiteReport) -> None:
    page = render_circuit(full, site, previous=example.missing(), next=site.circuits[1])
    assert "../bare/index.html" in page
    assert "../absent" not in page and example.missing().title not in page


def test_the_head_tells_what_the_page_is(full: Report, site: SiteReport) -> None:
    page = Elements(render_circuit(full, site))
    head = {each.get("name") or each.get("property"): each.get("content") for each in page.of("meta")}
    assert page.of("html")[0]["lang"] == "en"
    assert head["description"] == head["og:description"] == full.summary
    assert head["og:title"] == "Spots on a light ground – Circuits, unit by unit"
    assert head["og:url"] == "https://example.org/circuits/example-unit-195/"
    assert head["author"] == "A. Author"


def test_headings_come_in_order(full: Report, site: SiteReport) -> None:
    for page in (render_circuit(full, site), render_index(site)):
        levels = [int(tag[1]) for tag, _ in Elements(page).elements if re.fullmatch("h[1-6]", tag)]
        assert levels.count(1) == 1
        assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))


def test_every_picture_and_drawing_has_words_or_is_hidden(full: Report, site: SiteReport) -> None:
    page = Elements(render_circuit(full, site))
    assert all(each.get("alt") for each in page.of("img"))
    outer = [each for each in page.of("svg") if each.get("viewBox") or each.get("role")]
    assert all(each.get("aria-label") or each.get("aria-hidden") or each.get("class") == "curve" for each in outer)


@pytest.mark.parametrize("place", ["title", "site", "photo", "label", "config", "kept", "missing"])
def test_no_text_from_outside_can_act_as_markup(place: str, full: Report) -> None:
    report, circuits = full, (full, example.bare_report())
    if place == "title":
        report = full.model_copy(update={"title": SCRIPT, "layer": SCRIPT, "summary": SCRIPT})
    elif place == "photo":
        photos = tuple(
            photo.model_copy(update={"name": SCRIPT, "credit": SCRIPT}) for photo in full.classification.photos
        )
        report = full.model_copy(update={"classification": full.classification.model_copy(update={"photos": photos})})
    elif place == "label":
        feature = full.feature.model_copy(update={"label": SCRIPT, "photo_best_name": SCRIPT, "explanation": SCRIPT})
        provenance = full.provenance.model_copy(update={"weights_file": SCRIPT, "weights_origin": SCRIPT})
        report = full.model_copy(update={"feature": feature, "provenance": provenance})
    elif place == "config":
        report = full.model_copy(update={"config": {SCRIPT: [SCRIPT], "network": {"model": SCRIPT}}})
    elif place == "kept":
        report = full.model_copy(
            update={"kept": example.kept_notice().model_copy(update={"reason": SCRIPT, "date": SCRIPT})}
        )
    site = example.site(report, *circuits[1:], Missing(name="gone", title=SCRIPT, reason=SCRIPT, mend=SCRIPT))
    if place == "site":
        site = site.model_copy(update={"title": SCRIPT, "description": SCRIPT, "author": SCRIPT, "language": SCRIPT})
    for page in (render_circuit(report, site, None, circuits[1]), render_index(site)):
        elements = Elements(page)
        assert len(elements.of("script")) == 1
        assert all((each["src"] or "").startswith("data:") for each in elements.of("img"))
        held = elements.of("image") + elements.of("use")
        assert all((each["href"] or "").startswith(("data:image/", "#picture-", "#slice-")) for each in held)
        assert PageReader(page).problems == []


def test_an_unknown_field_in_a_template_is_an_error(full: Report) -> None:
    from vizengine.page.render import environment

    with pytest.raises(jinja2.UndefinedError):
        environment().from_string("{{ report.nothing }}").render(report=full)
