"""Which errors mean that memory ran out."""

from __future__ import annotations

import errno

import pytest

from vizengine.runtime import available_bytes, is_shortage


def _from(error: Exception) -> Exception:
    try:
        raise ValueError("can't be read") from error
    except ValueError as told:
        return told


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (OSError(errno.ENOMEM, "no memory"), True),
        (ImportError("library.so: failed to map segment from shared object"), True),
        (_from(MemoryError()), True),
        (OSError(errno.ENOSPC, "no space"), False),
        (ImportError("No module named library"), False),
        (_from(OSError(errno.ENOENT, "no file")), False),
    ],
)
def test_an_error_of_memory_is_known(error: Exception, expected: bool) -> None:
    assert is_shortage(error) is expected


def test_some_memory_is_free() -> None:
    assert 10**6 < available_bytes() < 10**14
