"""Functions that a config names as `module:function`, loaded only where it says that they are trusted."""

from __future__ import annotations

import hashlib
import importlib
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vizengine.errors import WeightsUnavailable

_REFERENCE = re.compile(r"([A-Za-z_][\w.]*):([A-Za-z_]\w*)")


def is_reference(text: str) -> bool:
    """Whether a setting has the form `module:function`."""
    return _REFERENCE.fullmatch(text) is not None


@contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Modules in a folder can be imported meanwhile."""
    sys.path.insert(0, str(folder.resolve()))
    try:
        yield
    finally:
        sys.path.remove(str(folder.resolve()))


def load_function(reference: str, folder: Path, trust: bool) -> Callable[..., Any]:
    """The function that `module:function` names.

    Args:
        folder: the config's, where its modules may lie.
        trust: whether the config says that code may run.

    Raises:
        WeightsUnavailable: it isn't trusted, or there is no such function.
    """
    match = _REFERENCE.fullmatch(reference)
    assert match is not None
    if not trust:
        raise WeightsUnavailable(
            f"{reference} is code, and the config doesn't say that it is trusted.",
            "Read it, and write `trust: true` beside it if you trust it.",
        )
    try:
        with importable(folder):
            function = getattr(importlib.import_module(match[1]), match[2])
    except ModuleNotFoundError as error:
        raise WeightsUnavailable(
            f"There is no module {error.name}, which {reference} needs.",
            "Put it beside the config or install it.",
        ) from error
    except AttributeError as error:
        raise WeightsUnavailable(
            f"The module {match[1]} has no function {match[2]}.", "Correct the name after the colon."
        ) from error
    if not callable(function):
        raise WeightsUnavailable(f"{reference} is {type(function).__name__}.", "Name a function.")
    return function  # type: ignore[no-any-return]


def source_of(function: Callable[..., Any]) -> str:
    """Hash of the file in which a function is written, so that results don't outlive a change of it."""
    import inspect

    try:
        file = inspect.getsourcefile(function)
    except TypeError:
        file = None
    return hashlib.sha256(Path(file).read_bytes()).hexdigest() if file else repr(function)
