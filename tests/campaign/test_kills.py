"""Killed runs: the short form of the campaign."""

from __future__ import annotations

import random

import pytest

from tests.campaign.kills import SIGNALS, Subject, strike, subject


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    return subject(tmp_path_factory.mktemp("killed"))


@pytest.mark.parametrize(("how", "writing"), [*((how, True) for how in SIGNALS), ("SIGKILL", False)])
def test_a_run_that_is_killed_loses_nothing(given: Subject, how: str, writing: bool) -> None:
    strike(given, how, writing, random.Random(f"{how}{writing}"))
