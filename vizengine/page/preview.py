"""The circuit as one picture, which other sites show where they link to its page."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from vizengine.figures.drawing import EXCITES, INHIBITS, weight_colour
from vizengine.figures.pictures import decoded
from vizengine.figures.quantities import Kernel, Picture
from vizengine.measures.inputs import StrongInput
from vizengine.page.report import Report

# What most sites ask for: 1.91 to 1.
WIDTH, HEIGHT = 1200, 630
QUALITY = 85
ALT = "The strongest inputs, each beside its kernel slice, with arrows to the unit’s picture"
_MARGIN = 45
_UNIT = 500
_MOST = 6
_GAP = 0.14
_WIDEST = 16.0
# Lines are drawn this much larger and made smaller, which smooths their edges.
_FINER = 3
_CURVE_POINTS = 48
_GREY = (92, 96, 102)
Point = tuple[float, float]


def preview(report: Report) -> bytes:
    """The figure at the head of the page without its words: at most six inputs, their slices, arrows, the unit.

    Returns:
        a JPEG, `WIDTH` by `HEIGHT`, on white.
    """
    strongest = report.strongest[:_MOST]
    tile = round((HEIGHT - 2 * _MARGIN) / (max(len(strongest), 3) * (1 + _GAP) - _GAP))
    step = tile * (1 + _GAP)
    top = (HEIGHT - (len(strongest) - 1) * step - tile) / 2
    rows = [round(top + place * step) for place in range(len(strongest))]
    left, unit = _MARGIN + 2 * tile, WIDTH - _MARGIN - _UNIT
    image = _arrows(strongest, [row + tile / 2 for row in rows], left + 6, unit - 6)
    for row, strong in zip(rows, strongest, strict=True):
        image.paste(_resized(strong.feature.picture, tile), (_MARGIN, row))
        image.paste(_cells(strong.slice.kernel, float(report.kernel_scale.value), tile), (_MARGIN + tile, row))
    image.paste(_resized(report.feature.picture, _UNIT), (unit, (HEIGHT - _UNIT) // 2))
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=QUALITY, optimize=True)
    return stream.getvalue()


def _resized(picture: Picture, side: int) -> Image.Image:
    return decoded(picture).convert("RGB").resize((side, side), Image.Resampling.LANCZOS)


def _cells(kernel: Kernel, scale: float, side: int) -> Image.Image:
    cells = np.array([[weight_colour(float(cell.value), scale) for cell in row] for row in kernel.rows], np.uint8)
    return Image.fromarray(cells).resize((side, side), Image.Resampling.NEAREST)


def _arrows(strongest: Sequence[StrongInput], starts: Sequence[float], left: float, right: float) -> Image.Image:
    # It loads FreeType, which nothing else needs.
    from PIL import ImageDraw

    canvas = Image.new("RGB", (WIDTH * _FINER, HEIGHT * _FINER), "white")
    draw = ImageDraw.Draw(canvas)
    sizes = [abs(float(strong.slice.contribution.value)) for strong in strongest]
    largest = max(sizes, default=0.0) or 1.0
    for place, (strong, size, start) in enumerate(zip(strongest, sizes, starts, strict=True)):
        width = max(1.5, _WIDEST * size / largest)
        end = HEIGHT / 2 + (place - (len(starts) - 1) / 2) * 34
        value = strong.slice.contribution.value
        colour = EXCITES if value > 0 else INHIBITS if value < 0 else _GREY
        head, half = right - 18, width / 2 + 6
        line = _curve((left, start), (head + 1, end))
        draw.line([(x * _FINER, y * _FINER) for x, y in line], colour, round(width * _FINER), joint="curve")
        corners = ((head, end - half), (right, end), (head, end + half))
        draw.polygon([(x * _FINER, y * _FINER) for x, y in corners], colour)
    return canvas.resize((WIDTH, HEIGHT), Image.Resampling.BOX)


def _curve(start: Point, end: Point) -> list[Point]:
    """Points of a cubic Bézier curve that is horizontal at both ends."""
    along = np.linspace(0, 1, _CURVE_POINTS)
    middle = (start[0] + end[0]) / 2
    across = np.polynomial.Polynomial([0, 0, 3, -2])(along)
    x = (
        (1 - along) ** 3 * start[0]
        + 3 * (1 - along) ** 2 * along * middle
        + 3 * (1 - along) * along**2 * middle
        + along**3 * end[0]
    )
    return list(zip(x.tolist(), (start[1] + (end[1] - start[1]) * across).tolist(), strict=True))
