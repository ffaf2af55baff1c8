"""The committed site, page by page."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from tests.browser import checks
from vizengine.page.report import Report
from vizengine.page.verify import verify

SITE = Path(__file__).resolve().parent.parent.parent / "site"
PAGES = [path.relative_to(SITE).as_posix() for path in sorted(SITE.rglob("index.html"))]


def test_the_site_stands_up_to_verification_and_is_small() -> None:
    files = {path.relative_to(SITE).as_posix(): path.read_bytes() for path in SITE.rglob("*") if path.is_file()}
    assert verify(files) == []
    assert len(PAGES) == 3
    assert sum(map(len, files.values())) < 5_000_000


@pytest.mark.parametrize("width", checks.WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_site_opens_whole(browser: Browser, name: str, width: int) -> None:
    with checks.opened(browser, SITE / name, width) as page:
        checks.assert_decoded(page)
        checks.assert_no_horizontal_scroll(page)
        checks.unfold(page)
        checks.assert_no_horizontal_scroll(page)


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (1280, "dark"), (320, "light"), (320, "dark")])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_site_is_accessible(browser: Browser, name: str, width: int, theme: str) -> None:
    with checks.opened(browser, SITE / name, width, theme) as page:
        checks.unfold(page)
        checks.assert_accessible(page)


@pytest.mark.parametrize("width", checks.WIDTHS)
def test_circuits_side_by_side_keep_to_their_cells(browser: Browser, width: int) -> None:
    with checks.opened(browser, SITE / "index.html", width) as page:
        wider = "all => all.filter((each) => each.scrollWidth > each.clientWidth + 1).map((each) => each.textContent)"
        assert page.eval_on_selector_all(".compare :is(th, td)", wider) == []
        assert page.locator(".compare td").count() > 10


CIRCUITS = [name for name in PAGES if "/" in name]


@pytest.mark.parametrize("name", CIRCUITS)
def test_a_reader_goes_through_a_page_of_the_site(browser: Browser, name: str) -> None:
    """From the first figure to an input's panel, through the examples and the ranks, by mouse and by keyboard."""
    report = Report.model_validate_json((SITE / name).with_name("circuit.json").read_bytes())
    with checks.opened(browser, SITE / name) as page:
        sources = page.locator(".source")
        sources.nth(1).hover()
        expect(sources.nth(1)).to_have_css("opacity", "1")
        expect(sources.nth(0)).to_have_css("opacity", "0.18")
        sources.nth(2).press("Enter")
        panel = page.locator(f"#input-{report.strongest[2].slice.index}")
        expect(panel).to_be_in_viewport()
        total = panel.locator(".sums > li:visible .sum-total b")
        bars = report.evidence.effects.bars
        expect(total).to_have_text(bars[0].inputs[2].text)
        panel.get_by_role("button", name="Example 2").hover()
        expect(total).to_have_text(bars[1].inputs[2].text)
        panel.get_by_role("button", name="Example 3").focus()
        expect(total).to_have_text(bars[2].inputs[2].text)
        for rank, name_of_rank in (("photo_place", "size over photos"), ("drop_place", "effect where it fires most")):
            page.get_by_role("button", name=name_of_rank).press("Enter")
            first = min(report.inputs, key=lambda each: int(getattr(each, rank)))
            expect(page.locator(".inputs > .input").first).to_have_id(f"input-{first.index}")
        page.locator("#slices > summary").press("Enter")
        expect(page.locator("#slices .input").last).to_be_visible()
        expect(page.locator(".input")).to_have_count(len(report.inputs))


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (1280, "dark"), (375, "light"), (375, "dark")])
@pytest.mark.parametrize("name", PAGES)
def test_pages_are_photographed(browser: Browser, name: str, width: int, theme: str, tmp_path: Path) -> None:
    """Whole pages, kept where `SCREENSHOTS` names a folder; each has the theme's ground and much on it."""
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{Path(name).parent.name or 'index'}-{width}-{theme}.png"
    with checks.opened(browser, SITE / name, width, theme) as page:
        page.screenshot(path=path, full_page=True)
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"), int)
    assert pixels.shape[1] == width
    assert tuple(pixels[2, 2]) == ((255, 255, 255) if theme == "light" else (19, 21, 23))
    assert pixels.std() > 20
