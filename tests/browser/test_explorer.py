"""The explorer of a sweep in Chromium: search, filters, keyboard, and the way from a unit to its inputs and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import checks

UNITS = 80


@pytest.fixture(scope="module")
def site(sweep_site: Path) -> Path:
    return sweep_site / "site"


def _shown(page: Page) -> int:
    return page.locator(".sheet li:visible").count()


@pytest.mark.parametrize("width", checks.WIDTHS)
@pytest.mark.parametrize("name", ["index.html", "fire2-squeeze1x1/3.html"])
def test_pages_open_whole(browser: Browser, site: Path, name: str, width: int) -> None:
    with checks.opened(browser, site / name, width, site=site) as page:
        page.evaluate("for (const each of document.images) each.loading = 'eager'")
        checks.assert_decoded(page)
        checks.assert_no_horizontal_scroll(page)


@pytest.mark.parametrize(("width", "theme"), checks.LOOKS)
@pytest.mark.parametrize("name", ["index.html", "fire2-squeeze1x1/3.html"])
def test_pages_are_accessible(browser: Browser, site: Path, name: str, width: int, theme: str) -> None:
    with checks.opened(browser, site / name, width, theme, site=site) as page:
        checks.assert_accessible(page)


def test_without_scripts_all_units_are_there(browser: Browser, site: Path) -> None:
    with checks.opened(browser, site / "index.html", scripts=False, site=site) as page:
        assert _shown(page) == UNITS
        expect(page.locator(".controls")).to_be_hidden()


def test_pictures_out_of_sight_are_not_loaded(browser: Browser, site: Path) -> None:
    with checks.opened(browser, site / "index.html", site=site) as page:
        assert page.locator(".sheet img:not([loading=lazy])").count() == 0


def test_search_goes_by_layer_and_unit(browser: Browser, site: Path) -> None:
    searches = {"fire2": 16, "conv1": 64, "fire2/squeeze1x1:7": 1, "squeeze 7": 1, "7": 2, "FIRE2/SQUEEZE1 15": 1}
    with checks.opened(browser, site / "index.html", site=site) as page:
        for words, count in searches.items():
            page.fill("#search", words)
            assert _shown(page) == count, words
            expect(page.locator(".found")).to_have_text(f"{count} of {UNITS} units")


def test_what_is_nowhere_can_be_undone(browser: Browser, site: Path) -> None:
    with checks.opened(browser, site / "index.html", site=site) as page:
        page.fill("#search", "conv1 999")
        assert _shown(page) == 0
        expect(page.locator(".nothing")).to_be_visible()
        page.click("#all")
        assert _shown(page) == UNITS


def test_filters_go_by_the_figures(browser: Browser, site: Path) -> None:
    with checks.opened(browser, site / "index.html", site=site) as page:
        for name in ("strength", "firing", "orientation", "hue"):
            slider = page.locator(f"[data-filter={name}]")
            low, high = (float(slider.get_attribute(end) or "nan") for end in ("min", "max"))
            step = float(slider.get_attribute("step") or 1)
            slider.fill(str(round((low + high) / 2 / step) * step))
            bound = float(slider.input_value())
            values = page.eval_on_selector_all(f".sheet a[data-{name}]", f"all => all.map(each => each.dataset.{name})")
            inside = [
                value
                for value in values
                if value and (float(value) <= bound if name == "firing" else float(value) >= bound)
            ]
            assert _shown(page) == len(inside) and 0 < len(inside) < UNITS, name
            page.keyboard.press("Escape")
            assert _shown(page) == UNITS


def test_order_goes_by_the_figures(browser: Browser, site: Path) -> None:
    with checks.opened(browser, site / "index.html", site=site) as page:
        page.select_option("#order", "strength")
        values = page.eval_on_selector_all(
            "#fire2-squeeze1x1 a[data-strength]", "all => all.map(each => +each.dataset.strength)"
        )
        assert values == sorted(values, reverse=True) and len(values) == 16
        page.select_option("#order", "unit")
        units = page.eval_on_selector_all(
            "#fire2-squeeze1x1 a[data-unit]", "all => all.map(each => +each.dataset.unit)"
        )
        assert units == list(range(16))


def test_the_explorer_by_keyboard_alone(browser: Browser, site: Path) -> None:
    def focused() -> str:
        return str(page.evaluate("document.activeElement.getAttribute('href')"))

    with checks.opened(browser, site / "index.html", site=site) as page:
        page.keyboard.press("/")
        page.keyboard.type("conv")
        assert _shown(page) == 64
        page.keyboard.press("ArrowDown")
        assert focused() == "conv1/0.html"
        page.keyboard.press("ArrowRight")
        assert focused() == "conv1/1.html"
        page.keyboard.press("ArrowDown")
        below = focused()
        assert below != "conv1/1.html"
        page.keyboard.press("ArrowUp")
        assert focused() == "conv1/1.html"
        page.keyboard.press("End")
        assert focused() == "conv1/63.html"
        page.keyboard.press("Enter")
        page.wait_for_url("**/conv1/63.html")
        page.keyboard.press("ArrowLeft")
        page.wait_for_url("**/conv1/62.html")
        page.keyboard.press("ArrowRight")
        page.wait_for_url("**/conv1/63.html")
        page.keyboard.press("ArrowUp")
        page.wait_for_url("**/index.html")


def test_from_a_unit_to_an_input_to_its_reader_and_back(browser: Browser, site: Path) -> None:
    with checks.opened(browser, site / "index.html", site=site) as page:
        page.click("a[href='fire2-squeeze1x1/3.html']")
        page.wait_for_url("**/fire2-squeeze1x1/3.html")
        reads = page.locator("section", has=page.get_by_role("heading", name="What it reads"))
        reads.locator("a[href*='conv1/']:not([tabindex])").first.click()
        page.wait_for_url("**/conv1/*.html")
        readers = page.locator("section", has=page.get_by_role("heading", name="Who reads it"))
        assert readers.locator("li").count() > 0
        readers.locator("a[href*='fire2-squeeze1x1/']:not([tabindex])").first.click()
        page.wait_for_url("**/fire2-squeeze1x1/*.html")
        page.go_back()
        page.go_back()
        page.wait_for_url("**/fire2-squeeze1x1/3.html")
