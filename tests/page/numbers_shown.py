"""The numbers that a page shows, and those that it may show: what is in its data, or written out in a template."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from vizengine.page.render import templates_folder

NUMBER = re.compile(r"[−-]?\d(?:[\d,]*\d)?(?:\.\d+)?(?:e[+-]?\d+)?")
_SAID = {"alt", "title", "aria-label"}
_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)


class Words(HTMLParser):
    """What a page says to eye and ear: texts, and the attributes that are read out."""

    silent_tags = frozenset({"style", "script", "math"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self._silent = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in self.silent_tags
        self.said += [value or "" for name, value in attrs if name in _SAID]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in self.silent_tags

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.said.append(data)


def numbers(text: str) -> set[str]:
    """The numbers in a text as written, without their sign; a name that has a number in it counts for that number."""
    return {each.lstrip("−-") for each in NUMBER.findall(text)}


def shown(page: str) -> set[str]:
    """The numbers that a page says."""
    return numbers("\n".join(Words(page).said))


def in_data(data: Any) -> set[str]:
    """The numbers in a `circuit.json`: texts and whole numbers, as they are printed there."""
    if isinstance(data, dict):
        skipped = {"value"} if "text" in data else {"source"} if "alt" in data else set()
        return set().union(*(in_data(each) for key, each in data.items() if key not in skipped))
    if isinstance(data, list):
        return set().union(*map(in_data, data))
    if isinstance(data, str):
        return numbers(data)
    if isinstance(data, bool) or data is None:
        return set()
    return numbers(f"{data:.15g}") | numbers(str(data))


def in_templates() -> set[str]:
    """The numbers that the templates' own words contain, literals in their expressions included."""
    found: set[str] = set()
    for path in templates_folder().rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        found |= numbers(_JINJA.sub(" ", text))
        for expression in _JINJA.findall(text):
            found |= numbers(" ".join(re.findall(r'"([^"]*)"', expression)))
    return found
