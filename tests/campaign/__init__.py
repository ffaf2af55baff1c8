"""Long campaigns: the promises of docs/trust.md, each put to many more cases than fit into `make test`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """What a campaign saw: the number of cases, what happened in words and figures, and whether the promise held."""

    cases: int
    outcome: str
    held: bool


@dataclass(frozen=True)
class Campaign:
    """A promise, how it is put to the test, and the function that does so."""

    promise: str
    method: str
    run: Callable[[], Result]
