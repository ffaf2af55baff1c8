"""The unit's own top patches rotated, scaled, tinted, inverted, blurred and shifted.

What a rotated or shrunken patch needs beyond the receptive field comes from the photo itself, mirrored at its edge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vizengine.network.model import Canvas

Kind = Literal["rotation", "scale", "hue", "polarity", "position", "blur"]
KINDS: tuple[Kind, ...] = ("rotation", "scale", "hue", "polarity", "position", "blur")
_SMALLEST = 0.5


@dataclass(frozen=True)
class Sweep:
    """The steps of one kind of change.

    Attributes:
        steps: rotation and hue in degrees; scale as a factor; polarity 0 as it is, 1 inverted; position and blur
            (a Gaussian's standard deviation) as a share of the receptive field's side.
        untouched: the step at which the patch is as it was.
        unit: of `steps`, for an axis.
    """

    kind: Kind
    steps: tuple[float, ...]
    untouched: float
    unit: str


SWEEPS: tuple[Sweep, ...] = (
    Sweep("rotation", tuple(float(angle) for angle in range(0, 360, 30)), 0.0, "degrees"),
    Sweep("scale", (_SMALLEST, 0.63, 0.79, 1.0, 1.26, 1.59, 2.0), 1.0, "factor"),
    Sweep("hue", tuple(float(angle) for angle in range(0, 360, 30)), 0.0, "degrees"),
    Sweep("polarity", (0.0, 1.0), 0.0, "0 as it is, 1 inverted"),
    Sweep("position", (-0.25, -0.125, 0.0, 0.125, 0.25), 0.0, "share of the receptive field, down and across"),
    Sweep("blur", (0.0, 0.025, 0.05, 0.1, 0.2), 0.0, "standard deviation as a share of the receptive field"),
)


def surroundings(pixels: NDArray[np.float32], top: int, left: int, canvas: Canvas) -> NDArray[np.float32]:
    """A patch with enough around it for every change, mirrored at the photo's edge.

    Args:
        pixels: (height, width, 3) of the photo.
        top, left: first pixel of the patch's receptive field; may lie outside.
        canvas: as for `change`.

    Returns:
        (side + 2 * margin, same, 3): the canvas with `margin(canvas)` around it.
    """
    border = margin(canvas)
    side = canvas.side + 2 * border
    rows = _mirrored(np.arange(side) + top - canvas.first - border, pixels.shape[0])
    columns = _mirrored(np.arange(side) + left - canvas.first - border, pixels.shape[1])
    return np.asarray(pixels[rows[:, None], columns[None, :]])


def margin(canvas: Canvas) -> int:
    """Pixels around a canvas that the widest change, shrinking, can ask for; a turn asks for less."""
    return int(np.ceil(canvas.side * (1 / _SMALLEST - 1))) + 2


def _mirrored(index: NDArray[np.integer], length: int) -> NDArray[np.integer]:
    """Indices folded back into 0 to length - 1, the outermost pixel not repeated."""
    if length == 1:
        return np.zeros_like(index)
    period = 2 * (length - 1)
    folded = index % period
    return np.asarray(np.minimum(folded, period - folded))


def change(around: NDArray[np.float32], kind: Kind, step: float, canvas: Canvas) -> NDArray[np.float32]:
    """One step of one sweep.

    Args:
        around: what `surroundings` gave.
        kind, step: what to do; the untouched step gives the patch bit by bit.
        canvas: on which the patch is put.

    Returns:
        (side, side, 3) float32, RGB in [0, 1].
    """
    middle = _middle(around, canvas)
    match kind:
        case "hue" if step:
            return _tinted(middle, step)
        case "polarity" if step:
            return 1 - middle
        case "blur" if step:
            return _middle(_blurred(around, step * canvas.size), canvas)
        case "position":
            return _middle(around, canvas, round(step * canvas.size))
        case "rotation" if step:
            return _moved(around, canvas, angle=np.deg2rad(step))
        case "scale" if step < 1:
            # As scikit-image's resize does before it makes a picture smaller.
            return _moved(_blurred(around, (1 / step - 1) / 2), canvas, scale=step)
        case "scale" if step > 1:
            return _moved(around, canvas, scale=step)
    return middle


def _middle(around: NDArray[np.float32], canvas: Canvas, shift: int = 0) -> NDArray[np.float32]:
    """The canvas; with `shift` the patch lies that many pixels further down and right."""
    first = margin(canvas) - shift
    return around[first : first + canvas.side, first : first + canvas.side]


def _blurred(around: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(around, (sigma, sigma, 0), mode="nearest"))


def _moved(around: NDArray[np.float32], canvas: Canvas, angle: float = 0.0, scale: float = 1.0) -> NDArray[np.float32]:
    """Turned counter-clockwise and made larger about the middle of the receptive field; linear interpolation."""
    from scipy.ndimage import map_coordinates

    axis = np.arange(canvas.side) + 0.5 - canvas.centre
    right, down = np.meshgrid(axis, axis)
    middle = margin(canvas) + canvas.centre - 0.5
    source_right = (right * np.cos(angle) - down * np.sin(angle)) / scale + middle
    source_down = (right * np.sin(angle) + down * np.cos(angle)) / scale + middle
    colours = [
        map_coordinates(around[..., index], [source_down, source_right], order=1, mode="nearest") for index in range(3)
    ]
    return np.stack(colours, axis=-1).astype(np.float32)


def _tinted(patch: NDArray[np.float32], degrees: float) -> NDArray[np.float32]:
    """Every pixel's hue moved round the circle of HSV; greys stay."""
    from skimage.color import hsv2rgb, rgb2hsv

    hsv = rgb2hsv(patch)
    hsv[..., 0] = (hsv[..., 0] + degrees / 360) % 1.0
    return np.asarray(hsv2rgb(hsv), np.float32)
