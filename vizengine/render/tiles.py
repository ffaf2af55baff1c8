"""Tiles of numbers: cells that are shaded by value and say it, and small histograms of a slice's coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vizengine.render.geometry import diverging, number
from vizengine.report.figures import Kernel, Quantity

# The most columns whose numbers can be read in a tile.
MOST_COLUMNS = 4

# Side of a cell in the tile's own coordinates; the template writes it out.
_CELL = 30
_BINS = 20
_TALLEST = 10.0
_DARKEST = 0.78


@dataclass(frozen=True)
class Cell:
    """One number.

    Attributes:
        x, y: its place in the tile.
        fill: colour of the cell.
        light: whether a number on it is read better in white than in black.
        text: the number.
    """

    x: int
    y: int
    fill: str
    light: bool
    text: str


def signed_cells(rows: Sequence[Sequence[Quantity]], scale: float) -> list[Cell]:
    """Cells in red and blue, full at ±`scale`."""
    return _cells(rows, [[diverging(float(each.value), scale) for each in row] for row in rows])


def plain_cells(rows: Sequence[Sequence[Quantity]], scale: float) -> list[Cell]:
    """Cells in grey, white at zero and darkest at ±`scale`."""
    return _cells(rows, [[_grey(float(each.value), scale) for each in row] for row in rows])


def largest(grids: Sequence[Sequence[Sequence[Quantity]]]) -> float:
    """The largest absolute value in several grids of numbers."""
    return max((abs(float(each.value)) for rows in grids for row in rows for each in row), default=0.0)


def _cells(rows: Sequence[Sequence[Quantity]], fills: Sequence[Sequence[str]]) -> list[Cell]:
    return [
        Cell(across * _CELL, down * _CELL, fills[down][across], _is_dark(fills[down][across]), each.text)
        for down, row in enumerate(rows)
        for across, each in enumerate(row)
    ]


def _grey(value: float, scale: float) -> str:
    level = round(255 * (1 - _DARKEST * min(abs(value) / scale, 1.0))) if scale > 0 else 255
    return f"#{level:02x}{level:02x}{level:02x}"


def _is_dark(fill: str) -> bool:
    """Whether white stands out more from it than black, by WCAG 2.2's relative luminance."""
    channels = [int(fill[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return bool((luminance + 0.05) ** 2 <= 1.05 * 0.05)


@dataclass(frozen=True)
class Columns:
    """A small histogram from −scale to +scale, `WIDTH` by `HEIGHT`, as SVG paths.

    Attributes:
        inhibits, excites: the columns below and above zero; empty where there are none.
    """

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
    drawn = [
        f"M{place}.1 {number(_TALLEST)}v-{number(_TALLEST * count / tallest)}h.8V{number(_TALLEST)}" if count else ""
        for place, count in enumerate(counts)
    ]
    return Columns("".join(drawn[: _BINS // 2]), "".join(drawn[_BINS // 2 :]))
