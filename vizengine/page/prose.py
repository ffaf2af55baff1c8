"""The author's texts: Markdown in which `{{ name }}` stands for a measured value.

Raw HTML is shown as text, pictures are not loaded, links lead to the web, to a mailbox or within the site, and
a value is put in after the Markdown has been read, so that none of its characters can act as markup.
"""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from functools import cache
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

_PLACE = re.compile(r"\{\{([^{}]*)\}\}")
_SAFE_SCHEMES = frozenset(("", "http", "https", "mailto"))
_HEADING = "h4"


def check(text: str, names: Collection[str]) -> list[str]:
    """What is wrong with the `{{ … }}` in a text.

    Args:
        text: Markdown.
        names: as from `value_names`.

    Returns:
        One message for each place that names no measured value; empty where all is well.
    """
    problems = []
    for found in dict.fromkeys(match.strip() for match in _PLACE.findall(text)):
        if found not in names:
            problems.append(_unknown(found, names))
    rest = _PLACE.sub("", text)
    if "{{" in rest or "}}" in rest:
        stray = "{{" if "{{" in rest else "}}"
        problems.append(
            f"`{stray}` without its partner; expected one name and nothing else, as in `{{{{ unit.reached }}}}`"
        )
    return problems


def relative_links(text: str) -> tuple[tuple[str, bool], ...]:
    """The links of a text that lead to a place within the site, each once.

    Args:
        text: Markdown.

    Returns:
        The address of each, and whether it stands in the first paragraph.
    """
    first = _first_inline(text)
    position = first.map if first else None
    found: dict[tuple[str, bool], None] = {}
    for token in _markdown().parse(text):
        for child in token.children or ():
            address = str(child.attrGet("href") or "") if child.type == "link_open" else ""
            if address and not urlsplit(address).scheme:
                found[address, token.map == position] = None
    return tuple(found)


def render(text: str, values: Mapping[str, str]) -> str:
    """HTML of a text, with measured values put in.

    Args:
        text: Markdown without unknown names (see `check`).
        values: text of each measured value.

    Raises:
        KeyError: the text names a value that isn't there.
    """
    tokens = _markdown().parse(text)
    return _to_html(tokens, values)


def first_paragraph(text: str, values: Mapping[str, str]) -> str:
    """HTML of the first paragraph's content, without the paragraph itself; empty where there is none."""
    inline = _first_inline(text)
    return _to_html([inline], values) if inline else ""


def first_paragraph_text(text: str, values: Mapping[str, str]) -> str:
    """The first paragraph as plain text, for places that take no markup."""
    inline = _first_inline(text)
    if inline is None:
        return ""
    _change_text([inline], lambda content: _substitute(content, values))
    return " ".join("".join(_plain(token) for token in inline.children or ()).split())


def families(names: Collection[str]) -> str:
    """The known names in short, for messages: numbered families are folded to their first and last."""
    keys: dict[str, set[str]] = defaultdict(set)
    numbers: dict[str, set[int]] = defaultdict(set)
    for name in names:
        head, _, key = name.partition(".")
        stem = head.rstrip("0123456789")
        keys[stem].add(key) if head != stem else keys[head].add(key)
        if head != stem:
            numbers[stem].add(int(head[len(stem) :]))
    parts = []
    for stem in sorted(keys):
        found = sorted(numbers[stem])
        if not found:
            head = stem
        elif found == list(range(found[0], found[-1] + 1)) and len(found) > 2:
            head = f"{stem}{found[0]} to {stem}{found[-1]}"
        else:
            head = ", ".join(f"{stem}{number}" for number in found)
        inside = ", ".join(sorted(keys[stem] - {""}))
        parts.append(f"{head}: {inside}" if inside else head)
    return "; ".join(parts)


def _unknown(found: str, names: Collection[str]) -> str:
    near = difflib.get_close_matches(found, sorted(names), n=3, cutoff=0.6)
    hint = f"; did you mean {' or '.join(f'`{name}`' for name in near)}?" if near else "."
    return f"`{{{{ {found} }}}}` is no measured value of this circuit{hint} Known are: {families(names)}"


@cache
def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False})
    markdown.disable("image")
    markdown.validateLink = _is_safe_link  # type: ignore[assignment, method-assign]
    return markdown


def _is_safe_link(address: str) -> bool:
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return False
    if any(ord(character) < 33 for character in address) or parts.scheme.lower() not in _SAFE_SCHEMES:
        return False
    # Without a scheme it stays within the site: no other host, nothing that could be read as a scheme.
    return parts.scheme != "" or (not parts.netloc and ":" not in parts.path.partition("/")[0])


def _to_html(tokens: list[Token], values: Mapping[str, str]) -> str:
    _change_text(tokens, lambda content: _substitute(content, values))
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            # The page owns the levels above.
            token.tag = _HEADING
        for child in token.children or ():
            if child.type == "link_open" and str(child.attrGet("href") or "").startswith("http"):
                child.attrSet("rel", "noopener noreferrer")
    markdown = _markdown()
    return str(markdown.renderer.render(tokens, markdown.options, {})).strip()


def _change_text(tokens: list[Token], change: Callable[[str], str]) -> None:
    for token in tokens:
        if token.type in ("text", "code_inline", "fence", "code_block"):
            token.content = change(token.content)
        if token.children:
            _change_text(token.children, change)


def _substitute(content: str, values: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda match: values[match[1].strip()], content)


def _first_inline(text: str) -> Token | None:
    tokens = _markdown().parse(text)
    for before, token in zip(tokens, tokens[1:], strict=False):
        if before.type == "paragraph_open" and token.type == "inline":
            return token
    return None


def _plain(token: Token) -> str:
    return " " if token.type in ("softbreak", "hardbreak") else token.content
