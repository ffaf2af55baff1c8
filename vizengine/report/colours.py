"""The colours of weights: red where a unit is excited, blue where it is inhibited, white at zero."""

from __future__ import annotations

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
