"""Photos of every odd kind, and a hundred damaged ones."""

from __future__ import annotations

import random
from pathlib import Path

from tests.campaign.photos import READ, SKIPPED, damaged, misread, put, write

CASES = 150


def test_odd_photos_are_read_right_or_skipped(tmp_path: Path) -> None:
    write(tmp_path / "odd", READ | SKIPPED)
    assert misread(tmp_path / "odd") == []


def test_damaged_photos(tmp_path: Path) -> None:
    draw = random.Random(1)
    ends = {put(tmp_path, *damaged(draw)) for _ in range(CASES)}
    assert ends == {"read", "skipped"}
