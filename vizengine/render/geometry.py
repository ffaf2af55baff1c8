"""Coordinates and colours for the figures that the templates draw as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vizengine.report.colours import weight_colour
from vizengine.report.figures import Bin

TILE = 100.0
GAP = 14.0
REACH = 300.0
_WIDEST = 13.0
_HEAD = 13.0
_SPACING = 22.0


def diverging(value: float, scale: float) -> str:
    """The colour of a weight: white at zero, full red at `scale`, full blue at −`scale`.

    Returns:
        `#rrggbb`.
    """
    return "#" + "".join(f"{channel:02x}" for channel in weight_colour(value, scale))


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
    return [
        _arrow(
            place * (TILE + GAP), middle + (place - (len(sizes) - 1) / 2) * spacing, max(1.0, _WIDEST * size / largest)
        )
        for place, size in enumerate(sizes)
    ]


def _arrow(row: float, end: float, width: float) -> Arrow:
    start, stop, half = row + TILE / 2, REACH - _HEAD, width / 2 + 4.0
    curve = ((stop * 0.5, start), (stop * 0.5, end), (stop, end))
    head = ((stop - 0.5, end - half), (REACH, end), (stop - 0.5, end + half))
    return Arrow(
        view=f"0 {number(row)} {number(REACH)} {number(TILE)}",
        line=f"M0 {number(start)}C" + " ".join(f"{number(x)} {number(y)}" for x, y in curve),
        width=number(width),
        head=" ".join(f"{number(x)},{number(y)}" for x, y in head),
    )


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
        height: in pixels.
    """
    step = 100.0 / max(len(bins), 1)
    drawn = []
    for place, each in enumerate(bins):
        if each.count.value:
            tall = max(1.5, height * each.count.value / max(tallest, 1))
            drawn.append(
                Bar(
                    f"{number(place * step + step * 0.06)}%",
                    f"{number(step * 0.88)}%",
                    number(height - tall),
                    number(tall),
                    each,
                )
            )
    return drawn


def along(value: float, low: float, high: float) -> float:
    """Where `value` lies between `low` and `high`, in percent."""
    return 100.0 * (value - low) / (high - low) if high > low else 0.0


def spread(positions: Sequence[float], gap: float) -> list[float]:
    """Places for labels, in percent, near `positions` and at least `gap` apart where 0 to 100 has room for that.

    Args:
        positions: in any order.
        gap: least distance between two labels.

    Returns:
        one place for each position, in the order given.
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
