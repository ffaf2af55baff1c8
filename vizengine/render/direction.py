"""Marks that turn the reading direction, shown and not obeyed: one in a photo's name would turn figures beside it."""

from __future__ import annotations

# Embeddings, overrides and isolates, and their ends. Letters that are read from the right need none of them.
_TURNS = {code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


def without_turns(page: str) -> str:
    """A page with such marks in their escaped form, as the console prints them.

    Args:
        page: HTML, the whole page.
    """
    return page.translate(_TURNS)
