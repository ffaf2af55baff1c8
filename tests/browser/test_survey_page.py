"""The contact sheet of a layer in Chromium: order, keyboard, the chosen unit, links, and nothing from elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import checks

COLUMNS = ("strength", "firing", "sparsity", "orientation", "hue", "share", "effective", "grouping", "likeness")
UNITS = 16


@pytest.fixture(scope="module")
def sheet(surveyed: Path) -> Path:
    return surveyed / "survey" / "squeezenet1-1-fire2-squeeze1x1" / "index.html"


def _chosen(page: Page) -> str:
    return page.locator(".chosen .number").inner_text()


def _order(page: Page) -> list[int]:
    return page.eval_on_selector_all(
        ".sheet a[data-unit]", "all => all.filter(each => each.offsetParent).map(each => +each.dataset.unit)"
    )


@pytest.mark.parametrize("width", checks.WIDTHS)
def test_the_page_opens_whole(browser: Browser, sheet: Path, width: int) -> None:
    with checks.opened(browser, sheet, width, site=sheet.parent) as page:
        page.evaluate("for (const each of document.images) each.loading = 'eager'")
        checks.assert_decoded(page)
        checks.assert_no_horizontal_scroll(page)


@pytest.mark.parametrize(("width", "theme"), checks.LOOKS)
def test_the_page_is_accessible(browser: Browser, sheet: Path, width: int, theme: str) -> None:
    with checks.opened(browser, sheet, width, theme, site=sheet.parent) as page:
        page.select_option("#order", "strength")
        checks.assert_accessible(page)


def test_without_scripts_all_figures_are_there(browser: Browser, sheet: Path) -> None:
    with checks.opened(browser, sheet, scripts=False, site=sheet.parent) as page:
        assert page.locator(".sheet li:visible").count() == UNITS
        assert page.locator(".figures tbody tr:visible").count() == UNITS
        assert _chosen(page) == "0"
        for hidden in (".controls", ".copy", ".keys"):
            expect(page.locator(hidden)).to_be_hidden()
        page.click(".sheet a[data-unit='5']")
        assert page.evaluate("location.hash") == "#unit-5"


def test_units_are_ordered_by_any_figure(browser: Browser, sheet: Path) -> None:
    units = json.loads((sheet.parent / "survey.json").read_text())["units"]
    with checks.opened(browser, sheet, site=sheet.parent) as page:
        for place, name in enumerate(COLUMNS, 3):
            known = {each["unit"]: each[name] for each in units if each[name] is not None}
            last = [each["unit"] for each in units if each[name] is None]
            page.select_option("#order", name)
            assert _order(page) == sorted(known, key=lambda unit: (-known[unit], unit)) + last, name
            page.check("#reverse")
            assert _order(page) == sorted(known, key=lambda unit: (known[unit], unit)) + last, name
            # What they are ordered by stands below each picture, as the table has it.
            below = page.eval_on_selector_all(
                ".sheet a", "all => all.map(each => [+each.dataset.unit, each.querySelector('.value').textContent])"
            )
            for unit, text in below:
                assert text == page.locator(f"#unit-{unit} > :nth-child({place}) > span").first.inner_text()
            page.uncheck("#reverse")
        page.select_option("#order", "unit")
        assert _order(page) == list(range(UNITS))


def test_the_table_is_sorted_by_its_heads(browser: Browser, sheet: Path) -> None:
    def rows() -> list[int]:
        return page.eval_on_selector_all(".figures tbody tr", "all => all.map(each => +each.id.slice('unit-'.length))")

    units = json.loads((sheet.parent / "survey.json").read_text())["units"]
    values = {each["unit"]: each["strength"] for each in units}
    with checks.opened(browser, sheet, site=sheet.parent) as page:
        head = page.locator(".figures th[data-name=strength]")
        head.get_by_role("button").click()
        assert rows() == sorted(values, key=lambda unit: (-values[unit], unit))
        assert head.get_attribute("aria-sort") == "descending"
        head.get_by_role("button").press("Enter")
        assert rows() == sorted(values, key=lambda unit: (values[unit], unit))
        page.locator(".figures th[data-name=unit] button").click()
        assert rows() == list(range(UNITS)) and head.get_attribute("aria-sort") is None


def test_the_sheet_by_keyboard_alone(browser: Browser, sheet: Path) -> None:
    def focused() -> str:
        return str(page.evaluate("document.activeElement.dataset.unit ?? document.activeElement.id"))

    with checks.opened(browser, sheet, site=sheet.parent) as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.keyboard.press("/")
        page.keyboard.type("7")
        assert _order(page) == [7]
        page.keyboard.press("ArrowDown")
        assert focused() == _chosen(page) == "7"
        page.keyboard.press("Escape")
        assert _order(page) == list(range(UNITS))
        page.keyboard.press("ArrowRight")
        assert focused() == _chosen(page) == "8"
        page.keyboard.press("Home")
        assert focused() == _chosen(page) == "0"
        page.keyboard.press("ArrowDown")
        below = focused()
        assert below == _chosen(page) != "0"
        page.keyboard.press("Enter")
        assert focused() == "chosen" and page.evaluate("location.hash") == f"#unit-{below}"
        page.keyboard.press("Escape")
        assert focused() == below
        page.keyboard.press("c")
        expect(page.locator(".chosen [role=status]")).to_have_text("Copied")
        lines = page.evaluate("navigator.clipboard.readText()")
        assert lines.splitlines() == [
            f"  - name: squeezenet1-1-fire2-squeeze1x1-{below}",
            "    network: {model: squeezenet1.1}",
            f"    unit: {{layer: fire2/squeeze1x1, index: {below}}}",
        ]


def test_the_chosen_unit_is_told_by_its_own_figures(browser: Browser, sheet: Path) -> None:
    units = json.loads((sheet.parent / "survey.json").read_text())["units"]
    with checks.opened(browser, sheet, fragment="unit-5", site=sheet.parent) as page:
        assert _chosen(page) == "5"
        page.click(".sheet a[data-unit='9']")
        assert _chosen(page) == "9" and page.locator(".sheet a[aria-current]").get_attribute("data-unit") == "9"
        own = units[9]
        for name in COLUMNS:
            group = page.locator(f".standing [data-name={name}]")
            text = group.locator("dd").first.inner_text()
            shown = group.locator(".here")
            if own[name] is None:
                assert text == "none" and shown.get_attribute("visibility") == "hidden"
                continue
            value, control = (float(each.strip(" %×")) for each in text.split("/"))
            assert value == pytest.approx(own[name], abs=0.051)
            if f"{name}_chance" in own:
                assert control == pytest.approx(own[f"{name}_chance"], abs=0.051)
            strip = group.locator(".strip")
            low, high = (float(strip.get_attribute(f"data-{end}") or "nan") for end in ("low", "high"))
            place = float((shown.get_attribute("d") or "").removeprefix("M").split(" ")[0])
            assert place == pytest.approx(100 * (own[name] - low) / (high - low), abs=0.01)
        expect(page.locator(".chosen .seen")).to_have_attribute("src", "examples/9.webp")
        near = [str(each["unit"]) for each in own["nearest"]]
        assert page.locator(".like a").all_inner_texts() == near
        page.locator(".like a").first.click()
        assert _chosen(page) == near[0]


def test_from_a_unit_to_its_page(browser: Browser, surveyed: Path, sheet: Path) -> None:
    with checks.opened(browser, sheet, site=surveyed) as page:
        page.click(".sheet a[data-unit='2']")
        page.get_by_role("link", name="Its page").click()
        page.wait_for_url("**/site/fire2-squeeze1x1/2.html")


def test_in_a_narrow_window_a_unit_is_told_below_its_row(browser: Browser, sheet: Path) -> None:
    with checks.opened(browser, sheet, 375, site=sheet.parent, touch=True) as page:
        for unit in ("1", "11"):
            tile = page.locator(f".sheet a[data-unit='{unit}']")
            tile.tap()
            assert _chosen(page) == unit
            above, below = tile.bounding_box(), page.locator(".chosen").bounding_box()
            assert above and below and 0 < below["y"] - above["y"] < 160
            checks.assert_no_horizontal_scroll(page)
        page.set_viewport_size({"width": 1280, "height": 800})
        assert page.locator(".sheet .chosen").count() == 0 and _chosen(page) == "11"
