"""What a page says to eye and ear, the numbers in that, and the markup that a reader would see as text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from vizengine.page.render import templates_folder

_NUMBER = re.compile(r"[−-]?\d(?:[\d,]*\d)?(?:\.\d+)?(?:e[+-]?\d+)?")
_MARKUP = re.compile(r"</?[a-z][^<>]*>|&(?:[a-z]+|#x?[0-9a-f]+);", re.IGNORECASE)
_SAID = {"alt", "title", "aria-label"}
_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)


class Words(HTMLParser):
    """What a page says: texts, and the attributes that are read out."""

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


class _Unquoted(Words):
    """What a page says, without the code that it quotes: a config, a citation, an `iframe` to copy."""

    silent_tags = Words.silent_tags | {"code"}


def markup_shown(page: str, authored: str = "") -> set[str]:
    """Tags and entities in a page's text, where it was escaped once too often; its author's texts may have some."""
    return set(_MARKUP.findall("\n".join(_Unquoted(page).said))) - set(_MARKUP.findall(authored))


def _numbers(text: str) -> set[str]:
    """The numbers in a text as written, without their sign; a name that has a number in it counts for that number."""
    return {number.lstrip("−-") for number in _NUMBER.findall(text)}


def numbers_shown(page: str) -> set[str]:
    """The numbers that a page says."""
    return _numbers("\n".join(Words(page).said))


def numbers_in_data(data: Any) -> set[str]:
    """The numbers in a `circuit.json`: texts and whole numbers, as they are printed there."""
    if isinstance(data, dict):
        skipped = {"value"} if "text" in data else {"source"} if "alt" in data else set()
        return set().union(*(numbers_in_data(value) for key, value in data.items() if key not in skipped))
    if isinstance(data, list):
        return set().union(*map(numbers_in_data, data))
    if isinstance(data, str):
        return _numbers(data)
    if isinstance(data, bool) or data is None:
        return set()
    return _numbers(f"{data:.15g}") | _numbers(str(data))


def numbers_in_templates() -> set[str]:
    """The numbers that the templates' own words contain, literals in their expressions included."""
    numbers: set[str] = set()
    for path in templates_folder().rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        quoted = re.findall(r'"([^"]*)"', " ".join(_JINJA.findall(text)))
        numbers |= _numbers(_JINJA.sub(" ", text)) | _numbers(" ".join(quoted))
    return numbers
