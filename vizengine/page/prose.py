"""The author's texts: Markdown in which `{{ name }}` stands for a measured value.

Raw HTML is shown as text, pictures are not loaded, links lead to the web, to a mailbox or within the site, and
a value is put in after the Markdown has been read, so that none of its characters can act as markup.
"""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from functools import cache
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

_PLACE = re.compile(r"\{\{([^{}]*)\}\}")
_SAFE_SCHEMES = frozenset(("", "http", "https", "mailto"))
_HEADING = "h4"


def check(text: str, names: Collection[str]) -> list[str]:
    """What is wrong with the `{{ … }}` in a text: one message for each place that names no measured value."""
    written = dict.fromkeys(name.strip() for name in _PLACE.findall(text))
    problems = [_unknown(name, names) for name in written if name not in names]
    rest = _PLACE.sub("", text)
    if "{{" in rest or "}}" in rest:
        stray = "{{" if "{{" in rest else "}}"
        problems.append(
            f"`{stray}` without its partner; expected one name and nothing else, as in `{{{{ unit.reached }}}}`"
        )
    return problems


def relative_links(text: str) -> tuple[tuple[str, bool], ...]:
    """The links of a text within the site, each once, and whether each stands in the first paragraph."""
    first = _first_inline(text)
    position = first.map if first else None
    links: dict[tuple[str, bool], None] = {}
    for token in _markdown().parse(text):
        for child in token.children or ():
            address = str(child.attrGet("href") or "") if child.type == "link_open" else ""
            if address and not urlsplit(address).scheme:
                links[address, token.map == position] = None
    return tuple(links)


def render(text: str, values: Mapping[str, str]) -> str:
    """HTML of a text, with measured values put in.

    Raises:
        KeyError: the text names a value that isn't there (see `check`).
    """
    return _to_html(_markdown().parse(text), values)


def first_paragraph(text: str, values: Mapping[str, str]) -> str:
    """HTML of the first paragraph's content, without the paragraph itself; empty where there is none."""
    inline = _first_inline(text)
    return _to_html([inline], values) if inline else ""


def first_paragraph_text(text: str, values: Mapping[str, str]) -> str:
    """The first paragraph as plain text, for places that take no markup."""
    inline = _first_inline(text)
    if inline is None:
        return ""
    _put_in([inline], values)
    breaks = ("softbreak", "hardbreak")
    return " ".join("".join(" " if token.type in breaks else token.content for token in inline.children or ()).split())


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
        members = sorted(numbers[stem])
        if len(members) > 2 and members == list(range(members[0], members[-1] + 1)):
            head = f"{stem}{members[0]} to {stem}{members[-1]}"
        else:
            head = ", ".join(f"{stem}{number}" for number in members) or stem
        inside = ", ".join(sorted(keys[stem] - {""}))
        parts.append(f"{head}: {inside}" if inside else head)
    return "; ".join(parts)


def _unknown(name: str, names: Collection[str]) -> str:
    near = difflib.get_close_matches(name, sorted(names), n=3, cutoff=0.6)
    hint = f"; did you mean {' or '.join(f'`{known}`' for known in near)}?" if near else "."
    return f"`{{{{ {name} }}}}` is no measured value of this circuit{hint} Known are: {families(names)}"


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
    _put_in(tokens, values)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            # The page owns the levels above.
            token.tag = _HEADING
        for child in token.children or ():
            if child.type == "link_open" and str(child.attrGet("href") or "").startswith("http"):
                child.attrSet("rel", "noopener noreferrer")
    markdown = _markdown()
    return str(markdown.renderer.render(tokens, markdown.options, {})).strip()


def _put_in(tokens: list[Token], values: Mapping[str, str]) -> None:
    for token in tokens:
        if token.type in ("text", "code_inline", "fence", "code_block"):
            token.content = _PLACE.sub(lambda match: values[match[1].strip()], token.content)
        _put_in(token.children or [], values)


def _first_inline(text: str) -> Token | None:
    tokens = _markdown().parse(text)
    for before, token in zip(tokens, tokens[1:], strict=False):
        if before.type == "paragraph_open" and token.type == "inline":
            return token
    return None
