"""The committed site, page by page."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser import checks
from tests.page.test_verify import verify
from tests.places import REPOSITORY

SITE = REPOSITORY / "site"
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


@pytest.mark.parametrize(("width", "theme"), checks.LOOKS)
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
