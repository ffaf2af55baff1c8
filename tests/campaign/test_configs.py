"""Hostile configs: the corpus, and some hundreds of drawn ones."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, seed, settings

from tests.campaign.configs import CORPUS, INPUTS, SOUND, folder_for, put

CASES = 250


def test_the_corpus(tmp_path: Path) -> None:
    folder = folder_for(tmp_path)
    assert put(SOUND.encode(), folder) == "fine"
    for content in CORPUS:
        ended = put(content, folder)
        assert ended == "refused" or b"{file: " not in content, content[:400]


def test_drawn_configs(tmp_path: Path) -> None:
    folder = folder_for(tmp_path)

    @seed(1)
    @settings(max_examples=CASES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(INPUTS)
    def one(content: bytes) -> None:
        put(content, folder)

    one()
