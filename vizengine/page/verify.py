"""What a site must satisfy before it replaces another: pages load nothing from outside, and links lead somewhere.

A page loads nothing at all, unless its own policy admits files of the site beside it. Whether its markup is valid HTML
is for the tests, which have an HTML checker.
"""

from __future__ import annotations

import json
import logging
import posixpath
import re
from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

logger = logging.getLogger(__name__)
PAGE_LIMIT_BYTES = 3_000_000
_FORBIDDEN = frozenset("iframe frame object embed base applet audio video source track form".split())
_LOADED = {"src", "poster", "background", "data", "formaction", "xlink:href"}
_STYLE = re.compile(r"<style\b[^>]*>(.*?)</style", re.IGNORECASE | re.DOTALL)
_STYLE_REQUEST = re.compile(r"@import|url\(\s*['\"]?(?!data:|#)", re.IGNORECASE)


class PageReader(HTMLParser):
    """Reads a page and collects its ids, the addresses that it links to or loads, and what is wrong with it alone."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.identifiers: set[str] = set()
        self.links: list[str] = []
        self.problems: list[str] = []
        self._policy = ""
        self.feed(text)
        self.close()
        if any(_STYLE_REQUEST.search(style) for style in _STYLE.findall(text)):
            self.problems.append("its style loads something from outside")
        if not self._policy:
            self.problems.append("it has no Content-Security-Policy")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        where = f"line {self.getpos()[0]}: <{tag}>"
        if tag in _FORBIDDEN:
            self.problems.append(f"{where} has no place on a page of ours")
        if tag == "meta" and values.get("http-equiv", "").lower() == "content-security-policy":
            self._policy = values.get("content", "")
        if "id" in values:
            self.identifiers.add(values["id"])
        for name, value in values.items():
            is_loaded = name in _LOADED or (name == "href" and tag not in ("a", "link"))
            if is_loaded and not value.startswith(("data:", "#")):
                self._load(where, value)
            if name.startswith("on") or name in ("style", "srcset", "srcdoc"):
                self.problems.append(f"{where} has the attribute {name}, which no page of ours may have")
        if tag == "link" and values.get("rel") != "canonical" and not values.get("href", "").startswith("data:"):
            self._load(where, values.get("href", ""))
        if tag == "a" and "href" in values:
            self.links.append(values["href"])

    def _load(self, where: str, address: str) -> None:
        """Note a file that the page loads: one of the site's own, where its policy admits them."""
        parts = urlsplit(address)
        if "'self'" in self._policy and parts.path and not (parts.scheme or parts.netloc):
            self.links.append(address)
        else:
            self.problems.append(f"{where} would load {address[:80]}")


class Verifier:
    """Checks a site file by file, and at the end whether its links lead somewhere.

    Of a page it keeps only the addresses that no page before it had.

    Args:
        beside: addresses, from the site's folder, of pages outside of it to which its own may link.
    """

    def __init__(self, beside: frozenset[str] = frozenset()) -> None:
        self.problems: list[str] = []
        self._beside = beside
        self._names: set[str] = set()
        # Each file or place that a page leads to, with the first page and link that do.
        self._targets: dict[tuple[str, str], tuple[str, str]] = {}

    def see(self, name: str, content: bytes) -> None:
        """Check one file, by its path in the site. A page over 3 MB is logged as a warning."""
        self._names.add(name)
        try:
            if name.endswith(".html"):
                self._see_page(name, PageReader(content.decode("utf-8")))
            elif name.endswith(".json"):
                json.loads(content)
        except ValueError as error:
            self.problems.append(f"{name}: it can't be read ({error})")
        if name.endswith(".html") and len(content) > PAGE_LIMIT_BYTES:
            logger.warning(
                "%s has %.1f MB, over the %.0f MB that a page should have; a smaller `size` or fewer `inputs` help",
                name,
                len(content) / 1e6,
                PAGE_LIMIT_BYTES / 1e6,
            )

    def forget(self, folder: str) -> None:
        """Forget all files of a folder of the site that were seen so far."""
        inside = f"{folder}/"
        self.problems = [problem for problem in self.problems if not problem.startswith(inside)]
        self._names = {name for name in self._names if not name.startswith(inside)}
        self._targets = {key: link for key, link in self._targets.items() if not link[0].startswith(inside)}

    def _see_page(self, name: str, page: PageReader) -> None:
        self.problems += [f"{name}: {problem}" for problem in page.problems]
        for link in dict.fromkeys(page.links):
            target, place, problem = destination(name, link)
            if target == name and place and place not in page.identifiers:
                problem = "leads to no place on that page"
            if problem:
                self.problems.append(f"{name}: the link {link} {problem}")
            elif target and (target, place) != (name, place):
                self._targets.setdefault((target, place), (name, link))

    def end(self, read: Callable[[str], bytes]) -> list[str]:
        """What is wrong with the site, whose pages `read` gives again by their names; empty where all is well."""
        problems = list(self.problems)
        if "index.html" not in self._names:
            problems.insert(0, "index.html is missing")
        places: dict[str, set[str]] = {}
        for (target, place), (name, link) in self._targets.items():
            if target in self._beside:
                continue
            if target not in self._names:
                problems.append(f"{name}: the link {link} leads to no file of the site")
            elif place and target.endswith(".html"):
                places.setdefault(target, set()).add(place)
        for target, wanted in places.items():
            for place in sorted(wanted - PageReader(read(target).decode("utf-8", "replace")).identifiers):
                name, link = self._targets[target, place]
                problems.append(f"{name}: the link {link} leads to no place on that page")
        return problems


def destination(page: str, link: str) -> tuple[str, str, str]:
    """The file and the place on it to which a page's link leads, or what is wrong; nothing for a page elsewhere."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return "", "", "can't be read"
    if parts.scheme in ("http", "https", "mailto"):
        return "", "", ""
    if parts.scheme or parts.netloc:
        return "", "", "leads to a place that pages of ours don't link to"
    target = page
    if parts.path:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(parts.path)))
    return target, unquote(parts.fragment), ""
