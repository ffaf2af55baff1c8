from __future__ import annotations

import re
from html.parser import HTMLParser

import jinja2
import numpy as np
import pytest

from tests.page import example
from vizengine.figures.quantities import Quantity
from vizengine.layers.views import LayerTiles, Tile, UnitPage, render_explorer, render_unit
from vizengine.page.render import environment, render_circuit, render_index
from vizengine.page.report import Missing, Report, SiteReport, SweepReport
from vizengine.page.verify import PageReader

pytestmark = pytest.mark.pages

SCRIPT = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


class Elements(HTMLParser):
    """Collects the elements of a page and the text outside its head."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._text: list[str] = []
        self.feed(page)
        self.text = " ".join("".join(self._text).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self._text.append(data)

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


@pytest.fixture(scope="module")
def page(full: Report, site: SiteReport) -> str:
    return render_circuit(full, site)


@pytest.fixture(scope="module")
def index(site: SiteReport) -> str:
    return render_index(site)


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


def test_every_page_stands_up_to_verification(full: Report, site: SiteReport, page: str, index: str) -> None:
    pages = [
        page,
        index,
        render_circuit(full.model_copy(update={"kept": example.kept_notice()}), site),
        render_circuit(example.bare_report(), site, full, example.missing()),
        render_index(example.site(example.missing())),
    ]
    assert [PageReader(text).problems for text in pages] == [[]] * 5


def test_the_hero_leads_from_each_strong_input_to_its_row(full: Report, page: str) -> None:
    elements = Elements(page)
    sources = [source["href"] for source in elements.with_class("source")]
    assert sources == [f"#input-{strong.slice.index}" for strong in full.strongest]
    assert [f"#{row['id']}" for row in elements.with_class("input")][: len(sources)] == sources
    widths = [float(path["stroke-width"] or 0) for path in elements.of("path") if "stroke-width" in path]
    sizes = [abs(float(strong.slice.contribution.value)) for strong in full.strongest]
    assert widths == pytest.approx([max(1, 13 * size / max(sizes)) for size in sizes], abs=0.01)


def test_an_entry_on_the_index_leads_to_its_page(full: Report, index: str) -> None:
    elements = Elements(index)
    links = [link.get("href") for link in elements.of("a")]
    assert f"{full.name}/index.html" in links
    assert f"{full.name}/index.html#input-{full.strongest[0].slice.index}" in links
    assert full.summary in elements.text


def test_every_input_has_a_row_with_its_figures_and_places(full: Report, page: str) -> None:
    rows = re.split(r'<li class="input[ "]', page)[1:]
    assert len(rows) == 256
    for row, channel in zip(rows, full.inputs, strict=True):
        norm, photos, drop = places = channel.rank, channel.photo_place, channel.drop_place
        assert f'id="input-{channel.index}" data-norm="{norm}" data-photos="{photos}" data-drop="{drop}"' in row
        for value, place in zip((channel.norm, channel.photo_size, channel.contribution), places, strict=True):
            assert f"<dd>{value.text} <small>no. {place}</small></dd>" in row
        assert all(f"{figure.text}</span>" in row for figure in (channel.positive_mass, channel.negative_mass))
    for name in ("rank", "photo_place", "drop_place"):
        assert sorted(getattr(channel, name) for channel in full.inputs) == list(range(1, 257))


def test_a_contribution_is_worked_out_to_the_last_digit(full: Report, page: str) -> None:
    effects = full.evidence.effects
    for place, (strong, effect) in enumerate(zip(full.strongest, effects.inputs, strict=True)):
        assert len(effect.sums) == 6
        for worked, bar in zip(effect.sums, effects.bars, strict=False):
            read, kernel, products = (
                np.array([[float(cell.value) for cell in row] for row in rows])
                for rows in (worked.activations, strong.slice.kernel.rows, worked.products)
            )
            total = bar.inputs[place]
            np.testing.assert_allclose(read * kernel, products, rtol=2e-5)
            assert products.sum() == pytest.approx(float(total.value), rel=1e-5, abs=1e-4 * np.abs(products).max())
            assert f"sum <b>{total.text}</b>" in page
            assert all(f">{cell.text}</text>" in page for row in worked.products for cell in row)


def test_a_picture_is_in_a_page_once(page: str, index: str) -> None:
    for text in (page, index):
        shared = re.findall(r'<image id="([^"]+)" href="([^"]+)"', text)
        assert len(shared) > 5
        names, sources = zip(*shared, strict=True)
        assert len(set(names)) == len(names) and len(set(sources)) == len(sources)
        assert all(text.count(source) == 1 for source in sources)
        used = set(re.findall(r'<use href="#(picture-[^"]+)"', text))
        assert used and used <= set(names)


def test_kernels_are_drawn_cell_by_cell_with_their_values(full: Report, page: str) -> None:
    for strong in full.strongest:
        for down, row in enumerate(strong.slice.kernel.rows, start=1):
            for across, cell in enumerate(row, start=1):
                assert f"<title>row {down}, column {across}: {cell.text}</title>" in page


def test_a_site_of_one_circuit_is_its_page(full: Report) -> None:
    alone = example.site(full)
    page = render_index(alone)
    assert page == render_circuit(full, alone)
    links = [link.get("href") or "" for link in Elements(page).of("a")]
    assert "config.yaml" in links and not any(link.startswith("..") for link in links)


def test_what_is_missing_or_kept_says_so_and_is_no_neighbour(full: Report, index: str) -> None:
    missing, bare = example.missing(), example.bare_report()
    assert all(words in Elements(index).text for words in (missing.title, missing.reason, missing.mend))
    kept = full.model_copy(update={"kept": example.kept_notice()})
    site = example.site(kept, bare, missing)
    page = render_circuit(kept, site, previous=missing, next=bare)
    assert "../bare/index.html" in page and "../absent" not in page and missing.title not in page
    for text in (Elements(page).text, Elements(render_index(site)).text):
        for words in ("Kept from an earlier build", "3 May 2026", "tensorflow 2.21.0", "0123456789abcdef" * 4):
            assert words in text


def test_the_head_tells_what_the_page_is(full: Report, page: str) -> None:
    elements = Elements(page)
    head = {meta.get("name") or meta.get("property"): meta.get("content") for meta in elements.of("meta")}
    assert elements.of("html")[0]["lang"] == "en"
    assert head["description"] == head["og:description"] == full.summary
    assert head["og:title"] == "Spots on a light ground – Circuits, unit by unit"
    assert head["og:url"] == "https://example.org/circuits/example-unit-195/"
    assert head["author"] == "A. Author"


def test_headings_come_in_order(page: str, index: str) -> None:
    for text in (page, index):
        levels = [int(tag[1]) for tag, _ in Elements(text).elements if re.fullmatch("h[1-6]", tag)]
        assert levels.count(1) == 1
        assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))


def test_every_picture_and_drawing_has_words_or_is_hidden(page: str) -> None:
    elements = Elements(page)
    assert all(picture.get("alt") for picture in elements.of("img"))
    for drawing in elements.of("svg"):
        if drawing.get("viewBox") or drawing.get("role"):
            assert drawing.get("aria-label") or drawing.get("aria-hidden") or drawing.get("class") == "curve"


def test_no_text_from_outside_can_act_as_markup(full: Report) -> None:
    photos = tuple(photo.model_copy(update={"name": SCRIPT, "credit": SCRIPT}) for photo in full.classification.photos)
    report = full.model_copy(
        update={
            **dict.fromkeys(("title", "layer", "summary"), SCRIPT),
            "classification": full.classification.model_copy(update={"photos": photos}),
            "feature": full.feature.model_copy(
                update=dict.fromkeys(("label", "photo_best_name", "explanation"), SCRIPT)
            ),
            "provenance": full.provenance.model_copy(update=dict.fromkeys(("weights_file", "weights_origin"), SCRIPT)),
            "config": {SCRIPT: [SCRIPT], "network": {"model": SCRIPT}},
            "kept": example.kept_notice().model_copy(update={"reason": SCRIPT, "date": SCRIPT}),
        }
    )
    other = example.bare_report()
    site = example.site(report, other, Missing(name="gone", title=SCRIPT, reason=SCRIPT, mend=SCRIPT))
    site = site.model_copy(update=dict.fromkeys(("title", "description", "author", "language"), SCRIPT))
    for page in (render_circuit(report, site, None, other), render_index(site)):
        elements = Elements(page)
        assert len(elements.of("script")) == 1
        assert all((picture["src"] or "").startswith("data:") for picture in elements.of("img"))
        held = elements.of("image") + elements.of("use")
        assert all((picture["href"] or "").startswith(("data:image/", "#picture-", "#slice-")) for picture in held)
        assert PageReader(page).problems == []


def test_an_unknown_field_in_a_template_is_an_error(full: Report) -> None:
    with pytest.raises(jinja2.UndefinedError):
        environment().from_string("{{ report.nothing }}").render(report=full)
