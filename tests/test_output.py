"""What reaches the user's error stream: this package's words, how far it is, and of libraries what went wrong."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable

import pytest

from vizengine import output
from vizengine.output import LineProgress, Task, duration, logged


@pytest.mark.parametrize(("verbosity", "told"), [(-1, False), (0, False), (1, True)])
def test_what_libraries_warn_of_is_told_with_v_alone(
    verbosity: int, told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--strict` fails on warnings, so what it lets pass, as TensorFlow's tracing, must not look like one."""
    with logged(verbosity):
        logging.getLogger("tensorflow").warning("6 calls triggered tf.function retracing")
        warnings.warn("image size exceeds a limit", RuntimeWarning, stacklevel=1)
        logging.getLogger("tensorflow").error("no memory")
        logging.getLogger("vizengine.photos").warning("a photo is skipped")
    said = capsys.readouterr().err
    assert "error: no memory" in said and "warning: a photo is skipped" in said
    assert ("retracing" in said, "exceeds a limit" in said) == (told, told)


def _advance_by_one(task: Task) -> None:
    for _ in range(10):
        task.advance(note="well")


def _learn_the_total(task: Task) -> None:
    task.expect(5)
    task.advance(0, "attempt 1, step 3 of 9")
    task.advance(4)


@pytest.mark.parametrize(
    ("seconds", "total", "work", "lines"),
    [
        (
            4,
            10,
            _advance_by_one,
            [
                "3 of 10, about 28.0 s left (well)",
                "6 of 10, about 16.0 s left (well)",
                "9 of 10, about 4.0 s left (well)",
                "done in 44.0 s",
            ],
        ),
        (11, None, lambda task: task.advance(3), ["3 done", "done in 22.0 s"]),
        (
            11,
            None,
            _learn_the_total,
            ["0 of 5 (attempt 1, step 3 of 9)", "4 of 5, about 5.5 s left", "done in 33.0 s"],
        ),
    ],
)
def test_lines_tell_how_far_a_stage_is(
    seconds: int,
    total: int | None,
    work: Callable[[Task], None],
    lines: list[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Off a terminal: one when it begins, one now and then, and one when it ends."""
    clock = iter(range(0, 1000, seconds))
    monkeypatch.setattr(output, "monotonic", lambda: float(next(clock)))
    with caplog.at_level(logging.INFO), LineProgress().stage("pictures", total) as task:
        work(task)
    assert caplog.messages == ["pictures …", *(f"pictures: {line}" for line in lines)]


def test_a_stage_that_fails_is_not_called_done(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), pytest.raises(KeyError), LineProgress().stage("pictures", 2):
        raise KeyError
    assert caplog.messages == ["pictures …"]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.04, "0.0 s"), (3.21, "3.2 s"), (60, "1 min 0 s"), (125.4, "2 min 5 s")]
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words
