"""Numbers as text: one place that decides on digits, signs and units."""

from __future__ import annotations

import math
from collections.abc import Iterable

from vizengine.evidence.intervals import Estimate
from vizengine.report.figures import Change, Quantity

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


def measured(value: float, digits: int = 3) -> Quantity | None:
    """A number with significant digits, or None where there is none."""
    return significant(value, digits) if math.isfinite(value) else None


def change(given: Estimate, digits: int = 3) -> Change:
    """A mean with its interval."""
    return Change(
        mean=significant(given.mean, digits), low=measured(given.low, digits), high=measured(given.high, digits)
    )


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
