"""Reading directions: which languages run from the right, and marks that turn a text, shown and not obeyed.

Such a mark in a photo's name would turn the figures beside it.
"""

from __future__ import annotations

# Embeddings, overrides and isolates, and their ends. Letters that are read from the right need none of them.
_TURNS = {code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
# Languages that are written from the right unless a script is named with them, and the scripts that are.
_FROM_THE_RIGHT = frozenset(
    "ar arc arz azb ckb dv fa glk he iw ji ks lrc mzn nqo pes pnb prs ps sd syr ug ur yi".split()
)
_SCRIPTS_FROM_THE_RIGHT = frozenset("adlm arab aran hebr mand nkoo rohg samr syrc thaa yezi".split())


def runs_from_the_right(language: str) -> bool:
    """Whether a language's texts run from right to left.

    Args:
        language: a tag as in HTML's `lang`, for example `ar`, `fa-IR` or `az-Arab`.
    """
    first, *others = language.lower().split("-")
    script = next((other for other in others if len(other) == 4 and other.isalpha()), None)
    return script in _SCRIPTS_FROM_THE_RIGHT if script else first in _FROM_THE_RIGHT


def without_turns(page: str) -> str:
    """A page with such marks in their escaped form, as the console prints them.

    Args:
        page: HTML, the whole page.
    """
    return page.translate(_TURNS)
