"""Drawn, anti-aliased stimuli: plain shapes whose every parameter is known (Cammarata et al., Curve Detectors, 2020).

Angles are in degrees, counted counter-clockwise from the right as a person sees the picture. Lengths are in pixels.
A shape is drawn from its signed distance, and a pixel that its outline crosses is covered in part.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Family = Literal[
    "disk",
    "ring",
    "bar",
    "cross",
    "grating",
    "lattice",
    "edge",
    "curve",
    "corner",
    "lined_corner",
    "uniform",
    "blur",
    "position",
    "scale",
]
Polarity = Literal["light", "dark"]
Field = NDArray[np.float64]


@dataclass(frozen=True)
class Stimulus:
    """One picture.

    A parameter that a family doesn't have is None.

    Attributes:
        family: what is drawn. `blur`, `position` and `scale` are disks and bars that vary in that alone.
        polarity: `light` on black, or `dark`, that is black, on light.
        hue: of the light part, 0 to 360; None is white.
        brightness: of the light part, 0 to 1.
        radius: of a disk, of a ring's middle line, or of a curve.
        width: of the line or lines of a ring, bar, cross, lattice, curve or lined corner.
        orientation: of a bar or of a grating's stripes (0 to 180), of one line of a cross or lattice (0 to 90; the
            others are at a right angle to it), towards the light side of an edge, from a curve to its centre, or along
            the middle of a corner (0 to 360).
        frequency: of a grating, or of a lattice's lines each way, in cycles per receptive field.
        phase: of a grating at the centre, 0 to 360; of a lattice 0 with a crossing there, 180 with a gap.
        blur: standard deviation of a Gaussian over the finished picture.
        x, y: of the shape's centre from that of the receptive field, to the right and down.
        scale: factor on width and length of a bar.
    """

    family: Family
    polarity: Polarity = "light"
    hue: float | None = None
    brightness: float = 1.0
    radius: float | None = None
    width: float | None = None
    orientation: float | None = None
    frequency: float | None = None
    phase: float | None = None
    blur: float | None = None
    x: float | None = None
    y: float | None = None
    scale: float | None = None


def draw(stimulus: Stimulus, side: int, centre: float, size: int) -> NDArray[np.float32]:
    """Draw a stimulus.

    Args:
        stimulus: what.
        side: of the square image in pixels.
        centre: middle of the receptive field in pixels from the edge, the same down and across.
        size: side of the receptive field, which gives a grating's period and a bar's length.

    Returns:
        (side, side, 3) float32, RGB in [0, 1].
    """
    axis = np.arange(side) + 0.5 - centre
    right, down = np.meshgrid(axis - (stimulus.x or 0.0), axis - (stimulus.y or 0.0))
    cover = _cover(stimulus, right, down, size)
    if stimulus.polarity == "dark":
        cover = 1 - cover
    colour = np.array(
        colorsys.hsv_to_rgb((stimulus.hue or 0.0) / 360, 0.0 if stimulus.hue is None else 1.0, stimulus.brightness)
    )
    picture = cover[..., None] * colour
    if stimulus.blur:
        from scipy.ndimage import gaussian_filter

        picture = gaussian_filter(picture, (stimulus.blur, stimulus.blur, 0), mode="nearest")
    return np.asarray(picture, np.float32)


def _cover(stimulus: Stimulus, right: Field, down: Field, size: int) -> Field:
    """Share of each pixel that the shape covers; `right` and `down` are coordinates from its centre."""
    radius, width, scale = stimulus.radius or 0.0, stimulus.width or 0.0, stimulus.scale or 1.0
    # Coordinates along the orientation and a quarter turn counter-clockwise from it.
    angle = np.deg2rad(stimulus.orientation or 0.0)
    along = right * np.cos(angle) - down * np.sin(angle)
    across = -right * np.sin(angle) - down * np.cos(angle)
    # Signed distance of each pixel's middle to the outline, below 0 inside.
    match stimulus.family:
        case "uniform":
            return np.ones_like(right)
        case "grating":
            wave = 2 * np.pi * (stimulus.frequency or 0.0) * across / size + np.deg2rad(stimulus.phase or 0.0)
            return np.asarray(0.5 + 0.5 * np.cos(wave))
        case "disk" | "blur" | "position":
            distance = np.hypot(right, down) - radius
        case "ring":
            distance = np.abs(np.hypot(right, down) - radius) - width / 2
        case "bar" | "scale":
            distance = _bar(along, across, scale * width, scale * size * 0.8)
        case "cross":
            distance = np.minimum(_bar(along, across, width, size * 0.8), _bar(across, along, width, size * 0.8))
        case "lattice":
            cycles = np.stack([along, across]) * (stimulus.frequency or 0.0) / size + (stimulus.phase or 0.0) / 360
            distance = np.abs(cycles - cycles.round()).min(axis=0) * size / (stimulus.frequency or 1.0) - width / 2
        case "edge":
            distance = -along
        case "curve":
            # An arc through the centre, as long as the receptive field lets it be on the near side of its own centre.
            line = np.abs(np.hypot(along - radius, across) - radius) - width / 2
            distance = np.maximum(line, along - radius)
        case "corner":
            # A filled right angle with its tip in the centre.
            distance = (np.abs(across) - along) / np.sqrt(2)
        case "lined_corner":
            # Two lines that meet in the centre, as long as half a bar: both halves are the same to either side.
            outwards, aside = (along + np.abs(across)) / np.sqrt(2), (along - np.abs(across)) / np.sqrt(2)
            length = size * 0.4 + width / 2
            distance = _bar(outwards - (length - width) / 2, aside, width, length)
    return np.clip(0.5 - distance, 0.0, 1.0)


def _bar(along: Field, across: Field, width: float, length: float) -> Field:
    return np.maximum(np.abs(across) - width / 2, np.abs(along) - length / 2)


def _angles(steps: int, whole: float = 360.0) -> list[float]:
    return [whole * step / steps for step in range(steps)]


def battery(size: int) -> tuple[Stimulus, ...]:
    """All stimuli for a receptive field of `size` pixels; their lengths are shares of it.

    There are at least 8 of each family in each polarity, so that a preference for it can be judged.
    """
    polarities: tuple[Polarity, ...] = ("light", "dark")
    radii = [size * share for share in (0.05, 0.1, 0.15, 0.2, 0.3, 0.4)]
    arcs = [size * share for share in (0.15, 0.3, 0.6)]
    steps = [step * (size / 4) for step in (-1, -0.5, 0, 0.5, 1)]
    line = max(size * 0.1, 1.0)
    return (
        *(Stimulus("disk", p, hue, radius=r) for p in polarities for hue in (None, *_angles(6)) for r in radii),
        *(Stimulus("ring", p, radius=size * (0.05 * step + 0.1), width=line) for p in polarities for step in range(8)),
        *(Stimulus("bar", p, width=line, orientation=angle) for p in polarities for angle in _angles(8, 180.0)),
        *(Stimulus("cross", p, width=line, orientation=angle) for p in polarities for angle in _angles(8, 90.0)),
        *(
            Stimulus("grating", frequency=frequency, orientation=angle, phase=phase)
            for frequency in (1.0, 2.0, 4.0, 8.0)
            for angle in _angles(8, 180.0)
            for phase in _angles(4)
        ),
        *(
            Stimulus(
                "lattice",
                p,
                width=max(size / frequency / 4, 1.0),
                orientation=angle,
                frequency=frequency,
                phase=phase,
            )
            for p in polarities
            for frequency in (2.0, 4.0, 8.0)
            for angle in _angles(4, 90.0)
            for phase in (0.0, 180.0)
        ),
        *(Stimulus("edge", orientation=angle) for angle in _angles(16)),
        *(
            Stimulus("curve", p, radius=r, width=line, orientation=angle)
            for p in polarities
            for r in arcs
            for angle in _angles(8)
        ),
        *(Stimulus("corner", p, orientation=angle) for p in polarities for angle in _angles(8)),
        *(Stimulus("lined_corner", p, width=line, orientation=angle) for p in polarities for angle in _angles(8)),
        *(Stimulus("uniform", hue=hue, brightness=b) for hue in _angles(12) for b in (0.33, 0.67, 1.0)),
        *(Stimulus("uniform", brightness=b) for b in (0.0, 0.25, 0.5, 0.75, 1.0)),
        *(
            Stimulus("blur", radius=radii[3], blur=size * share)
            for share in (0.0, 0.0125, 0.025, 0.0375, 0.05, 0.075, 0.1, 0.15)
        ),
        *(Stimulus("position", radius=radii[2], x=x, y=y) for y in steps for x in steps),
        *(
            Stimulus("scale", width=2 * line, orientation=angle, scale=scale)
            for angle in _angles(4, 180.0)
            for scale in (0.25, 0.5, 0.75, 1.0, 1.5)
        ),
    )
