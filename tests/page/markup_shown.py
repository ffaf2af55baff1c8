"""Markup that a reader sees: a tag or an entity in a page's text, where it was escaped once too often."""

from __future__ import annotations

import re

from tests.page.numbers_shown import Words

_MARKUP = re.compile(r"</?[a-z][^<>]*>|&(?:[a-z]+|#x?[0-9a-f]+);", re.IGNORECASE)


class _Unquoted(Words):
    """What a page says, without the code that it quotes: a config, a citation, an `iframe` to copy."""

    silent_tags = Words.silent_tags | {"code"}


def markup_shown(page: str, authored: str = "") -> set[str]:
    """The tags and entities in a page's text, its descriptions of pictures included.

    Args:
        page: HTML, the whole page.
        authored: texts of its author, in which they may be.
    """
    return set(_MARKUP.findall("\n".join(_Unquoted(page).said))) - set(_MARKUP.findall(authored))
