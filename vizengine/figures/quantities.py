"""Figures of a report: numbers, pictures and plots as data."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Concatenate, ParamSpec

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import AllowInfNan, BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

Finite = Annotated[float, AllowInfNan(False)]
Embedded = Annotated[str, Field(pattern=r"^data:image/(jpeg|webp);base64,[A-Za-z0-9+/=]+$")]
Address = Annotated[str, Field(pattern=r"^(https?://\S+)?$")]


class Documented(BaseModel):
    """Base of all models: immutable, closed, and each field described by the text below it."""

    # `--check` reads none of these, and would wait a fifth of a second for their validators.
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, defer_build=True)


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
        return {key: value for key, value in handler(self).items() if key != "unit" or value}

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


MINUS = "\N{MINUS SIGN}"


def decimals(values: Iterable[float], digits: int = 4) -> int:
    """Decimals with which the largest of `values` has `digits` significant digits.

    A column of figures shares them, so that its decimal points line up.
    """
    largest = max((abs(value) for value in values), default=0.0)
    if largest == 0.0 or not math.isfinite(largest):
        return 0
    return max(0, digits - 1 - math.floor(math.log10(largest)))


def fixed(value: float, places: int, unit: str = "") -> Quantity:
    """A number with `places` decimals, thousands set apart by commas."""
    rounded = round(float(value), places) + 0.0  # + 0.0 turns −0.0 into 0.0
    return Quantity(value=float(value), text=f"{rounded:,.{places}f}".replace("-", MINUS), unit=unit)


def significant(value: float, digits: int = 3, unit: str = "") -> Quantity:
    """A number with `digits` significant digits."""
    return fixed(value, decimals([value], digits), unit)


Arguments = ParamSpec("Arguments")


def if_finite(
    value: float,
    form: Callable[Concatenate[float, Arguments], Quantity],
    *args: Arguments.args,
    **kwargs: Arguments.kwargs,
) -> Quantity | None:
    """A number as `form` prints it, for example `if_finite(share, percent)`; None where it isn't finite."""
    return form(value, *args, **kwargs) if math.isfinite(value) else None


def whole(value: int, unit: str = "") -> Quantity:
    """A whole number."""
    return Quantity(value=int(value), text=f"{int(value):,}".replace("-", MINUS), unit=unit)


def percent(share: float) -> Quantity:
    """A share of 0 to 1 as percent: one decimal, and more where it would read as none or as all."""
    value = 100.0 * float(share)
    for places in (1, 2, 3):
        if round(value, places) not in (0.0, 100.0) or value in (0.0, 100.0):
            return fixed(value, places, "%")
    if value < 50.0:
        return Quantity(value=value, text="< 0.001", unit="%")
    return Quantity(value=value, text="> 99.999", unit="%")


TRACE_POINTS = 256


def histogram(values: ArrayLike, low: float, high: float, bins: int) -> Histogram:
    """A histogram of `values` with `bins` bars of equal width from `low` to `high`, or to `low` + 1."""
    counts, edges = np.histogram(np.asarray(values, np.float64), bins, (low, high if high > low else low + 1.0))
    return counted(counts, edges, decimals((low, edges[-1]), 3))


def counted(counts: NDArray[np.integer], edges: NDArray[np.floating], places: int) -> Histogram:
    """A histogram of (bins,) counts between (bins + 1,) edges, which have `places` decimals."""
    marks = [fixed(edge, places) for edge in edges.tolist()]
    bars = tuple(
        Bin(low=low, high=high, count=whole(count))
        for low, high, count in zip(marks[:-1], marks[1:], counts.tolist(), strict=True)
    )
    return Histogram(bins=bars, low=marks[0], high=marks[-1], tallest=whole(counts.max()))


def trace(values: NDArray[np.floating]) -> Trace | None:
    """The course of an ascent, or None where there was none."""
    finite = values[np.isfinite(values)].astype(np.float64)
    if not len(finite):
        return None
    indices = np.unique(np.linspace(0, len(finite) - 1, min(len(finite), TRACE_POINTS)).round().astype(int))
    return Trace(
        values=tuple(float(f"{value:.6g}") for value in finite[indices]),
        low=significant(float(finite.min())),
        high=significant(float(finite.max())),
        steps=whole(len(values)),
    )
