"""What must hold for any page of ours in a browser: one set of checks for the example pages and for the site."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Request

WIDTHS = (320, 1280)
# Each width and each theme once: what depends on both is drawn by the same rules.
LOOKS = ((1280, "light"), (320, "dark"))
_REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) => {
  console.error("policy", event.violatedDirective, event.blockedURI);
});
"""
_BROKEN_IMAGES = """
() => Promise.all([...document.images, ...document.querySelectorAll("svg image")].map(async (each) => {
  const image = each.href ? Object.assign(new Image(), { src: each.href.baseVal }) : each;
  const name = each.alt || each.parentElement.getAttribute("aria-label") || "an image";
  try { await image.decode(); } catch { return name; }
  return image.naturalWidth > 0 ? null : name;
})).then((found) => found.concat([...document.querySelectorAll("svg use")]
  .filter((use) => !document.querySelector(use.getAttribute("href"))).map((use) => use.getAttribute("href"))
).filter(Boolean))
"""
# One long table has hundreds of rows that differ in their figures alone; the first few stand for all. Without
# preloading, axe doesn't fetch styles, which the page's policy would refuse.
_RUN_AXE = """
() => axe.run({ exclude: [["#slices .input:nth-child(n + 9)"]] }, { resultTypes: ["violations"], preload: false })
"""
_WIDER_THAN_THE_WINDOW = """
() => {
  const framed = (element) => element.closest(".scroll, .hidden, .skip, svg svg, math");
  return document.documentElement.scrollWidth <= innerWidth ? [] :
    [...document.querySelectorAll("body *")]
      .filter((element) => !framed(element) && element.getBoundingClientRect().right > innerWidth + 1)
      .map((element) => `${element.tagName} ${element.getAttribute("class") ?? ""}`)
      .concat([`the page is ${document.documentElement.scrollWidth} px wide`]);
}
"""


def chromium() -> str | None:
    """Path of the machine's own Chromium, or None where Playwright must use the one that it installed."""
    named = os.environ.get("CHROMIUM")
    if named:
        return shutil.which(named)
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if found := shutil.which(name):
            return found
    return None


@contextmanager
def opened(
    browser: Browser,
    path: Path,
    width: int = 1280,
    theme: str = "light",
    scripts: bool = True,
    fragment: str = "",
    site: Path | None = None,
    touch: bool = False,
) -> Iterator[Page]:
    """A page from disk in an offline browser; at the end, nothing was asked for and nothing was said.

    Args:
        browser: a running one.
        path: the page's file.
        width: of the window in pixels.
        theme: `light` or `dark`, as the system would prefer it.
        scripts: whether they may run.
        fragment: the place on the page to open it at.
        site: the folder whose files the page may load and lead to; by default it may load nothing.
        touch: whether the screen is touched.
    """
    address = path.resolve().as_uri()
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if theme == "dark" else "light",
        java_script_enabled=scripts,
        has_touch=touch,
        offline=True,
    )
    said: list[str] = []
    asked: list[str] = []
    context.add_init_script(_REPORT_VIOLATIONS)
    page = context.new_page()
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"error: {error}"))
    went: set[str] = set()

    def note(request: Request) -> None:
        """Where the test sends the page, apart from what the page asks for."""
        place = re.split("[?#]", request.url)[0]
        went.add(place) if request.is_navigation_request() else asked.append(place)

    page.on("request", note)
    try:
        page.goto(address + (f"#{fragment}" if fragment else ""), wait_until="load")
        yield page
        assert said == []
        files = [each for each in asked if not each.startswith("data:")]
        if site is None:
            assert went == {address} and files == []
        else:
            inside = site.resolve().as_uri() + "/"
            assert [each for each in (*went, *files) if not each.startswith(inside)] == []
    finally:
        context.close()


def unfold(page: Page) -> None:
    """Open everything that is folded."""
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")


def assert_decoded(page: Page) -> None:
    """All images of the page have been decoded, and it has some."""
    assert page.evaluate(_BROKEN_IMAGES) == []


def assert_no_horizontal_scroll(page: Page) -> None:
    """Nothing reaches out of the window to the right."""
    assert page.evaluate(_WIDER_THAN_THE_WINDOW) == []


def assert_accessible(page: Page) -> None:
    """axe-core finds no violation."""
    page.evaluate(_axe_source())
    result: dict[str, Any] = page.evaluate(_RUN_AXE)
    found = [
        f"{each['id']}: {each['help']}: {json.dumps([node['target'] for node in each['nodes'][:3]])} "
        f"{each['nodes'][0]['failureSummary']}"
        for each in result["violations"]
    ]
    assert found == []


def _axe_source() -> str:
    package = find_spec("axe_playwright_python")
    assert package is not None and package.origin is not None, "run `pip install -r requirements-dev.txt`"
    return (Path(package.origin).parent / "axe.min.js").read_text(encoding="utf-8")
