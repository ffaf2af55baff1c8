"""Damaged results: one round of the campaign for each kind."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.campaign.caches import DAMAGES, build, damage


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("damaged")
    return folder, build(folder)


@pytest.mark.parametrize("how", DAMAGES)
def test_damaged_results_are_computed_again(built: tuple[Path, dict[str, str]], how: str) -> None:
    damage(*built, how, 3, random.Random(how))
