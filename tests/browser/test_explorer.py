"""The explorer of a sweep in Chromium: search, filters, keyboard, and the way from a unit to its inputs and back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import checks
from tests.conftest import REPOSITORY
from tests.layers.setups import run

EXAMPLE = REPOSITORY / "examples" / "squeezenet-fire5.yaml"
UNITS = 416


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's explorer, its pictures small and made in few steps."""
    folder = tmp_path_factory.mktemp("explorer")
    text = EXAMPLE.read_text()
    quick = re.sub(r"size: \d+\n  steps: \d+", "size: 32\n  steps: 2\n  attempts: 1", text)
    assert quick != text
    (folder / "config.yaml").write_text(quick)
    run(folder / "config.yaml")
    return folder / "fire5-site"


def _shown(page: Page) -> int:
    return page.locator(".sheet li:visible").count()


@pytest.mark.parametrize("width", checks.WIDTHS)
@pytest.mark.parametrize("name", ["index.html", "fire5-expand3x3/3.html", "fire4-expand1x1/0.html"])
def test_pages_open_whole(browser: Browser, site: Path, name: str, width: int) -> None:
    with checks.opened(browser, site / name, width, site=site) as page:
        page.evaluate("for (const each of document.images) each.loading = 'eager'")
        checks.assert_decoded(page)
        checks.assert_no_horizontal_scroll(page)


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (320, "dark")])
@pytest.mark.parametrize("name", ["index.html", "fire5-expand3x3/3.html"])
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


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("fire5", 160),
        ("fire5/expand3x3", 128),
        ("fire5/expand3x3:7", 1),
        ("expand 7", 3),
        ("7", 4),
        ("FIRE4/EXPAND1 15", 1),
        ("squeeze", 32),
    ],
)
def test_search_goes_by_layer_and_unit(browser: Browser, site: Path, words: str, count: int) -> None:
    with checks.opened(browser, site / "index.html", site=site) as page:
        page.fill("#search", words)
        assert _shown(page) == count
        expect(page.locator(".found")).to_have_text(f"{count} of {UNITS} units")


def test_what_is_nowhere_can_be_undone(browser: Browser, site: Path) -> None:
    with checks.opened(browser, site / "index.html", site=site) as page:
        page.fill("#search", "fire5/expand3x3 999")
        assert _shown(page) == 0
        expect(page.locator(".nothing")).to_be_visible()
        page.click("#all")
        assert _shown(page) == UNITS


@pytest.mark.parametrize(
    ("name", "above"), [("strength", True), ("firing", False), ("orientation", True), ("hue", True)]
)
def test_filters_go_by_the_figures(browser: Browser, site: Path, name: str, above: bool) -> None:
    with checks.opened(browser, site / "index.html", site=site) as page:
        slider = page.locator(f"[data-filter={name}]")
        low, high = (float(slider.get_attribute(end) or "nan") for end in ("min", "max"))
        slider.fill(
            str(
                round((low + high) / 2 / float(slider.get_attribute("step") or 1))
                * float(slider.get_attribute("step") or 1)
            )
        )
        bound = float(slider.input_value())
        values = page.eval_on_selector_all(f".sheet a[data-{name}]", f"all => all.map(each => each.dataset.{name})")
        kept = [value for value in values if value and (float(value) >= bound if above else float(value) <= bound)]
        assert _shown(page) == len(kept) and 0 < len(kept) < UNITS
        page.keyboard.press("Escape")
        assert _shown(page) == UNITS


def test_order_goes_by_the_figures(browser: Browser, site: Path) -> None:
    with checks.opened(browser, site / "index.html", site=site) as page:
        page.select_option("#order", "strength")
        values = page.eval_on_selector_all(
            "#fire5-squeeze1x1 a[data-strength]", "all => all.map(each => +each.dataset.strength)"
        )
        assert values == sorted(values, reverse=True) and len(values) == 32
        page.select_option("#order", "unit")
        units = page.eval_on_selector_all(
            "#fire5-squeeze1x1 a[data-unit]", "all => all.map(each => +each.dataset.unit)"
        )
        assert units == list(range(32))


def test_the_explorer_by_keyboard_alone(browser: Browser, site: Path) -> None:
    def focused() -> str:
        return str(page.evaluate("document.activeElement.getAttribute('href')"))

    with checks.opened(browser, site / "index.html", site=site) as page:
        page.keyboard.press("/")
        page.keyboard.type("fire5/expand")
        assert _shown(page) == 128
        page.keyboard.press("ArrowDown")
        assert focused() == "fire5-expand3x3/0.html"
        page.keyboard.press("ArrowRight")
        assert focused() == "fire5-expand3x3/1.html"
        page.keyboard.press("ArrowDown")
        below = focused()
        assert below != "fire5-expand3x3/1.html"
        page.keyboard.press("ArrowUp")
        assert focused() == "fire5-expand3x3/1.html"
        page.keyboard.press("End")
        assert focused() == "fire5-expand3x3/127.html"
        page.keyboard.press("Enter")
        page.wait_for_url("**/fire5-expand3x3/127.html")
        page.keyboard.press("ArrowLeft")
        page.wait_for_url("**/fire5-expand3x3/126.html")
        page.keyboard.press("ArrowRight")
        page.wait_for_url("**/fire5-expand3x3/127.html")
        page.keyboard.press("ArrowUp")
        page.wait_for_url("**/index.html")


def test_from_a_unit_to_an_input_to_its_input_and_back(browser: Browser, site: Path) -> None:
    with checks.opened(browser, site / "index.html", site=site) as page:
        page.click("a[href='fire5-expand3x3/3.html']")
        page.wait_for_url("**/fire5-expand3x3/3.html")
        page.click(".connections a[href*='fire5-squeeze1x1/']:not([tabindex])")
        page.wait_for_url("**/fire5-squeeze1x1/*.html")
        reads = page.locator("section", has=page.get_by_role("heading", name="What it reads"))
        reads.locator("a[href*='fire4-expand']:not([tabindex])").first.click()
        page.wait_for_url("**/fire4-expand*/*.html")
        page.go_back()
        page.go_back()
        page.wait_for_url("**/fire5-expand3x3/3.html")
        # And the other way, from what is read to who reads it.
        page.click(".connections a[href*='fire5-squeeze1x1/']:not([tabindex])")
        page.wait_for_url("**/fire5-squeeze1x1/*.html")
        readers = page.locator("section", has=page.get_by_role("heading", name="Who reads it"))
        assert readers.locator("li").count() == 6
