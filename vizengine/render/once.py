"""Pictures that stand at several places of a page are in its file once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Held:
    """Where a picture is kept.

    Attributes:
        name: the id of the element that holds it.
        first: whether that element has yet to be written, here.
    """

    name: str
    first: bool


class Once:
    """Names the pictures of one page in the order in which they come."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def __call__(self, source: str) -> Held:
        """Where the picture with this `data:` address is kept."""
        first = source not in self._names
        name = self._names.setdefault(source, f"picture-{len(self._names) + 1}")
        return Held(name, first)
