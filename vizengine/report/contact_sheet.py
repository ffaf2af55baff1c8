"""What the contact sheet of a layer says: every unit with its figures, and what each figure means."""

from __future__ import annotations

from dataclasses import dataclass

from vizengine.report.figures import Quantity


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
        return {f"{self.layer}:{each.unit}": each.failure for each in self.entries if each.failure}

    def data(self) -> dict[str, object]:
        """All figures, unrounded, for those who compute with them."""
        return {
            "network": self.network,
            "layer": self.layer,
            "photos": self.photos.value,
            "positions": self.positions.value,
            "columns": {
                each.name: {
                    "meaning": each.meaning,
                    "formula": each.formula,
                    "sample": each.sample,
                    "control": each.control,
                    "control_value": _value(each.control_at),
                    "median": _value(each.median),
                }
                for each in self.columns
            },
            "units": [self._unit(each) for each in self.entries],
        }

    def _unit(self, entry: SheetEntry) -> dict[str, object]:
        if entry.failure:
            return {"unit": entry.unit, "failure": entry.failure}
        found: dict[str, object] = {
            "unit": entry.unit,
            "picture": entry.verdict,
            "reached": _value(entry.reached),
            "photo_best": _value(entry.photo_best),
            "group_count": _value(entry.group_count),
        }
        for column, figure in zip(self.columns, entry.figures, strict=True):
            found[column.name] = _value(figure.value)
            if figure.chance:
                found[f"{column.name}_chance"] = figure.chance.value
        found["nearest"] = [{"unit": each.unit, "correlation": each.correlation.value} for each in entry.neighbours]
        return found


def _value(quantity: Quantity | None) -> int | float | None:
    return None if quantity is None else quantity.value
