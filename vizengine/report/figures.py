"""Figures of a report: numbers, pictures and plots as data."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AllowInfNan, BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

Finite = Annotated[float, AllowInfNan(False)]
Embedded = Annotated[str, Field(pattern=r"^data:image/(jpeg|webp);base64,[A-Za-z0-9+/=]+$")]
Address = Annotated[str, Field(pattern=r"^(https?://\S+)?$")]


class Documented(BaseModel):
    """Base of all models: immutable, closed, and each field described by the text below it."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Quantity(Documented):
    """A number as it was measured and as it is printed."""

    value: int | Finite
    """The number itself, unrounded."""
    text: str
    """The number as the page prints it, without its unit."""
    unit: str = ""
    """`%`, `×`, `px`, or empty where it has none (weights and pre-activations)."""

    @model_serializer(mode="wrap")
    def _without_empty_unit(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Most numbers have no unit; `circuit.json` is a tenth shorter without saying so each time."""
        return {key: each for key, each in handler(self).items() if key != "unit" or each}

    @property
    def shown(self) -> str:
        """Text and unit together, for prose and for attributes."""
        if not self.unit:
            return self.text
        return self.text + ("" if self.unit in ("%", "×") else "\N{NO-BREAK SPACE}") + self.unit


class Change(Documented):
    """A mean change with its interval."""

    mean: Quantity
    """The mean."""
    low: Quantity | None
    """Lower end of its 95 % interval; null where the sample is too small."""
    high: Quantity | None
    """Upper end."""


class Picture(Documented):
    """A picture inside the page."""

    source: Embedded
    """`data:` address that holds the whole file."""
    width: int
    """Width in pixels."""
    height: int
    """Height in pixels."""
    alt: str
    """What it shows, for those who can't see it."""


class Bin(Documented):
    """One bar of a histogram."""

    low: Quantity
    """Lower edge, included."""
    high: Quantity
    """Upper edge, excluded except in the last bar."""
    count: Quantity
    """How many values lie between the edges."""


class Histogram(Documented):
    """How a set of values is spread, in bars of equal width."""

    bins: tuple[Bin, ...]
    """The bars, lowest first."""
    low: Quantity
    """Left end of the axis."""
    high: Quantity
    """Right end of the axis."""
    tallest: Quantity
    """Count in the tallest bar."""


class Trace(Documented):
    """The objective at every step of a gradient ascent, under the random transformations of that step."""

    values: tuple[Finite, ...]
    """Pre-activation at each step, thinned to at most 256 steps."""
    low: Quantity
    """Lowest of them."""
    high: Quantity
    """Highest of them."""
    steps: Quantity
    """Steps taken."""


class Kernel(Documented):
    """The slice of the unit's kernel through which it reads one input channel."""

    rows: tuple[tuple[Quantity, ...], ...]
    """Coefficients, row by row from the top: units of pre-activation per unit of input."""
    smallest: Quantity
    """The lowest coefficient."""
    largest: Quantity
    """The highest coefficient."""
