"""What the light page of a sweep's unit says, and what the explorer says of all units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from vizengine.figures.drawing import along, number
from vizengine.figures.quantities import Kernel, Quantity
from vizengine.measures.examples import ExampleReport
from vizengine.measures.inputs import Sign, SliceFigures
from vizengine.measures.readings import OutputSlice
from vizengine.page.render import environment, escape_bidi, load, templates_folder
from vizengine.page.report import SiteReport


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
        sign: as in `InputChannel`.
        slice: its figures.
    """

    tile: Tile
    sign: Sign
    slice: SliceFigures | OutputSlice

    @property
    def label(self) -> str:
        """The other unit's name."""
        return self.tile.label

    @property
    def kernel(self) -> Kernel:
        """The slice."""
        return self.slice.kernel


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
class UnitPage:
    """The light page of one unit.

    Attributes:
        tile: the unit.
        network: the network's title.
        trained: false where its weights are drawn at random.
        receptive_field: its side.
        size: side of its picture in pixels.
        failure: why there is nothing but this to say; empty where all is well, and then the rest is there.
        reached: highest pre-activation on its picture.
        photo_best: the same over photos.
        photo_best_name: the photo.
        figures: its figures by the names of `FIGURES`; None where one can't be told.
        inputs: its strongest inputs by norm, with `SliceFigures`.
        input_count: how many inputs it has.
        scale: value of the full colours of their slices.
        excited, inhibited: the later units that it excites and inhibits most, with `OutputSlice`s.
        output_scale: value of the full colours of those slices.
        parts: bias, largest inputs and all others; they sum to `total`.
        total: mean pre-activation on its top examples.
        example_count: how many those are.
        examples: the first of them.
        photo_count: how many photos were looked at.
        previous, next: its neighbours in the layer.
    """

    tile: Tile
    network: str
    trained: bool
    receptive_field: Quantity
    size: int
    failure: str
    previous: Tile | None
    next: Tile | None
    reached: Quantity | None = None
    photo_best: Quantity | None = None
    photo_best_name: str = ""
    figures: Mapping[str, Quantity | None] = field(default_factory=dict)
    inputs: tuple[Connection, ...] = ()
    input_count: Quantity | None = None
    scale: Quantity | None = None
    excited: tuple[Connection, ...] = ()
    inhibited: tuple[Connection, ...] = ()
    output_scale: Quantity | None = None
    parts: tuple[Part, ...] = ()
    total: Quantity | None = None
    example_count: Quantity | None = None
    examples: tuple[ExampleReport, ...] = ()
    photo_count: Quantity | None = None


@dataclass(frozen=True)
class SheetUnit:
    """A unit on a contact sheet.

    Attributes:
        tile: the unit.
        figures: as in `UnitPage`; None where it failed.
    """

    tile: Tile
    figures: Mapping[str, Quantity | None] | None


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


@dataclass(frozen=True)
class Column:
    """A figure that every unit has.

    Attributes:
        name: in attributes and in `survey.json`, for example `strength`.
        title: over the figures.
        short: the same in a word or two, for the panel of one unit.
        meaning: what it says, in a sentence or two.
        formula: how it is worked out, and after whom.
        sample: from what.
        control: what to hold it against, with the control's own figure.
        absent: what stands for a figure that can't be told.
        low, high: ends of its axis.
        median: of the layer; None where no unit has it.
        control_at: where the control lies on the axis, if it is the same for all units.
    """

    name: str
    title: str
    short: str
    meaning: str
    formula: str
    sample: str
    control: str
    absent: str = "none"
    low: float = 0.0
    high: float = 1.0
    median: Quantity | None = None
    control_at: Quantity | None = None


@dataclass(frozen=True)
class Figure:
    """One unit's figure in one column.

    Attributes:
        value: None where it can't be told.
        chance: the unit's own control, where the column has one.
    """

    value: Quantity | None
    chance: Quantity | None = None


@dataclass(frozen=True)
class Neighbour:
    """A unit that fires where another does.

    Attributes:
        unit: its index.
        correlation: of the two units' activations.
    """

    unit: int
    correlation: Quantity


@dataclass(frozen=True)
class SheetEntry:
    """A unit on the sheet.

    Attributes:
        unit: its index.
        picture: address of its picture from the sheet's folder, or empty where it has none.
        verdict: `converged` or `not converged`; empty where it has no picture.
        reached, photo_best: highest pre-activation on its picture and on any photo; None where it failed.
        examples: address of the strip of what it sees at the places that drive it most, or empty.
        seen: that strip in words.
        page: address of its page, relative to the sheet's folder, or empty where the site has none.
        figures: one for each column.
        group_count: into how many groups its top examples fall; None where it failed.
        neighbours: the units that fire most like it, most alike first.
        failure: why it has nothing but this; empty where all is well.
    """

    unit: int
    picture: str
    verdict: str
    reached: Quantity | None
    photo_best: Quantity | None
    examples: str
    seen: str
    page: str
    figures: tuple[Figure, ...]
    group_count: Quantity | None
    neighbours: tuple[Neighbour, ...]
    failure: str = ""


@dataclass(frozen=True)
class ContactSheet:
    """A whole layer.

    Attributes:
        network: the network's title.
        layer: its name.
        size: side of the pictures in pixels.
        field: side of a unit's receptive field.
        photos, positions: how many were looked at.
        columns: what was measured.
        entries: all units, by index.
        config: three lines of a config that make the page of a unit, `{unit}` standing for its index.
        settings: name of the circuit in the config that gave photos and settings.
    """

    network: str
    layer: str
    size: int
    field: Quantity
    photos: Quantity
    positions: Quantity
    columns: tuple[Column, ...]
    entries: tuple[SheetEntry, ...]
    config: str
    settings: str

    @property
    def failures(self) -> dict[str, str]:
        """The units that failed, each with the reason."""
        return {f"{self.layer}:{entry.unit}": entry.failure for entry in self.entries if entry.failure}

    def data(self) -> dict[str, object]:
        """All figures, unrounded, for those who compute with them."""
        return {
            "network": self.network,
            "layer": self.layer,
            "photos": self.photos.value,
            "positions": self.positions.value,
            "columns": {
                column.name: {
                    "meaning": column.meaning,
                    "formula": column.formula,
                    "sample": column.sample,
                    "control": column.control,
                    "control_value": _value(column.control_at),
                    "median": _value(column.median),
                }
                for column in self.columns
            },
            "units": [self._unit(entry) for entry in self.entries],
        }

    def _unit(self, entry: SheetEntry) -> dict[str, object]:
        if entry.failure:
            return {"unit": entry.unit, "failure": entry.failure}
        data: dict[str, object] = {
            "unit": entry.unit,
            "picture": entry.verdict,
            "reached": _value(entry.reached),
            "photo_best": _value(entry.photo_best),
            "group_count": _value(entry.group_count),
        }
        for column, figure in zip(self.columns, entry.figures, strict=True):
            data[column.name] = _value(figure.value)
            if figure.chance:
                data[f"{column.name}_chance"] = figure.chance.value
        data["nearest"] = [
            {"unit": neighbour.unit, "correlation": neighbour.correlation.value} for neighbour in entry.neighbours
        ]
        return data


def _value(quantity: Quantity | None) -> int | float | None:
    return None if quantity is None else quantity.value


POLICY = "; ".join(
    (
        "default-src 'none'",
        "img-src 'self' data:",
        "style-src 'self'",
        "script-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
    )
)


@dataclass(frozen=True)
class SharedFiles:
    """What light pages load.

    Attributes:
        style: CSS.
        script: JavaScript.
    """

    style: str
    script: str

    @staticmethod
    @cache
    def load(*names: str) -> SharedFiles:
        """Read them from the templates' folder.

        Args:
            names: of styles and scripts that a page needs besides those of all light pages.
        """
        shared = load()
        folder = templates_folder() / "assets"
        style, script = (
            "".join((folder / f"{name}.{kind}").read_text(encoding="utf-8") for name in ("explorer", *names))
            for kind in ("css", "js")
        )
        return SharedFiles(shared.style + style, shared.script + script)


@dataclass(frozen=True)
class Bar:
    """A bar from zero.

    Attributes:
        x, width: its place, in percent.
        kind: `excites` or `inhibits`.
    """

    x: str
    width: str
    kind: str


def render_unit(page: UnitPage, sweep: str, site: SiteReport) -> str:
    """The light page of a unit.

    Args:
        page: the unit.
        sweep: the sweep's title.
        site: the site that it is in.

    Returns:
        HTML, the whole page.
    """
    return _render("unit.html", page=page, sweep=sweep, site=site, root="../", bars=bars(page.parts))


def render_explorer(explorer: Explorer, site: SiteReport, alone: bool) -> str:
    """The page that leads to all units of a sweep.

    Args:
        explorer: the units.
        site: the site that it is in.
        alone: whether the sweep is all of the site.
    """
    return _render("explorer.html", explorer=explorer, site=site, root="", alone=alone)


def render_contact_sheet(sheet: ContactSheet, site: SiteReport) -> str:
    """The contact sheet of a layer.

    Args:
        sheet: the layer.
        site: what the config says of the site.
    """
    return _render("survey.html", sheet=sheet, site=site, root="", along=along, number=number)


def bars(parts: Sequence[Part]) -> tuple[Bar, ...]:
    """A bar for each part, all on one axis with zero on it."""
    values = [float(part.value.value) for part in parts]
    low, high = min([0.0, *values]), max([0.0, *values])
    return tuple(
        Bar(
            number(along(min(value, 0.0), low, high)),
            number(along(abs(value), 0.0, high - low)),
            "excites" if value > 0 else "inhibits",
        )
        for value in values
    )


def _render(template: str, **context: object) -> str:
    return escape_bidi(environment().get_template(template).render(assets=load(), policy=POLICY, **context))
