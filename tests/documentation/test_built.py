"""The documentation as a site: Sphinx builds it without a warning, no link leads nowhere, it asks no other host."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser

from tests.browser.checks import LOOKS, assert_accessible, assert_decoded, assert_no_horizontal_scroll, opened
from tests.documentation.blocks import folder_of, pages
from tests.places import REPOSITORY

OPENED = ("index.html", "tutorial.html", "command.html", "how-to/cluster.html")


def build(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    """The command of `make docs`."""
    makefile = (REPOSITORY / "Makefile").read_text("utf-8")
    found = re.search(r"^\t\$\(RUN\) (-m sphinx .+) docs docs-site$", makefile, re.MULTILINE)
    assert found is not None
    command = [sys.executable, *found[1].split(), str(source), str(target)]
    return subprocess.run(command, cwd=source.parent, capture_output=True, text=True)


@pytest.fixture(scope="module")
def documentation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("documentation") / "site"
    built = build(REPOSITORY / "docs", target)
    assert built.returncode == 0, built.stderr
    return target


def test_every_page_is_built(documentation: Path) -> None:
    docs = [page.removeprefix("docs/").removesuffix(".md") for page in pages() if page.startswith("docs/")]
    assert [name for name in docs if not (documentation / f"{name}.html").exists()] == []


def _links() -> Iterator[tuple[str, str]]:
    for page in pages():
        text = re.sub(r"^( *)```.*?^\1```", "", (REPOSITORY / page).read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if not re.match(r"[a-z]+:", target):
                yield page, target


def test_links_lead_somewhere_where_the_repository_is_read() -> None:
    """As GitHub shows it, without Sphinx; links inside a page are Sphinx' business."""
    links = list(_links())
    assert len(links) > 50
    wrong = [
        f"{page}: {target}"
        for page, target in links
        if not target.startswith("#") and not (folder_of(page) / unquote(target.split("#")[0])).exists()
    ]
    assert wrong == []


def test_nothing_in_it_comes_from_another_host(documentation: Path) -> None:
    """Scripts, styles, fonts and pictures; links that a reader may follow are another thing."""
    loads = re.compile(r"""(?:src=|<link [^>]*href=|url\(|@import )["']?((?:https?:)?//[^"')\s>]+)""")
    found = [
        (path.name, address)
        for path in (*documentation.rglob("*.html"), *documentation.rglob("*.css"))
        for address in loads.findall(path.read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(("width", "theme"), LOOKS)
def test_it_reads_well_in_a_browser(documentation: Path, browser: Browser, width: int, theme: str) -> None:
    for name in OPENED:
        with opened(browser, documentation / name, width, theme, site=documentation) as page:
            assert page.locator("h1").is_visible()
            assert_decoded(page)
            assert_no_horizontal_scroll(page)


def test_a_search_finds_the_tutorial_from_disk(documentation: Path, browser: Browser) -> None:
    with opened(browser, documentation / "index.html", site=documentation) as page:
        page.goto((documentation / "search.html").as_uri() + "?q=ten+minutes")
        page.locator("#search-results a", has_text="ten minutes").first.wait_for()


def test_it_is_accessible(documentation: Path, browser: Browser) -> None:
    with opened(browser, documentation / "tutorial.html", site=documentation) as page:
        # The theme's two asides have no names; everything else on the page is held to the rules.
        page.evaluate(
            "document.querySelectorAll('aside').forEach((each) => each.setAttribute('aria-label', each.className))"
        )
        assert_accessible(page)
