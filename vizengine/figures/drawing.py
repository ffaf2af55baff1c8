"""Coordinates and colours for the figures that the templates draw as SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vizengine.figures.quantities import Bin, Kernel, Quantity

if TYPE_CHECKING:
    from vizengine.measures.contributions import EffectsReport

# ColorBrewer's RdBu with five classes, its middle made white (Distill's convention).
STOPS = (
    (-1.0, (5, 113, 176)),
    (-0.5, (146, 197, 222)),
    (0.0, (255, 255, 255)),
    (0.5, (244, 165, 130)),
    (1.0, (202, 0, 32)),
)
INHIBITS, EXCITES = STOPS[0][1], STOPS[-1][1]
"""The red of all that excites and the blue of all that inhibits; RGB, 0 to 255."""


def weight_colour(value: float, scale: float) -> tuple[int, int, int]:
    """The colour of a weight: white at zero, full red at `scale`, full blue at −`scale`; RGB, 0 to 255."""
    position = max(-1.0, min(1.0, value / scale)) if scale > 0 else 0.0
    for (low, dark), (high, light) in zip(STOPS, STOPS[1:], strict=False):
        if position <= high:
            part = (position - low) / (high - low)
            red, green, blue = (round(a + part * (b - a)) for a, b in zip(dark, light, strict=True))
            return red, green, blue
    raise AssertionError("unreachable: position is at most 1")


def diverging(value: float, scale: float) -> str:
    """`weight_colour` as `#rrggbb`."""
    return "#{:02x}{:02x}{:02x}".format(*weight_colour(value, scale))


def grey(value: float, scale: float) -> str:
    """A grey, white at zero and darkest at ±`scale`, as `#rrggbb`."""
    level = round(255 * (1 - _DARKEST * min(abs(value) / scale, 1.0))) if scale > 0 else 255
    return f"#{level:02x}{level:02x}{level:02x}"


_DARKEST = 0.78
TILE = 100.0
GAP = 14.0
REACH = 300.0
_WIDEST = 13.0
_HEAD = 13.0
_SPACING = 22.0


def number(value: float) -> str:
    """A coordinate with at most two decimals."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


@dataclass(frozen=True)
class Arrow:
    """An arrow from an input's tile to the unit. All arrows of a figure share one system of coordinates.

    Attributes:
        view: the input's own row in those coordinates, for `viewBox`; the arrow leaves it on its way to the unit.
        line: SVG path of its curve.
        width: stroke width.
        head: points of the triangle at its end.
    """

    view: str
    line: str
    width: str
    head: str


def arrows(sizes: Sequence[float]) -> list[Arrow]:
    """One arrow for each input, top to bottom, its width in proportion to the size."""
    largest = max(sizes, default=0.0) or 1.0
    middle = (len(sizes) * TILE + (len(sizes) - 1) * GAP) / 2
    spacing = min(_SPACING, 250.0 / max(len(sizes), 1))
    stop = REACH - _HEAD
    result = []
    for place, size in enumerate(sizes):
        row = place * (TILE + GAP)
        start, end = row + TILE / 2, middle + (place - (len(sizes) - 1) / 2) * spacing
        width = max(1.0, _WIDEST * size / largest)
        half = width / 2 + 4.0
        curve = ((stop * 0.5, start), (stop * 0.5, end), (stop, end))
        head = ((stop - 0.5, end - half), (REACH, end), (stop - 0.5, end + half))
        result.append(
            Arrow(
                view=f"0 {number(row)} {number(REACH)} {number(TILE)}",
                line=f"M0 {number(start)}C" + " ".join(f"{number(x)} {number(y)}" for x, y in curve),
                width=number(width),
                head=" ".join(f"{number(x)},{number(y)}" for x, y in head),
            )
        )
    return result


@dataclass(frozen=True)
class Bar:
    """A bar of a histogram: position and width in percent, top and height in pixels."""

    x: str
    width: str
    y: str
    height: str
    bin: Bin


def bars(bins: Sequence[Bin], tallest: float, height: float) -> list[Bar]:
    """The bars of a histogram; empty ones are left out.

    Args:
        bins: of equal width, lowest first.
        tallest: the count that is drawn `height` pixels high.
    """
    step = 100.0 / max(len(bins), 1)
    result = []
    for place, column in enumerate(bins):
        if column.count.value:
            tall = max(1.5, height * column.count.value / max(tallest, 1))
            x, width = number(place * step + step * 0.06), number(step * 0.88)
            result.append(Bar(f"{x}%", f"{width}%", number(height - tall), number(tall), column))
    return result


def ends(values: Sequence[float], value: float) -> tuple[float, float]:
    """Ends of an axis on which all values lie, with some room beside the outermost."""
    low, high = min(value, *values), max(value, *values)
    room = 0.05 * ((high - low) or 1.0)
    return low - room, high + room


def along(value: float, low: float, high: float) -> float:
    """Where `value` lies between `low` and `high`, in percent."""
    return 100.0 * (value - low) / (high - low) if high > low else 0.0


def spread(positions: Sequence[float], gap: float) -> list[float]:
    """Places for labels, in percent, near `positions` and at least `gap` apart where 0 to 100 has room for that.

    Args:
        positions: in any order.

    Returns:
        One place for each position, in the order given.
    """
    gap = min(gap, 100.0 / max(len(positions), 1))
    order = sorted(range(len(positions)), key=lambda place: positions[place])
    placed = [0.0] * len(positions)
    limit = 100.0 - gap / 2
    for place in reversed(order):
        placed[place] = max(gap / 2, min(positions[place], limit))
        limit = placed[place] - gap
    limit = gap / 2
    for place in order:
        placed[place] = max(placed[place], limit)
        limit = placed[place] + gap
    return placed


def polyline(values: Sequence[float], low: float, high: float, width: float, height: float) -> str:
    """Points of a curve through `values`, from left to right, `low` at the bottom and `high` at the top."""
    span = (high - low) or 1.0
    step = width / max(len(values) - 1, 1)
    return " ".join(
        f"{number(place * step)},{number(height * (1 - (value - low) / span))}" for place, value in enumerate(values)
    )


# In percent of an axis on a narrow screen.
ROOM_FOR_A_LETTER = 3.5
OTHERS = "all others"


@dataclass(frozen=True)
class Piece:
    """One part of a stacked bar.

    Attributes:
        x, width: its place, in percent of the axis.
        kind: `excites`, `inhibits` or, for inputs that aren't shown singly, `plain`.
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
        right, left = right + max(size, 0.0), left + min(size, 0.0)
        kind = "plain" if name == OTHERS else "excites" if size > 0 else "inhibits"
        width = along(abs(size), 0.0, axis.high - axis.low)
        short = name.rpartition(":")[2]
        label = short if width >= ROOM_FOR_A_LETTER * len(short) else ""
        pieces.append(Piece(axis.at(start), number(width), kind, name, value, label))
    return pieces


def logarithmic(count: float, most: float) -> float:
    """Where a count from 1 to `most` lies on a logarithmic axis, 0 to 100."""
    return 100.0 * math.log(count) / math.log(most) if most > 1 else 50.0


def curve(counts: Sequence[int], values: Sequence[float], width: float, height: float) -> str:
    """Points of a curve over a logarithmic axis, from 0 at the bottom to 1 at the top; lower values are clipped."""
    return " ".join(
        f"{number(width * logarithmic(count, counts[-1]) / 100)},{number(height * (1 - max(value, 0.0)))}"
        for count, value in zip(counts, values, strict=True)
    )


# The most columns whose numbers can be read in a tile.
MOST_COLUMNS = 4
# Side of a cell in the tile's own coordinates; the template writes it out.
_CELL = 30
_BINS = 20
_TALLEST = 10.0


@dataclass(frozen=True)
class Cell:
    """One number in a tile; `light` where it is read better in white than in black on its fill."""

    x: int
    y: int
    fill: str
    light: bool
    text: str


def cells(rows: Sequence[Sequence[Quantity]], scale: float, colour: Callable[[float, float], str]) -> list[Cell]:
    """A cell for each number, its fill from `diverging` or `grey`, whose colours are full at `scale`."""
    return [
        Cell(across * _CELL, down * _CELL, fill, _is_dark(fill), value.text)
        for down, row in enumerate(rows)
        for across, value in enumerate(row)
        for fill in [colour(float(value.value), scale)]
    ]


def largest(grids: Sequence[Sequence[Sequence[Quantity]]]) -> float:
    """The largest absolute value in several grids of numbers."""
    return max((abs(float(value.value)) for rows in grids for row in rows for value in row), default=0.0)


def _is_dark(fill: str) -> bool:
    """Whether white stands out more from it than black, by WCAG 2.2's relative luminance."""
    channels = [int(fill[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return bool((luminance + 0.05) ** 2 <= 1.05 * 0.05)


@dataclass(frozen=True)
class Columns:
    """A small histogram from −scale to +scale, `WIDTH` by `HEIGHT`, as SVG paths, empty where there is nothing."""

    inhibits: str
    excites: str

    WIDTH = _BINS
    HEIGHT = int(_TALLEST)


def columns(kernel: Kernel, scale: float) -> Columns:
    """How the coefficients of a slice are spread; one beyond `scale` stands in the last column."""
    counts = [0] * _BINS
    for row in kernel.rows:
        for cell in row:
            place = int((float(cell.value) / scale + 1) * _BINS / 2) if scale > 0 else _BINS // 2
            counts[min(max(place, 0), _BINS - 1)] += 1
    tallest = max(counts) or 1
    paths = [
        f"M{place}.1 {number(_TALLEST)}v-{number(_TALLEST * count / tallest)}h.8V{number(_TALLEST)}" if count else ""
        for place, count in enumerate(counts)
    ]
    return Columns("".join(paths[: _BINS // 2]), "".join(paths[_BINS // 2 :]))
