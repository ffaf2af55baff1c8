from __future__ import annotations

import io
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser import checks
from tests.page import example
from tests.places import REPOSITORY
from vizengine.page.render import render_index
from vizengine.page.report import Report
from vizengine.pictures.view import FILM_FRAMES

# The site's own pages are opened by test_site.py.
PAGES = ("index.html", "bare/index.html")
FULL = "example-unit-195/index.html"


@pytest.mark.parametrize("width", checks.WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_whole_at_any_width(browser: Browser, example_site: Path, name: str, width: int) -> None:
    with checks.opened(browser, example_site / name, width) as page:
        checks.assert_decoded(page)
        checks.assert_no_horizontal_scroll(page)
        checks.unfold(page)
        checks.assert_no_horizontal_scroll(page)


@pytest.mark.parametrize("width", [1280, 375])
def test_random_weights_cannot_be_missed(browser: Browser, example_site: Path, width: int) -> None:
    """Said in the heading and in a notice above the first figure, in colour, and in the index."""
    with checks.opened(browser, example_site / "bare/index.html", width) as page:
        notice = page.get_by_role("complementary", name="Random weights")
        expect(notice).to_contain_text("nobody trained this network")
        expect(page.locator("h1")).to_contain_text("random weights")
        box, figure = notice.bounding_box(), page.locator("#circuit").bounding_box()
        assert box and figure and box["y"] + box["height"] <= figure["y"] and box["y"] < 700
        mark = page.locator(".kicker .untrained-mark")
        assert mark.evaluate("e => getComputedStyle(e).color") != page.locator(".kicker").evaluate(
            "e => getComputedStyle(e).color"
        )
    with checks.opened(browser, example_site / "index.html", width) as page:
        expect(page.locator("#bare .kicker .untrained-mark")).to_be_visible()
        expect(page.locator("#example-unit-195 .untrained-mark")).to_have_count(0)
    with checks.opened(browser, example_site / FULL, width) as page:
        expect(page.get_by_role("complementary", name="Random weights")).to_have_count(0)


@pytest.mark.parametrize(("width", "theme"), checks.LOOKS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible(browser: Browser, example_site: Path, name: str, width: int, theme: str) -> None:
    with checks.opened(browser, example_site / name, width, theme) as page:
        checks.unfold(page)
        checks.assert_accessible(page)


@pytest.mark.parametrize("name", [*PAGES, FULL])
def test_a_page_is_whole_without_scripts(browser: Browser, example_site: Path, name: str) -> None:
    with checks.opened(browser, example_site / name, scripts=False) as page:
        expect(page.locator("h1")).to_be_visible()
        expect(page.locator(".theme")).to_be_hidden()
        for image in page.locator(".hero .tile").all():
            expect(image).to_be_visible()
        folded = page.locator("details:not([open]):not(details details)")
        while folded.count():
            folded.first.locator("summary").first.click()
        if name == FULL:
            expect(page.locator(".input")).to_have_count(256)
            expect(page.locator(".input").last).to_be_visible()
            expect(page.locator(".order")).to_be_hidden()
            expect(page.locator(".sums > li:visible")).to_have_count(6 * 6)
            expect(page.locator(".sum-example:visible")).to_have_count(6 * 6)


def shown(page: Page) -> list[str]:
    """The inputs in sight, from the top."""
    return [each.get_attribute("id") or "" for each in page.locator("section > .inputs > .input").all()]


def by_rank(report: Report, rank: str) -> list[str]:
    return [f"input-{each.index}" for each in sorted(report.inputs, key=lambda each: int(getattr(each, rank)))]


@pytest.mark.parametrize("way", ["mouse", "keyboard"])
def test_inputs_are_ordered_by_each_rank(browser: Browser, example_site: Path, way: str) -> None:
    report = example.report()
    with checks.opened(browser, example_site / FULL) as page:
        assert shown(page) == by_rank(report, "rank")[:6]
        if way == "keyboard":
            page.get_by_role("button", name="norm", exact=True).focus()
        for name, rank in (
            ("mean |contribution|, all photos", "photo_place"),
            ("contribution, where strongest", "drop_place"),
        ):
            button = page.get_by_role("button", name=name)
            if way == "mouse":
                button.click()
            else:
                page.keyboard.press("Tab")
                expect(button).to_be_focused()
                page.keyboard.press("Enter")
            expect(button).to_have_attribute("aria-pressed", "true")
            expect(page.locator('.order [aria-pressed="true"]')).to_have_count(1)
            wanted = by_rank(report, rank)
            assert shown(page) == wanted[:6] != by_rank(report, "rank")[:6]
            folded = [each.get_attribute("id") for each in page.locator("#slices .input").all()]
            assert folded == wanted[6:]
            assert page.locator("section > .inputs .rank").all_inner_texts() == [str(place) for place in range(1, 7)]


def test_all_inputs_are_shown_on_demand(browser: Browser, example_site: Path) -> None:
    with checks.opened(browser, example_site / FULL) as page:
        last = page.locator("#slices .input").last
        expect(last).to_be_hidden()
        page.get_by_text("Show all 256").click()
        expect(last).to_be_visible()
        page.get_by_text("Show all 256").press("Enter")
        expect(last).to_be_hidden()


@pytest.mark.parametrize("way", ["hover", "focus", "click", "tap"])
def test_an_example_shows_its_own_sum_in_every_row(browser: Browser, example_site: Path, way: str) -> None:
    report = example.report()
    with checks.opened(browser, example_site / FULL, touch=way == "tap") as page:
        checks.unfold(page)
        row = page.locator(".input").nth(1)
        choice = row.get_by_role("button", name="Example 3")
        getattr(choice, way)()
        expect(page.locator('.choices [aria-pressed="true"]')).to_have_count(6)
        totals = page.locator(".sums > li:visible .sum-total b")
        assert totals.all_inner_texts() == [each.text for each in report.evidence.effects.bars[2].inputs]


def test_a_slice_looks_the_same_beside_every_example(browser: Browser, example_site: Path) -> None:
    with checks.opened(browser, example_site / FULL) as page:
        checks.unfold(page)
        row = page.locator(".input").first
        pictures = []
        for number in (1, 3):
            row.get_by_role("button", name=f"Example {number}").click()
            page.mouse.move(0, 0)
            pictures.append(row.locator(".sums > li:visible").get_by_label("Kernel slice of").screenshot())
        assert pictures[0] == pictures[1]


def background(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_theme_follows_the_system_and_then_the_reader(browser: Browser, example_site: Path, theme: str) -> None:
    with checks.opened(browser, example_site / FULL, theme=theme) as page:
        before = background(page)
        button = page.get_by_role("button", name="Dark theme" if theme == "light" else "Light theme")
        button.click()
        assert background(page) != before
        assert {before, background(page)} == {"rgb(255, 255, 255)", "rgb(19, 21, 23)"}
        page.get_by_role("button", name="Light theme" if theme == "light" else "Dark theme").press("Enter")
        assert background(page) == before


def test_the_chosen_theme_is_remembered_by_the_next_page(browser: Browser, example_site: Path) -> None:
    context = browser.new_context(color_scheme="light")
    try:
        page = context.new_page()
        page.goto((example_site / FULL).as_uri())
        page.get_by_role("button", name="Dark theme").click()
        page.goto((example_site / "index.html").as_uri())
        assert background(page) == "rgb(19, 21, 23)"
    finally:
        context.close()


@pytest.mark.parametrize("way", ["hover", "focus"])
def test_an_input_in_the_hero_lights_its_own_path(browser: Browser, example_site: Path, way: str) -> None:
    with checks.opened(browser, example_site / FULL) as page:
        sources = page.locator(".source")
        if way == "hover":
            sources.nth(2).hover()
        else:
            sources.nth(1).focus()
            page.keyboard.press("Tab")
        for place in range(6):
            expect(sources.nth(place)).to_have_css("opacity", "1" if place == 2 else "0.18")


@pytest.mark.parametrize("way", ["mouse", "keyboard", "touch"])
def test_an_input_in_the_hero_opens_its_panel(browser: Browser, example_site: Path, way: str) -> None:
    with checks.opened(browser, example_site / FULL, touch=way == "touch") as page:
        source = page.locator(".source").nth(4)
        panel = page.locator(source.get_attribute("href") or "")
        expect(panel.locator(".sums")).to_be_hidden()
        if way == "keyboard":
            source.press("Enter")
        else:
            (source.tap if way == "touch" else source.click)()
        expect(panel).to_be_in_viewport()
        expect(panel.locator(".sums")).to_be_visible()


def test_a_link_into_the_folded_table_unfolds_it(browser: Browser, example_site: Path) -> None:
    with checks.opened(browser, example_site / FULL, fragment="slices") as page:
        expect(page.locator("#slices .input").first).to_be_visible()


def test_the_index_leads_to_a_circuit_and_back(browser: Browser, example_site: Path) -> None:
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto((example_site / "index.html").as_uri())
        page.get_by_role("link", name="Spots on a light ground", exact=True).click()
        expect(page.locator("h1")).to_have_text("Spots on a light ground")
        page.get_by_role("link", name="Next").click()
        expect(page.locator("h1")).to_have_text(example.bare_report().title)
        page.locator("a.site-name").click()
        expect(page.locator("h1")).to_have_text("Circuits, unit by unit")
    finally:
        context.close()


def _moves(page: Page) -> bool:
    """Whether the film goes on: what is in its window now and in three frames' time."""
    at = "() => new DOMMatrix(getComputedStyle(document.querySelector('.film image')).transform).e"
    seen = {page.evaluate(at)}
    for _ in range(8):
        page.wait_for_timeout(250)
        seen.add(page.evaluate(at))
    return len(seen) > 1


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_the_film_is_seen_when_asked_for_and_moves_as_the_reader_likes(
    browser: Browser, example_site: Path, motion: Literal["no-preference", "reduce"]
) -> None:
    with checks.opened(browser, example_site / FULL) as page:
        page.emulate_media(reduced_motion=motion)
        film = page.locator(".film svg")
        expect(film).to_be_hidden()
        page.locator(".film summary").press("Enter")
        expect(film).to_be_visible()
        strip = film.locator("image")
        assert int(strip.get_attribute("width") or 0) == FILM_FRAMES * int(strip.get_attribute("height") or 0)
        at_first = motion == "no-preference"
        assert _moves(page) == at_first
        page.get_by_label("Pause" if at_first else "Play").press(" ")
        assert _moves(page) != at_first


def test_the_film_stops_at_its_last_frame() -> None:
    style = (REPOSITORY / "templates" / "assets" / "page.css").read_text(encoding="utf-8")
    assert f"steps({FILM_FRAMES - 1})" in style
    assert f"translateX(-{100 * (FILM_FRAMES - 1) / FILM_FRAMES}%)" in style


@pytest.mark.parametrize("way", ["keyboard", "touch"])
def test_the_parts_of_a_bar_are_read_without_a_mouse(browser: Browser, example_site: Path, way: str) -> None:
    report = example.report()
    bar = report.evidence.effects.bars[1]
    with checks.opened(browser, example_site / FULL, 375, touch=way == "touch") as page:
        item = page.locator(".bars > li").nth(1)
        words = item.locator("p")
        expect(words).to_be_hidden()
        summary = item.locator("summary")
        summary.tap() if way == "touch" else summary.press("Enter")
        for strong, value in zip(report.strongest, bar.inputs, strict=True):
            expect(words).to_contain_text(f"{strong.slice.label} {value.text},")
        expect(words).to_contain_text(f"bias {report.bias.text}, ")
        checks.assert_no_horizontal_scroll(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_line_is_called_by_what_it_is_in_every_theme(browser: Browser, example_site: Path, theme: str) -> None:
    """What a caption calls bold is the thickest of its drawing; none is called by a colour that the theme turns."""
    width = "all => all.map((each) => parseFloat(getComputedStyle(each).strokeWidth))"
    with checks.opened(browser, example_site / FULL, theme=theme) as page:
        checks.unfold(page)
        captions = " ".join(page.locator("figcaption, .caption").all_inner_texts()).lower()
        assert "bold: the unit; thin: its strongest inputs" in captions and "(the bold line)" in captions
        assert "dark" not in captions and "black" not in captions
        for bold, thin in ((".stacked .total", ".stacked .zero"), (".sweeps .own", ".sweeps .other")):
            assert min(page.eval_on_selector_all(bold, width)) >= 2 * max(page.eval_on_selector_all(thin, width))


@pytest.mark.parametrize("width", [320, 1280])
def test_texts_that_run_from_the_right_leave_figures_as_they_are(browser: Browser, tmp_path: Path, width: int) -> None:
    report = example.report(unit_hypothesis="<p>نقاط فاتحة على أرضية داكنة.</p>")
    site = example.site(report).model_copy(update={"language": "ar"})
    path = tmp_path / "index.html"
    path.write_text(render_index(site), encoding="utf-8")
    with checks.opened(browser, path, width) as page:
        expect(page.locator("html")).to_have_attribute("dir", "rtl")
        checks.assert_no_horizontal_scroll(page)
        assert page.evaluate("document.scrollingElement.scrollWidth") == width
        source, target = page.locator(".source").first.bounding_box(), page.locator(".target").bounding_box()
        assert source and target and source["x"] < target["x"]
        edges = """(each) => {
          const range = document.createRange(), box = each.getBoundingClientRect();
          range.selectNodeContents(each);
          const text = range.getBoundingClientRect();
          return [text.left - box.left, box.right - text.right];
        }"""
        left, right = page.locator("#hypothesis ~ .prose p").first.evaluate(edges)
        assert right < 1 and right <= left
        left, right = page.locator("#your-own + p").evaluate(edges)
        assert left < 1


def test_reduced_motion_is_respected(browser: Browser, example_site: Path) -> None:
    with checks.opened(browser, example_site / FULL) as page:
        source = page.locator(".source").first
        expect(source).not_to_have_css("transition-duration", "0s")
        page.emulate_media(reduced_motion="reduce")
        expect(source).to_have_css("transition-duration", "0s")


@pytest.mark.parametrize(
    "asked",
    ["?panel=circuit", "?panel=tuning", "?panel=whole-photos", "#panel=examples", "#panel=does", "#panel=claims"],
)
def test_one_panel_stands_alone(browser: Browser, example_site: Path, asked: str) -> None:
    panel = asked.partition("=")[2]
    with checks.opened(browser, example_site / FULL, 640) as page:
        page.goto(page.url + asked)
        expect(page.locator(f"#{panel}")).to_be_visible()
        expect(page.locator(".whole-page")).to_be_visible()
        expect(page.locator("h1")).to_be_visible(visible=False)
        for other in {"circuit", "norms", "provenance"} - {panel}:
            expect(page.locator(f"#{other}")).to_be_hidden()
        checks.assert_no_horizontal_scroll(page)
        page.locator(".whole-page").click()
        expect(page.locator("h1")).to_be_visible()
        expect(page.locator(".whole-page")).to_be_hidden()


def test_an_unknown_panel_leaves_the_page_whole(browser: Browser, example_site: Path) -> None:
    with checks.opened(browser, example_site / FULL) as page:
        page.goto(page.url + "?panel=nonsense%22]")
        expect(page.locator("h1")).to_be_visible()
        expect(page.locator(".whole-page")).to_be_hidden()


def printed(row: Locator) -> list[tuple[float, float]]:
    """The figures of a map, each with half a unit of its last decimal, by which it may be rounded."""
    found = []
    for text in row.locator("text").all_text_contents():
        decimals = len(text.partition(".")[2])
        found.append((float(text.replace(",", "").replace("−", "-")), 0.5001 * 10.0**-decimals))
    return found


def test_what_an_input_adds_is_worked_out_on_the_page(browser: Browser, example_site: Path) -> None:
    """The printed activations times the printed coefficients are the printed products, and those sum to the total."""
    with checks.opened(browser, example_site / FULL, scripts=False) as page:
        seen = 0
        for row in page.locator("section > .inputs > .input").all():
            lines = row.locator(".sums > li").all()
            kernel = printed(lines[0].locator("figure").nth(2))
            for line in lines:
                read, products = printed(line.locator("figure").nth(1)), printed(line.locator("figure").nth(3))
                assert len(read) == len(kernel) == len(products) == 9
                for (one, low), (other, fine), (product, coarse) in zip(read, kernel, products, strict=True):
                    assert abs(one * other - product) <= one * fine + abs(other) * low + low * fine + coarse
                total = float((line.locator("b").text_content() or "").replace(",", "").replace("−", "-"))
                rounded = sum(coarse for _, coarse in products)
                assert abs(sum(product for product, _ in products) - total) <= rounded + 0.006 * abs(total)
                seen += 1
        assert seen == 36


def test_a_picture_shows_where_the_place_that_holds_it_is_hidden(browser: Browser, example_site: Path) -> None:
    with checks.opened(browser, example_site / FULL) as page:
        page.goto(page.url.split("#")[0] + "?panel=looks-for")
        expect(page.locator("#circuit")).to_be_hidden()
        tile = page.locator(".unit .tile")
        expect(tile.locator("use")).to_have_count(1)
        pixels = np.asarray(Image.open(io.BytesIO(tile.screenshot())).convert("L"), float)
        assert pixels.std() > 20
