"""What the documentation has from the code is what the code says now."""

from __future__ import annotations

import pytest

from tests.places import REPOSITORY
from tools import references


@pytest.mark.parametrize("path", [*references.SCHEMAS, *references.PAGES])
def test_what_is_made_from_the_code_is_in_sync(path: str) -> None:
    committed = (REPOSITORY / path).read_text(encoding="utf-8")
    assert committed == references.texts()[path], "run: python -m tools.references"


def test_every_made_part_stands_on_one_page() -> None:
    pages = "".join((REPOSITORY / page).read_text(encoding="utf-8") for page in references.PAGES)
    parts = [name for name in references.PARTS if pages.count(f"<!-- {name}: made by ") == 1]
    assert parts == list(references.PARTS)


def test_a_stale_part_is_written_anew() -> None:
    stale = "<!-- codes: made by hand -->\n\nold\n\n<!-- end of codes -->\n"
    assert "130 interrupted" in references.with_parts(stale) and "old" not in references.with_parts(stale)
