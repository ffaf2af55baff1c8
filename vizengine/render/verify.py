"""What a site must satisfy before it replaces another: pages parse, load nothing, and link to what is there."""

from __future__ import annotations

import json
import logging
import posixpath
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

logger = logging.getLogger(__name__)

PAGE_LIMIT_BYTES = 3_000_000
_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
_FORBIDDEN = frozenset("iframe frame object embed base applet audio video source track form".split())
_LOADED = {"src", "poster", "background", "data", "formaction", "xlink:href"}
_STYLE_REQUEST = re.compile(r"@import|url\(\s*['\"]?(?!data:|#)", re.IGNORECASE)


class PageReader(HTMLParser):
    """Reads a page and collects its ids, its links and what is wrong with it.

    Attributes:
        identifiers: values of all `id` attributes.
        links: addresses of all `a` elements.
        problems: what is wrong with the page alone.
    """

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.identifiers: set[str] = set()
        self.links: list[str] = []
        self.problems: list[str] = []
        self._open: list[str] = []
        self._policy = False
        self.feed(text)
        self.close()
        self.problems += [f"<{tag}> is never closed" for tag in self._open]
        if not text.lstrip().lower().startswith("<!doctype html>"):
            self.problems.append("it doesn't begin with <!doctype html>")
        if not self._policy:
            self.problems.append("it has no Content-Security-Policy")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._attributes(tag, attrs)
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._attributes(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] != tag:
            self.problems.append(f"line {self.getpos()[0]}: </{tag}> closes nothing that is open")
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "style" and _STYLE_REQUEST.search(data):
            self.problems.append("its style loads something from outside")

    def _attributes(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        where = f"line {self.getpos()[0]}: <{tag}>"
        if tag in _FORBIDDEN:
            self.problems.append(f"{where} has no place on a page of ours")
        if tag == "meta" and values.get("http-equiv", "").lower() == "content-security-policy":
            self._policy = True
        if "id" in values:
            if values["id"] in self.identifiers:
                self.problems.append(f"{where} repeats the id {values['id']}")
            self.identifiers.add(values["id"])
        for name, value in values.items():
            address = name in _LOADED or (name == "href" and tag not in ("a", "link"))
            if address and not value.startswith(("data:", "#")):
                self.problems.append(f"{where} would load {value[:80]}")
            if name.startswith("on") or name in ("style", "srcset", "srcdoc"):
                self.problems.append(f"{where} has the attribute {name}, which no page of ours may have")
        if tag == "link" and values.get("rel") != "canonical" and not values.get("href", "").startswith("data:"):
            self.problems.append(f"{where} would load {values.get('href', '')[:80]}")
        if tag == "a" and "href" in values:
            self.links.append(values["href"])


def verify(files: Mapping[str, bytes]) -> list[str]:
    """What is wrong with a site; empty where all is well. A page over 3 MB is logged as a warning.

    Args:
        files: contents by path relative to the site's folder, with slashes.
    """
    problems = [] if "index.html" in files else ["index.html is missing"]
    pages: dict[str, PageReader] = {}
    for name, content in files.items():
        try:
            if name.endswith(".html"):
                pages[name] = PageReader(content.decode("utf-8"))
            elif name.endswith(".json"):
                json.loads(content)
        except ValueError as error:
            problems.append(f"{name}: it can't be read ({error})")
        if name.endswith(".html") and len(content) > PAGE_LIMIT_BYTES:
            logger.warning(
                "%s has %.1f MB, over the %.0f MB that a page should have; a smaller `size` or fewer `inputs` help",
                name,
                len(content) / 1e6,
                PAGE_LIMIT_BYTES / 1e6,
            )
    for name, page in pages.items():
        problems += [f"{name}: {problem}" for problem in page.problems]
        for link in dict.fromkeys(page.links):
            problem = _broken(name, link, files, pages)
            if problem:
                problems.append(f"{name}: the link {link} {problem}")
    return problems


def _broken(page: str, link: str, files: Mapping[str, bytes], pages: Mapping[str, PageReader]) -> str:
    try:
        parts = urlsplit(link)
    except ValueError:
        return "can't be read"
    if parts.scheme in ("http", "https", "mailto"):
        return ""
    if parts.scheme or parts.netloc:
        return "leads to a place that pages of ours don't link to"
    target = page
    if parts.path:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(parts.path)))
        if target not in files:
            return "leads to no file of the site"
    if parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].identifiers:
        return "leads to no place on that page"
    return ""
