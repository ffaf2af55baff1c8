"""Progress where there is no terminal: a line when a stage begins, now and then, and when it ends."""

from __future__ import annotations

import logging

import pytest

from vizengine import output as progress
from vizengine.output import SILENT, LineProgress, duration


def test_lines_tell_how_far_it_is(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 4))
    monkeypatch.setattr(progress, "monotonic", lambda: float(next(clock)))
    with caplog.at_level(logging.INFO), LineProgress().stage("pictures", 10) as stage:
        for _ in range(10):
            stage.advance(note="well")
    assert [record.getMessage() for record in caplog.records] == [
        "pictures …",
        "pictures: 3 of 10, about 28.0 s left (well)",
        "pictures: 6 of 10, about 16.0 s left (well)",
        "pictures: 9 of 10, about 4.0 s left (well)",
        "pictures: done in 44.0 s",
    ]


def test_lines_without_a_total(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 11))
    monkeypatch.setattr(progress, "monotonic", lambda: float(next(clock)))
    with caplog.at_level(logging.INFO), LineProgress().stage("search", None) as stage:
        stage.advance(3)
    assert "search: 3 done" in caplog.messages


def test_a_total_may_be_known_later_and_notes_come_before_the_first_step(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 1000, 11))
    monkeypatch.setattr(progress, "monotonic", lambda: float(next(clock)))
    with caplog.at_level(logging.INFO), LineProgress().stage("pictures", None) as stage:
        stage.expect(5)
        stage.advance(0, "attempt 1, step 3 of 9")
        stage.advance(4)
    assert caplog.messages == [
        "pictures …",
        "pictures: 0 of 5 (attempt 1, step 3 of 9)",
        "pictures: 4 of 5, about 5.5 s left",
        "pictures: done in 33.0 s",
    ]


def test_a_stage_that_fails_is_not_called_done(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), pytest.raises(KeyError), LineProgress().stage("pictures", 2):
        raise KeyError
    assert caplog.messages == ["pictures …"]


def test_silence(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    with caplog.at_level(logging.DEBUG), SILENT.stage("pictures", 2) as stage:
        stage.expect(2)
        stage.advance(2, "note")
    assert caplog.messages == []
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.04, "0.0 s"), (3.21, "3.2 s"), (60, "1 min 0 s"), (125.4, "2 min 5 s")]
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words
