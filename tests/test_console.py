"""What reaches the user's error stream: this package's words, and of libraries only what went wrong."""

from __future__ import annotations

import logging
import warnings

import pytest

from vizengine.output import logged


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
