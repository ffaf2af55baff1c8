"""Long campaigns: promises of docs/trust.md, put to more cases than fit into `make test`, or to random ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

Case = tuple[str, Callable[[], str | Counter[str]]]
"""A name, and a function that says what happened in a word or two, or counts several such ends.

It raises AssertionError where the promise is broken.
"""


@dataclass(frozen=True)
class Campaign:
    """A promise and its test.

    Attributes:
        promise: what a user may rely on.
        method: how it is tested.
        held: what was seen in every case, if no case broke the promise.
        cases: the cases, made one after the other in a folder that is empty at first. What they write there as
            `tables.md` goes into docs/trust.md, under the campaign's heading.
        needs_photos: whether it takes `--photos FOLDER`; its folder then holds a link to them, `photos`.
    """

    promise: str
    method: str
    held: str
    cases: Callable[[Path], Iterator[Case]]
    needs_photos: bool = False
