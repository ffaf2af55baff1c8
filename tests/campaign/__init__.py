"""Long campaigns: the promises of docs/trust.md, each put to many more cases than fit into `make test`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory


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


class Tally:
    """Counts cases, and collects those in which the promise was broken."""

    def __init__(self) -> None:
        self.cases = 0
        self.broken: list[str] = []

    @contextmanager
    def case(self, name: str, count: int = 1) -> Iterator[None]:
        """A case, or several at once; an AssertionError in it breaks the promise."""
        self.cases += count
        try:
            yield
        except AssertionError as error:
            self.broken.append(f"{name}: {str(error)[:400]}")

    @contextmanager
    def case_in_folder(self, name: str) -> Iterator[Path]:
        """A case with an empty folder of its own."""
        with TemporaryDirectory() as folder, self.case(name):
            yield Path(folder).resolve()

    def result(self, *told: str) -> Result:
        """What came of it, in sentences, and the first of what was broken."""
        return Result(self.cases, "; ".join([*told, *(f"broken: {each}" for each in self.broken[:6])]), not self.broken)
