"""What the light page of a sweep's unit says, and what the explorer says of all units."""

from __future__ import annotations

from dataclasses import dataclass

from vizengine.circuit.model import Sign
from vizengine.report.figures import Kernel, Picture, Quantity


@dataclass(frozen=True)
class Tile:
    """A unit as other pages show it.

    Attributes:
        label: `layer:unit`, or the name of a colour of the image.
        layer: its layer.
        unit: its index.
        page: address of its page from the sweep's folder, or empty where it has none.
        picture: address of its picture likewise, or empty.
        verdict: `converged`, `not converged` or `exact`; empty where it has no picture.
    """

    label: str
    layer: str
    unit: int
    page: str
    picture: str
    verdict: str


@dataclass(frozen=True)
class Connection:
    """A kernel slice between two units, and the unit at its other end.

    Attributes:
        tile: that unit.
        kernel: the slice.
        norm: its L2 norm.
        share: its part of the sum of squares of the reader's kernel.
        sign: as in `InputChannel`.
        contribution: mean of what it adds to the reader on the reader's top examples; None where it wasn't measured.
    """

    tile: Tile
    kernel: Kernel
    norm: Quantity
    share: Quantity
    sign: Sign
    contribution: Quantity | None

    @property
    def label(self) -> str:
        """The other unit's name."""
        return self.tile.label


@dataclass(frozen=True)
class Part:
    """A part of the unit's mean pre-activation on its top examples.

    Attributes:
        name: `bias`, an input's label, or how many other inputs there are.
        value: how much.
        page: address of the input's page from the sweep's folder, or empty.
    """

    name: str
    value: Quantity
    page: str = ""


@dataclass(frozen=True)
class ShownExample:
    """A place in a photo that drives the unit.

    Attributes:
        picture: what the unit sees there.
        photo: name of the photo.
        pre: the unit's pre-activation.
    """

    picture: Picture
    photo: str
    pre: Quantity


@dataclass(frozen=True)
class Indices:
    """Figures by which units are told apart; None where one can't be told.

    Attributes:
        strength: highest pre-activation over photos, in standard deviations above the mean.
        firing: share of positions above zero.
        orientation, hue: selectivity, 0 to 1.
    """

    strength: Quantity | None
    firing: Quantity | None
    orientation: Quantity | None
    hue: Quantity | None


@dataclass(frozen=True)
class UnitPage:
    """The light page of one unit.

    Attributes:
        tile: the unit.
        network: the network's title.
        trained: false where its weights are drawn at random.
        field: side of its receptive field.
        size: side of its picture in pixels.
        failure: why there is nothing but this to say; empty where all is well, and then the rest is there.
        reached: highest pre-activation on its picture.
        photo_best: the same over photos.
        photo_best_name: the photo.
        indices: its figures.
        inputs: its strongest inputs by norm.
        input_count: how many inputs it has.
        outputs: the units that lean on it most, by share of their own kernels.
        parts: bias, largest inputs and all others; they sum to `total`.
        total: mean pre-activation on the examples.
        examples: the photos' places that drive it most, highest first.
        photo_count: how many photos were looked at.
        scale: largest absolute coefficient of the page's kernels.
        previous, next: its neighbours in the layer.
    """

    tile: Tile
    network: str
    trained: bool
    field: Quantity
    size: int
    failure: str
    previous: Tile | None
    next: Tile | None
    reached: Quantity | None = None
    photo_best: Quantity | None = None
    photo_best_name: str = ""
    indices: Indices | None = None
    inputs: tuple[Connection, ...] = ()
    input_count: Quantity | None = None
    outputs: tuple[Connection, ...] = ()
    parts: tuple[Part, ...] = ()
    total: Quantity | None = None
    examples: tuple[ShownExample, ...] = ()
    photo_count: Quantity | None = None
    scale: Quantity | None = None


@dataclass(frozen=True)
class SheetUnit:
    """A unit on a contact sheet.

    Attributes:
        tile: the unit.
        indices: its figures; None where it failed.
    """

    tile: Tile
    indices: Indices | None


@dataclass(frozen=True)
class Sheet:
    """The contact sheet of a layer.

    Attributes:
        layer: its name.
        folder: the folder of its pages and pictures.
        channels: how many units the layer has.
        units: those that have pages, in order.
    """

    layer: str
    folder: str
    channels: int
    units: tuple[SheetUnit, ...]


@dataclass(frozen=True)
class Explorer:
    """The page that leads to all units of a sweep.

    Attributes:
        name: the sweep's name in the config.
        title: its heading.
        network: the network's title.
        trained: false where its weights are drawn at random.
        sheets: in order of computation.
        size: side of the pictures in pixels.
        failures: label and reason of each unit that failed.
    """

    name: str
    title: str
    network: str
    trained: bool
    sheets: tuple[Sheet, ...]
    size: int
    failures: tuple[tuple[str, str], ...]

    @property
    def count(self) -> int:
        """How many units there are."""
        return sum(len(sheet.units) for sheet in self.sheets)
