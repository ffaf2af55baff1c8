"""Coordinates of the evidence's charts: stacked bars, curves on a logarithmic axis, and intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vizengine.render.geometry import along, number
from vizengine.report.effect_parts import EffectsReport
from vizengine.report.figures import Quantity

# In percent of an axis on a narrow screen.
ROOM_FOR_A_LETTER = 3.5
OTHERS = "all others"


@dataclass(frozen=True)
class Piece:
    """One part of a stacked bar, in percent of the axis.

    Attributes:
        x, width: its place.
        kind: `excites`, `inhibits` or, for inputs that aren't shown singly, `plain`.
        name: what it is.
        value: how much.
        label: what is written on it; empty where it is too narrow.
    """

    x: str
    width: str
    kind: str
    name: str
    value: Quantity
    label: str


@dataclass(frozen=True)
class Axis:
    """The ends of an axis, zero among them."""

    low: float
    high: float

    def at(self, value: float) -> str:
        """The place of a value, in percent."""
        return number(along(value, self.low, self.high))


def bar_axis(effects: EffectsReport, bias: Quantity) -> Axis:
    """An axis on which all stacked bars have room."""
    rows = [[float(part.value) for part in (bias, *bar.inputs, bar.others)] for bar in effects.bars]
    high = max((sum(value for value in row if value > 0) for row in rows), default=0.0)
    low = min((sum(value for value in row if value < 0) for row in rows), default=0.0)
    return Axis(low, high if high > low else low + 1.0)


def stacked(parts: Sequence[tuple[str, Quantity]], axis: Axis) -> list[Piece]:
    """Parts side by side from zero: those above it to the right, those below to the left; all others are `plain`."""
    right = left = 0.0
    pieces = []
    for name, value in parts:
        size = float(value.value)
        start = right if size > 0 else left + size
        if size > 0:
            right += size
        else:
            left += size
        kind = "plain" if name == OTHERS else "excites" if size > 0 else "inhibits"
        width = along(abs(size), 0.0, axis.high - axis.low)
        label = name.rpartition(":")[2] if width >= ROOM_FOR_A_LETTER * len(name.rpartition(":")[2]) else ""
        pieces.append(Piece(axis.at(start), number(width), kind, name, value, label))
    return pieces


def logarithmic(count: float, most: float) -> float:
    """Where a count from 1 to `most` lies on a logarithmic axis, 0 to 100."""
    return 100.0 * math.log(count) / math.log(most) if most > 1 else 50.0


def curve(counts: Sequence[int], values: Sequence[float], width: float, height: float, low: float) -> str:
    """Points of a curve over a logarithmic axis, from `low` at the bottom to 1 at the top; lower values are clipped."""
    return " ".join(
        f"{number(width * logarithmic(count, counts[-1]) / 100)},"
        f"{number(height * (1 - max(along(value, low, 1.0), 0.0) / 100))}"
        for count, value in zip(counts, values, strict=True)
    )
