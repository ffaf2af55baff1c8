"""docs/trust.md has a row for each campaign, and says what it tests."""

from __future__ import annotations

import re

from tests.campaign.__main__ import CAMPAIGNS, TRUST, beginning, with_row, with_tables


def test_every_campaign_has_its_row() -> None:
    text = TRUST.read_text("utf-8")
    assert set(re.findall(r"\| `python -m tests.campaign ([\w-]+)(?: --photos FOLDER)?` \|", text)) == set(CAMPAIGNS)
    assert [name for name in CAMPAIGNS if f"\n{beginning(name)} " not in text] == []


def test_a_row_stays_on_its_line() -> None:
    text = with_row(TRUST.read_text("utf-8"), "kills", 1_000, "a | b\nc")
    assert rf"{beginning('kills')} 1,000 | a \| b c | " in text


def test_tables_stand_under_their_heading() -> None:
    text = "# Trust\n\n## Figures of `evidence`\n\nold\n\n## More\n\nrest\n"
    expected = "# Trust\n\n## Figures of `evidence`\n\n| a |\n|---|\n\n## More\n\nrest\n"
    assert with_tables(text, "evidence", "| a |\n|---|\n") == expected
    assert with_tables(expected, "evidence", "| a |\n|---|\n") == expected
