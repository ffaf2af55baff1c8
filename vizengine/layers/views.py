"""What the light page of a sweep's unit, the explorer of all units and a layer's contact sheet say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from vizengine.figures.drawing import along, number
from vizengine.figures.quantities import Kernel, Quantity
from vizengine.layers.figures import Column
from vizengine.measures.examples import ExampleReport
from vizengine.measures.inputs import Sign, SliceFigures
from vizengine.measures.readings import OutputSlice
from vizengine.page.render import load, render_template, templates_folder
from vizengine.page.report import SiteReport, SweepReport

Figures = Mapping[str, Quantity | None]
"""A unit's figures by the names of `PAGE_COLUMNS`; None where one can't be told."""


@dataclass(frozen=True)
class Tile:
    """A unit as other pages show it.

    Attributes:
        label: `layer:unit`, or the name of a colour of the image.
        page, picture: addresses from the sweep's folder; empty where it has none.
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
    """A kernel slice between two units; `tile` is the unit at its other end."""

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
    """A part of the unit's mean pre-activation where it is strongest in the held-out photos.

    Attributes:
        name: `bias`, an input's label, or how many other inputs there are.
        page: address of the input's page from the sweep's folder, or empty.
    """

    name: str
    value: Quantity
    page: str = ""


@dataclass(frozen=True)
class UnitPage:
    """The light page of one unit.

    Attributes:
        receptive_field: its side.
        failure: why there is nothing but this to say; empty where all is well, and then the rest is there.
        previous, next: its neighbours in the layer.
        reached, photo_best: highest pre-activation on its picture, and over photos.
        inputs: its strongest inputs by norm, with `SliceFigures`.
        scale, output_scale: value of the full colours of the inputs' and of the readers' slices.
        excited, inhibited: the later units that it excites and inhibits most, with `OutputSlice`s.
        parts: bias, largest inputs and all others; they sum to `total`.
        total: mean pre-activation where it is strongest in the held-out photos, of which there are `held_out_count`.
        examples: the first of its top examples, of which there are `example_count`, in `shown_count` of `photo_count`
            photos.
    """

    tile: Tile
    receptive_field: Quantity
    failure: str
    previous: Tile | None
    next: Tile | None
    reached: Quantity | None = None
    photo_best: Quantity | None = None
    photo_best_name: str = ""
    figures: Figures = field(default_factory=dict)
    inputs: tuple[Connection, ...] = ()
    input_count: Quantity | None = None
    scale: Quantity | None = None
    excited: tuple[Connection, ...] = ()
    inhibited: tuple[Connection, ...] = ()
    output_scale: Quantity | None = None
    parts: tuple[Part, ...] = ()
    total: Quantity | None = None
    held_out_count: Quantity | None = None
    example_count: Quantity | None = None
    examples: tuple[ExampleReport, ...] = ()
    photo_count: Quantity | None = None
    shown_count: Quantity | None = None

    def data(self) -> dict[str, object]:
        """Its figures, unrounded, for those who compute with them."""
        if self.failure:
            return {"unit": self.tile.unit, "failure": self.failure}
        readers = sorted((*self.excited, *self.inhibited), key=lambda reader: -reader.slice.share.value)
        return {
            "unit": self.tile.unit,
            "picture": self.tile.verdict,
            "reached": _value(self.reached),
            "photo_best": _value(self.photo_best),
            **{name: _value(figure) for name, figure in self.figures.items()},
            "inputs": [
                {"name": input.label, "norm": input.slice.norm.value, "contribution": input.slice.contribution.value}
                for input in self.inputs
                if isinstance(input.slice, SliceFigures)
            ],
            "outputs": [{"name": reader.label, "share": reader.slice.share.value} for reader in readers],
        }


@dataclass(frozen=True)
class LayerTiles:
    """A layer in the explorer.

    Attributes:
        folder: of its pages and pictures.
        channels: how many units the layer has.
        units: those that have pages, in order, each with its figures; None where it failed.
    """

    layer: str
    folder: str
    channels: int
    units: tuple[tuple[Tile, Figures | None], ...]


@dataclass(frozen=True)
class SheetEntry:
    """A unit on a contact sheet; one that failed has a `failure` and nothing but perhaps a page.

    Attributes:
        verdict: `converged` or `not converged`.
        reached, photo_best: highest pre-activation on its picture and on any photo.
        seen: the strip of what it sees at the places that drive it most, in words.
        page: address of its page, relative to the sheet's folder, or empty where the site has none.
        group_count: into how many groups its top examples fall.
        neighbours: the units that fire most like it, most alike first, and the correlation with each.
    """

    unit: int
    page: str = ""
    failure: str = ""
    verdict: str = ""
    reached: Quantity | None = None
    photo_best: Quantity | None = None
    seen: str = ""
    group_count: Quantity | None = None
    neighbours: tuple[tuple[int, Quantity], ...] = ()


@dataclass(frozen=True)
class ContactSheet:
    """A whole layer.

    Attributes:
        network: the network's title.
        size: side of the pictures in pixels.
        field: side of a unit's receptive field.
        photos, positions: how many were looked at.
        shown: of how many of the photos examples are shown.
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
    shown: Quantity
    columns: tuple[Column, ...]
    entries: tuple[SheetEntry, ...]
    config: str
    settings: str

    def data(self) -> dict[str, object]:
        """All figures, unrounded, for those who compute with them."""
        return {
            "network": self.network,
            "layer": self.layer,
            "photos": self.photos.value,
            "shown": self.shown.value,
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
        for column in self.columns:
            data[column.name] = _value(column.figures[entry.unit])
            if chance := column.chances[entry.unit]:
                data[f"{column.name}_chance"] = chance.value
        data["nearest"] = [{"unit": unit, "correlation": correlation.value} for unit, correlation in entry.neighbours]
        return data


def _value(quantity: Quantity | None) -> int | float | None:
    return None if quantity is None else quantity.value


ASSETS = "assets"
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "img-src 'self' data:",
        "style-src 'self'",
        "script-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
    )
)


@cache
def shared_files(*names: str) -> Mapping[str, bytes]:
    """The style and the script that light pages load, by their addresses.

    Args:
        names: of styles and scripts that a page needs besides those of all light pages.
    """
    shared, folder = load(), templates_folder() / "assets"
    style, script = (
        "".join((folder / f"{name}.{kind}").read_text(encoding="utf-8") for name in ("explorer", *names))
        for kind in ("css", "js")
    )
    return {
        f"{ASSETS}/light.css": (shared.style + style).encode(),
        f"{ASSETS}/light.js": (shared.script + script).encode(),
    }


def render_unit(page: UnitPage, sweep: SweepReport, size: int, site: SiteReport) -> str:
    """The light page of a unit, as HTML; pictures have sides of `size` pixels."""
    bars = list(_bars(page.parts))
    return _render("unit.html", page=page, sweep=sweep, size=size, site=site, root="../", bars=bars)


def render_explorer(
    sweep: SweepReport, layers: Sequence[LayerTiles], size: int, failures: Mapping[str, str], site: SiteReport
) -> str:
    """The page that leads to all units of a sweep, as HTML.

    Args:
        layers: in order of computation.
        size: side of the pictures in pixels.
        failures: the units that failed, `layer:unit` each, with the reason.
    """
    alone = len(site.circuits) == 1
    return _render("explorer.html", sweep=sweep, layers=layers, size=size, failures=failures, site=site, alone=alone)


def render_contact_sheet(sheet: ContactSheet, site: SiteReport) -> str:
    """The contact sheet of a layer, as HTML."""
    return _render("survey.html", sheet=sheet, site=site, along=along, number=number)


def _render(template: str, root: str = "", **context: object) -> str:
    return render_template(template, root=root, policy=_POLICY, **context)


def _bars(parts: Sequence[Part]) -> Iterator[tuple[Part, str, str, str]]:
    """Each part with its bar from zero: left end and width in percent of an axis that all share, and the kind."""
    values = [float(part.value.value) for part in parts]
    low, high = min([0.0, *values]), max([0.0, *values])
    for part, value in zip(parts, values, strict=True):
        left, width = along(min(value, 0.0), low, high), along(abs(value), 0.0, high - low)
        yield part, number(left), number(width), "excites" if value > 0 else "inhibits"
