from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import checks

PAGES = ("index.html", "example-unit-195/index.html", "first-layer/index.html")
FULL = "example-unit-195/index.html"


@pytest.mark.parametrize("width", checks.WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_whole_at_any_width(browser: Browser, example_site: Path, name: str, width: int) -> None:
    with checks.opened(browser, example_site / name, width) as page:
        checks.assert_decoded(page)
        checks.assert_no_horizontal_scroll(page)
        checks.unfold(page)
        checks.assert_no_horizontal_scroll(page)


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (1280, "dark"), (320, "light"), (320, "dark")])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible(browser: Browser, example_site: Path, name: str, width: int, theme: str) -> None:
    with checks.opened(browser, example_site / name, width, theme) as page:
        checks.unfold(page)
        checks.assert_accessible(page)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_without_scripts(browser: Browser, example_site: Path, name: str) -> None:
    with checks.opened(browser, example_site / name, scripts=False) as page:
        expect(page.locator("h1")).to_be_visible()
        expect(page.locator(".theme")).to_be_hidden()
        for image in page.locator(".hero img").all():
            expect(image).to_be_visible()
        for fold in page.locator("details:not(details details)").all():
            fold.locator("summary").first.click()
        expect(page.locator("details:not([open]):not(details details)")).to_have_count(0)
        if name == FULL:
            expect(page.locator(".sortable tbody tr").last).to_be_visible()
            expect(page.locator(".sortable tbody tr")).to_have_count(256)
            expect(page.locator(".sortable thead button")).to_have_count(0)


def first_values(page: Page, column: int) -> list[str]:
    cells = page.locator(f".sortable tbody tr > :nth-child({column + 1})")
    return [cell.get_attribute("data-value") or "" for cell in cells.all()[:12]]


def heading(page: Page, name: str) -> tuple[int, str | None]:
    index = [words.split("\n")[0].strip() for words in page.locator(".sortable thead th").all_inner_texts()].index(name)
    return index, page.locator(".sortable thead th").nth(index).get_attribute("aria-sort")


def test_the_table_sorts_by_mouse(browser: Browser, example_site: Path) -> None:
    with checks.opened(browser, example_site / FULL) as page:
        page.locator("#slices > summary").click()
        assert heading(page, "Rank")[1] == "ascending"
        ranks = first_values(page, heading(page, "Rank")[0])
        assert ranks == [str(rank) for rank in range(1, 13)]
        for name, numeric in (("Sum", True), ("Index", True), ("Mass +", True), ("Input", False), ("Called", False)):
            button = page.locator(".sortable thead button", has_text=name).first
            orders = []
            for _ in range(2):
                button.click()
                column, order = heading(page, name)
                values = first_values(page, column)
                keys = [float(value) for value in values] if numeric else [_natural(value) for value in values]
                assert keys == sorted(keys, reverse=order == "descending")
                orders.append(order)
            assert sorted(map(str, orders)) == ["ascending", "descending"]
            assert page.locator("[aria-sort]").count() == 1
        expect(page.locator(".sortable tbody tr")).to_have_count(256)


def _natural(label: str) -> tuple[str, int]:
    name, _, number = label.partition(":")
    return name, int(number or 0)


def test_the_table_sorts_by_keyboard(browser: Browser, example_site: Path) -> None:
    with checks.opened(browser, example_site / FULL) as page:
        page.locator("#slices > summary").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert heading(page, "Rank")[1] == "descending"
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        column, order = heading(page, "Index")
        assert order == "ascending"
        assert first_values(page, column) == [str(index) for index in range(12)]


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


def test_an_input_in_the_hero_leads_to_its_row(browser: Browser, example_site: Path) -> None:
    with checks.opened(browser, example_site / FULL) as page:
        source = page.locator(".source").nth(4)
        target = (source.get_attribute("href") or "").removeprefix("#")
        source.click()
        expect(page.locator(f"#{target}")).to_be_in_viewport()


def test_a_link_into_the_folded_table_unfolds_it(browser: Browser, example_site: Path) -> None:
    with checks.opened(browser, example_site / FULL, fragment="slices") as page:
        expect(page.locator(".sortable")).to_be_visible()


def test_the_index_leads_to_a_circuit_and_back(browser: Browser, example_site: Path) -> None:
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto((example_site / "index.html").as_uri())
        page.get_by_role("link", name="Spots on a light ground", exact=True).click()
        expect(page.locator("h1")).to_have_text("Spots on a light ground")
        page.get_by_role("link", name="Next").click()
        expect(page.locator("h1")).to_have_text("VGG19 conv1 unit 4")
        page.locator("a.site-name").click()
        expect(page.locator("h1")).to_have_text("Circuits, unit by unit")
    finally:
        context.close()


def test_print_unfolds_what_is_folded(browser: Browser, example_site: Path, tmp_path: Path) -> None:
    with checks.opened(browser, example_site / FULL) as page:
        table = page.locator(".sortable")
        expect(table).to_be_hidden()
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        expect(table).to_be_visible()
        page.pdf(path=tmp_path / "page.pdf", format="A4")
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        page.emulate_media(media="screen")
        expect(table).to_be_hidden()
        assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")


def test_reduced_motion_is_respected(browser: Browser, example_site: Path) -> None:
    with checks.opened(browser, example_site / FULL) as page:
        expect(page.locator("html")).to_have_css("scroll-behavior", "smooth")
        page.emulate_media(reduced_motion="reduce")
        expect(page.locator("html")).to_have_css("scroll-behavior", "auto")
        expect(page.locator(".source").first).to_have_css("transition-duration", "0s")


def test_a_script_that_gets_into_a_page_does_not_run(browser: Browser, example_site: Path, tmp_path: Path) -> None:
    text = (example_site / FULL).read_text(encoding="utf-8")
    broken = tmp_path / "broken.html"
    broken.write_text(
        text.replace("<h1>", '<h1><script>document.title = "run"</script><img src=x onerror="document.title=1">')
    )
    context = browser.new_context(offline=True)
    try:
        page = context.new_page()
        page.goto(broken.as_uri())
        assert page.title().startswith("Spots on a light ground")
    finally:
        context.close()


@pytest.mark.parametrize("ask", ["?panel={}", "#panel={}"])
@pytest.mark.parametrize("panel", ["circuit", "examples", "does", "tuning", "whole-photos", "claims"])
def test_one_panel_stands_alone(browser: Browser, example_site: Path, panel: str, ask: str) -> None:
    with checks.opened(browser, example_site / FULL, 640) as page:
        page.goto(page.url.split("#")[0] + ask.format(panel))
        expect(page.locator(f"#{panel}")).to_be_visible()
        expect(page.locator(".whole-page")).to_be_visible()
        expect(page.locator("h1")).to_be_visible(visible=False)
        others = [each for each in ("circuit", "norms", "provenance") if each != panel]
        for each in others:
            expect(page.locator(f"#{each}")).to_be_hidden()
        checks.assert_no_horizontal_scroll(page)
        page.locator(".whole-page").click()
        expect(page.locator("h1")).to_be_visible()
        expect(page.locator(".whole-page")).to_be_hidden()


def test_an_unknown_panel_leaves_the_page_whole(browser: Browser, example_site: Path) -> None:
    with checks.opened(browser, example_site / FULL) as page:
        page.goto(page.url + "?panel=nonsense%22]")
        expect(page.locator("h1")).to_be_visible()
        expect(page.locator(".whole-page")).to_be_hidden()


def test_inputs_are_ordered_by_mouse_and_keyboard(browser: Browser, example_site: Path) -> None:
    with checks.opened(browser, example_site / FULL) as page:
        rows = page.locator(".inputs > .input")

        def places(key: str) -> list[int]:
            return [int(row.get_attribute(f"data-{key}") or 0) for row in rows.all()]

        first = [row.get_attribute("id") for row in rows.all()]
        page.get_by_role("button", name="size over photos").click()
        assert places("photos") == sorted(places("photos"))
        page.get_by_role("button", name="effect where it fires most").focus()
        page.keyboard.press("Enter")
        assert places("drop") == sorted(places("drop"))
        pressed = page.locator(".order [aria-pressed=true]")
        expect(pressed).to_have_count(1)
        expect(pressed).to_have_text("effect where it fires most")
        page.get_by_role("button", name="norm", exact=True).click()
        assert [row.get_attribute("id") for row in rows.all()] == first


def test_what_an_input_adds_is_worked_out_on_the_page(browser: Browser, example_site: Path) -> None:
    """The printed activations times the printed coefficients, summed, are the printed contribution."""
    with checks.opened(browser, example_site / FULL) as page:
        checks.unfold(page)
        seen = 0
        for row in page.locator(".inputs > .input").all():
            cells = row.locator(".coefficients-table td").all_inner_texts()
            kernel = [float(text.replace("−", "-")) for text in cells]
            for line in row.locator(".sums > li").all():
                values = [float(text.replace(",", "")) for text in line.locator(".grid td").all_inner_texts()]
                shown = float(line.locator("b").inner_text().replace(",", "").replace("−", "-"))
                rounding = 0.0006 * sum(values) + 0.006 * abs(shown) + 1
                assert abs(sum(one * other for one, other in zip(values, kernel, strict=True)) - shown) < rounding
                seen += 1
        assert seen == 24


def test_circuits_stand_side_by_side(browser: Browser, example_site: Path) -> None:
    with checks.opened(browser, example_site / "index.html") as page:
        table = page.locator("table.compare")
        expect(table.locator("thead th")).to_have_count(2)
        expect(table.get_by_role("row", name="answers most to")).to_be_visible()
