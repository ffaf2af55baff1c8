"""Where to draw so that the unit's centre sees exactly its receptive field, and where its inputs look then."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vizengine.networks.architecture import INPUT, Architecture

# Deep layers of deep networks see more than any photo has; beyond this side in pixels a field is cut.
LARGEST = 512


@dataclass(frozen=True)
class Canvas:
    """The smallest square image in which one position's receptive field lies whole.

    No padding of any layer reaches that position, so its value is the one that it has anywhere inside a photo. Where
    the field is wider than `LARGEST`, the canvas has that side, and the position is the one nearest to its middle.

    Attributes:
        side: of the image in pixels.
        position: of the unit on its map, the same down and across.
        first: first pixel of the receptive field, the same down and across.
        size: side of the receptive field in pixels, as far as it lies on the canvas.
    """

    side: int
    position: int
    first: int
    size: int

    @property
    def centre(self) -> float:
        """The middle of the receptive field, in pixels from the image's edge."""
        return self.first + self.size / 2


def canvas_for(architecture: Architecture, layer: str) -> Canvas:
    """The canvas of a conv layer.

    With `same` padding and a stride over 1 the field's place depends on the image's size (see
    `Architecture.receptive_field`), so sizes are tried from the smallest on.

    Raises:
        ValueError: no size is found, which would be a mistake in the architecture.
    """
    field = architecture.receptive_field(layer, architecture.input_size)
    if field.size > LARGEST:
        side = architecture.fitting(LARGEST, layer)
        whole = Canvas(side, 0, 0, side)
        return replace(whole, position=nearest_position(architecture, layer, whole))
    for side in range(field.size, 4 * field.size + 4 * field.stride):
        field = architecture.receptive_field(layer, side)
        position = max(-(-round(-field.start) // field.stride), 0)
        first, end = field.window(position)
        if (
            architecture.fitting(side, layer) == side
            and first >= 0
            and end <= side
            and all(position < architecture.side(layer, side, axis) for axis in (0, 1))
        ):
            return Canvas(side, position, first, field.size)
    raise ValueError(f"no image size holds a receptive field of {layer} whole; expected one under {4 * field.size} px")


def nearest_position(architecture: Architecture, layer: str, canvas: Canvas) -> int:
    """The position of `layer` whose receptive field's middle is nearest to that of the canvas."""
    if layer == INPUT:
        return int(canvas.centre)
    field = architecture.receptive_field(layer, canvas.side)
    position = round((canvas.centre - field.size / 2 - field.start) / field.stride)
    last = min(architecture.side(layer, canvas.side, axis) for axis in (0, 1)) - 1
    return min(max(position, 0), last)
