"""Disks that say no: the campaign's cases, each by itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.campaign.disks import CASES, NotHere


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_a_disk_that_says_no(case: Callable[[Path], None], tmp_path: Path) -> None:
    try:
        case(tmp_path)
    except NotHere as reason:
        pytest.skip(str(reason))
