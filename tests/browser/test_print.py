"""Pages on paper: A4, with everything that is folded, and nothing cut off."""

from __future__ import annotations

import unicodedata
from io import BytesIO
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader

from tests.browser import checks
from tests.browser.test_pages import FULL
from tests.places import REPOSITORY

SITE = REPOSITORY / "site"
PAGES = [path.relative_to(SITE).as_posix() for path in sorted(SITE.rglob("index.html"))]
# What A4 leaves between the margins of 16 mm that the style asks for, in CSS pixels.
PRINTED_WIDTH = int((210 - 2 * 16) / 25.4 * 96)
# The last words of each folded part but films; formulas and drawings come out of a PDF in pieces.
_FOLDED = """
() => [...document.querySelectorAll("details:not([open], .film)")].map((folded) =>
  [...folded.querySelectorAll("p, td, th, li, dd, figcaption, pre")]
    .filter((each) => !each.closest("summary, svg, .hidden") && !each.querySelector("math, p, li, svg, .hidden"))
    .map((each) => each.textContent.trim()).filter((text) => text.length > 3).at(-1))
  .filter(Boolean)
"""
_CUT_OFF = """
() => [...document.querySelectorAll("main *")]
  .filter((each) => !each.closest(".hidden, svg svg, math") && each.getBoundingClientRect().width > 0)
  .filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
  .map((each) => `${each.tagName} ${each.getAttribute("class") ?? ""} ${each.getBoundingClientRect().right}`)
"""


def _plain(text: str) -> str:
    """Letters and figures alone: where a line or a word is broken, and how, doesn't matter."""
    return "".join(each for each in unicodedata.normalize("NFKC", text) if each.isalnum())


def _printed(page: Page) -> PdfReader:
    return PdfReader(BytesIO(page.pdf(prefer_css_page_size=True, format="A4", print_background=True)))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_site_prints_whole(browser: Browser, name: str) -> None:
    with checks.opened(browser, SITE / name) as page:
        folded = page.evaluate(_FOLDED)
        pdf = _printed(page)
    text = _plain("".join(sheet.extract_text() for sheet in pdf.pages))
    assert [each for each in folded if _plain(each)[-20:] not in text] == []
    if "/" in name:
        assert len(folded) > 5
        assert 5 <= len(pdf.pages) <= 60
    for sheet in pdf.pages:
        assert (float(sheet.mediabox.width), float(sheet.mediabox.height)) == pytest.approx((595, 842), abs=2)


@pytest.mark.parametrize("name", PAGES)
def test_nothing_of_a_printed_page_is_cut_off(browser: Browser, name: str) -> None:
    with checks.opened(browser, SITE / name, PRINTED_WIDTH) as page:
        page.emulate_media(media="print")
        checks.unfold(page)
        assert page.evaluate(_CUT_OFF) == []
        checks.assert_no_horizontal_scroll(page)


def test_what_is_folded_is_folded_again_after_printing(browser: Browser, example_site: Path) -> None:
    with checks.opened(browser, example_site / FULL) as page:
        others = page.locator("#slices .inputs")
        expect(others).to_be_hidden()
        last = others.locator(".input").last.locator("dd").all_text_contents()
        pdf = _printed(page)
        text = _plain("".join(sheet.extract_text() for sheet in pdf.pages))
        assert [each for each in last if _plain(each) not in text] == []
        expect(others).to_be_hidden()


def test_arrows_on_paper_lead_to_the_unit(browser: Browser, example_site: Path) -> None:
    with checks.opened(browser, example_site / FULL, PRINTED_WIDTH) as page:
        page.emulate_media(media="print")
        unit = page.locator(".target .tile").bounding_box()
        assert unit is not None
        for arrow in page.locator(".source .arrow").all():
            box = arrow.bounding_box()
            assert box is not None
            assert box["x"] + box["width"] == pytest.approx(unit["x"], abs=6)
