"""Two runs at once: one pair of the campaign on one site."""

from __future__ import annotations

from pathlib import Path

from tests.campaign.pairs import pair


def test_the_second_run_waits(tmp_path: Path) -> None:
    assert pair(tmp_path, same_site=True, delay=0.5)
