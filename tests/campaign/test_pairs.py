"""Two runs at once: one pair of the campaign on one site."""

from __future__ import annotations

from pathlib import Path

from tests.campaign.pairs import killed_before, pair


def test_the_second_run_waits(tmp_path: Path) -> None:
    assert pair(tmp_path, same_site=True, delay=0.5)


def test_the_second_goes_on_where_the_first_is_killed(tmp_path: Path) -> None:
    killed_before(tmp_path)
