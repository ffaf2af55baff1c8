"""What a measurement is: one description that the computation, the cache, the page and its documentation read."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from vizengine.figures.quantities import Quantity

# What a hypothesis can name: a figure, a word, a number, or nothing where it wasn't measured.
Value = Quantity | str | int | None
Panel = Literal["looks_for", "built", "does", "made"]


@dataclass(frozen=True)
class Measure:
    """One measurement of a unit. Its module, its stage in the cache and its template carry the same name.

    Attributes:
        name: of the result, `evidence.NAME`.
        result: type of the result: a dataclass of arrays, or another type that the cache keeps.
        version: to be raised when what is computed changes; see `vizengine.cache.Stage`.
        compute: gives the result. Its parameters say what it reads: results of other measurements by their names, and
            what `vizengine.measures.engine.Sources` has.
        panel: the section of the page in which its template, `templates/measures/NAME.html`, stands; None where it has
            no panel of its own.
        report: what the page says of it, as a part of the report. Its parameters are names of results, `circuit`, or
            `group_pictures`.
        part: type of what `report` gives.
        part_name: its name in circuit.json; `name` where empty.
        about: one sentence on it for the reference of circuit.json.
        values: what a hypothesis can name of it: from a name to what finds the value in the part.
        input_values: the same for each of the strongest inputs, found in the part's `inputs`: `topN.NAME`.
        rows: its rows where circuits stand side by side: what a row is called, and its cell, from the whole report.
    """

    name: str
    result: Any
    version: int
    compute: Callable[..., Any]
    panel: Panel | None = None
    report: Callable[..., Any] | None = None
    part: Any = None
    part_name: str = ""
    about: str = ""
    values: Mapping[str, Callable[[Any], Value]] = field(default_factory=dict)
    input_values: Mapping[str, Callable[[Any], Value]] = field(default_factory=dict)
    rows: Mapping[str, Callable[[Any], Quantity | str | None]] = field(default_factory=dict)

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of what `compute` reads."""
        return tuple(inspect.signature(self.compute).parameters)

    @property
    def reported_as(self) -> str:
        """Its name in circuit.json."""
        return self.part_name or self.name
