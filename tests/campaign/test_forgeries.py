"""Forged results: a round of the campaign, and the results of another user."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.campaign.forgeries import build, forge, other_user


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("forged")
    return folder, build(folder)


def test_forged_results_are_computed_again(built: tuple[Path, dict[str, str]]) -> None:
    forge(*built, "other figures", random.Random(0))


def test_results_of_another_user_are_used_with_their_key(built: tuple[Path, dict[str, str]]) -> None:
    other_user(*built)
