"""The figures by which units of a layer are told apart: on a contact sheet, on pages, and in a sweep's choice."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from vizengine.figures.quantities import Quantity, fixed, percent
from vizengine.layers.population import (
    GAUSSIAN_SPARSENESS,
    Concentration,
    Groups,
    concentration,
    correlations,
    median_pair,
    sparseness,
)
from vizengine.layers.survey import Selectivity, Survey
from vizengine.layers.views import Column, Figure
from vizengine.measures.statistics import SHUFFLES
from vizengine.measures.stream import EvidenceSettings

# Inputs that a page shows at first.
TOP = 6
_SHUFFLED = "the same unit with its own coefficients shuffled among its inputs"


@dataclass(frozen=True, eq=False)
class LayerResults:
    """What was measured of all units of a layer.

    Attributes:
        survey: what photos do to them.
        selectivity: what drawn stimuli do.
        kernel: (height, width, inputs, units) float32.
        groups: of their top examples, where they were grouped.
    """

    survey: Survey
    selectivity: Selectivity
    kernel: NDArray[np.float32]
    groups: Groups | None = None

    @cached_property
    def concentration(self) -> Concentration:
        """How few inputs hold most of each unit's kernel."""
        return concentration(self.kernel, TOP)

    @cached_property
    def correlation(self) -> NDArray[np.float64]:
        """(units, units) of their activations."""
        return seven_digits(correlations(self.survey.activation, self.survey.products))

    @property
    def sample(self) -> str:
        """Of what the photos' figures are, in words."""
        return f"{self.survey.count:,} positions in {len(self.survey.extremes.names):,} photos"


def seven_digits(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Values of any shape to seven significant digits, all that float32 has."""
    return np.array([float(f"{value:.7g}") for value in values.ravel().tolist()]).reshape(values.shape)


@dataclass(frozen=True)
class UnitFigure:
    """A figure that every unit of a layer has.

    Attributes:
        values: (units,) float64, not a number where it can't be told.
        form: a value as it is printed.
        words: its column of the contact sheet; None where nothing can be learnt from it there.
        chance: (units,) each unit's own control, where it has one.
        control: the one for all units, where there is one.
    """

    values: Callable[[LayerResults], NDArray[np.float64]]
    form: Callable[[float], Quantity]
    words: Callable[[LayerResults], Column | None] = lambda layer: None
    chance: Callable[[LayerResults], NDArray[np.float64]] | None = None
    control: Callable[[LayerResults], Quantity | None] = lambda layer: None

    def of(self, layer: LayerResults) -> NDArray[np.float64]:
        """(units,) the values to seven digits, to which they are measured: the last ones differ by the threads used."""
        return seven_digits(self.values(layer))

    def quantity(self, value: float) -> Quantity | None:
        """A value as it is printed; None where it can't be told."""
        return self.form(float(value)) if math.isfinite(value) else None


def _norm(layer: LayerResults) -> NDArray[np.float64]:
    return np.asarray(np.sqrt(np.square(layer.kernel.astype(np.float64)).sum(axis=(0, 1, 2))))


def _strength(layer: LayerResults) -> Column:
    return Column(
        "strength",
        "Strength",
        "strength",
        "Its highest pre-activation on photos, in standard deviations above its mean. Where it is low, nothing in "
        "these photos is what the unit looks for.",
        "(max − mean) / standard deviation",
        layer.sample,
        f"A pre-activation spread like a bell curve would pass {_bell(layer).text} at one of as many positions.",
    )


def _bell(layer: LayerResults) -> Quantity:
    """What a Gaussian passes once in as many positions, in standard deviations."""
    return fixed(NormalDist().inv_cdf(1 - 1 / max(layer.survey.count, 2)), 1)


def _firing(layer: LayerResults) -> Column:
    return Column(
        "firing",
        "Fires",
        "fires at",
        "The share of positions at which its pre-activation is above zero.",
        "positions above zero / positions",
        layer.sample,
        "50% where the pre-activation is as often above zero as below.",
    )


def _sparsity(layer: LayerResults) -> Column:
    return Column(
        "sparsity",
        "Sparsity",
        "sparsity",
        "Of its activations: 0 where it fires alike everywhere, 1 where it does at a single position.",
        "(1 − E[a]² / E[a²]) / (1 − 1/n), a being the pre-activation above zero and n the positions; Vinje and "
        "Gallant, Science 2000",
        layer.sample,
        f"{fixed(GAUSSIAN_SPARSENESS, 2).text} for a pre-activation spread like a bell curve around zero.",
    )


_SELECTIVITY_CONTROL = (
    f"The highest of {SHUFFLES} such indices after the unit’s answers were shuffled among stimuli that "
    "differ in that alone."
)


def _orientation(layer: LayerResults) -> Column:
    return Column(
        "orientation",
        "Orientation",
        "orientation",
        "How much it prefers stripes of one orientation: 0 where all drive it alike, 1 where one alone does."
        " “Silent” where none makes it fire.",
        "|Σ r exp(2iθ)| / Σ r over 8 orientations θ, at the best frequency and phase; Ringach, Shapley and Hawken 2002",
        f"{layer.selectivity.gratings} drawn gratings",
        _SELECTIVITY_CONTROL,
        "silent",
    )


def _hue(layer: LayerResults) -> Column:
    return Column(
        "hue",
        "Hue",
        "hue",
        "How much it prefers one hue: 0 where all drive it alike, 1 where one alone does. “Silent” where none "
        "makes it fire.",
        "|Σ r exp(iφ)| / Σ r over hues φ, of full fields or of disks, whichever drive it more; after Ringach, Shapley "
        "and Hawken 2002",
        f"{layer.selectivity.colours} drawn fields and disks",
        _SELECTIVITY_CONTROL,
        "silent",
    )


def _share(layer: LayerResults) -> Column | None:
    weights = layer.concentration
    if weights.inputs <= weights.top:
        return None
    return Column(
        "share",
        f"Top {weights.top}",
        f"top {weights.top} inputs",
        f"The share of its kernel that its {weights.top} strongest inputs hold: how much of the unit a page of "
        f"{weights.top} inputs can show.",
        f"squared L2 norms of the {weights.top} strongest slices / those of all",
        f"all {weights.inputs:,} slices of each unit’s kernel",
        f"{_SHUFFLED[0].upper()}{_SHUFFLED[1:]}.",
    )


def _effective(layer: LayerResults) -> Column | None:
    weights = layer.concentration
    if weights.inputs <= 1:
        return None
    return Column(
        "effective",
        "Inputs",
        "effective inputs",
        f"The effective number of its inputs, out of {weights.inputs:,}: so many equally strong slices would "
        "be as concentrated.",
        "(Σ e)² / Σ e², e being the squared L2 norm of a slice (participation ratio)",
        f"all {weights.inputs:,} slices of each unit’s kernel",
        f"{_SHUFFLED[0].upper()}{_SHUFFLED[1:]}.",
    )


def _grouping(layer: LayerResults) -> Column | None:
    if layer.groups is None or not np.isfinite(layer.groups.silhouette).any():
        return None
    return Column(
        "grouping",
        "Grouping",
        "grouping",
        "How well its top examples fall into groups by the inputs that drove them. Where it is above its control, "
        "the unit answers to several things that have little in common: it is polysemantic.",
        "mean silhouette (Rousseeuw 1987) of the best of Ward’s groupings into 2 to 6, of the directions of the "
        "contribution vectors",
        f"each unit’s {EvidenceSettings.examples} highest positions, at most {EvidenceSettings.per_photo} of a photo, "
        "that don’t overlap",
        f"The highest of {SHUFFLES} groupings after each input’s contributions were shuffled among the "
        "examples, and at least 0.25 (Kaufman and Rousseeuw 1990).",
    )


def _groups(layer: LayerResults) -> Groups:
    assert layer.groups is not None
    return layer.groups


def _likeness(layer: LayerResults) -> Column:
    middle = _median_pair(layer)
    return Column(
        "likeness",
        "Likeness",
        "likeness",
        "How much it fires as the unit does that is nearest to it: the correlation of their activations. Where it "
        "is high, the layer says the same thing twice.",
        "Pearson’s correlation of the pre-activations above zero",
        layer.sample,
        f"The median of all pairs of units of this layer is {middle.text}." if middle else "No two units vary.",
    )


def _median_pair(layer: LayerResults) -> Quantity | None:
    pair = median_pair(layer.correlation)
    return fixed(pair, 2) if math.isfinite(pair) else None


def _closest(layer: LayerResults) -> NDArray[np.float64]:
    others = np.nan_to_num(layer.correlation, nan=-np.inf)
    np.fill_diagonal(others, -np.inf)
    closest = others.max(axis=1)
    return np.where(np.isneginf(closest), np.nan, closest)


def _one_decimal(value: float) -> Quantity:
    return fixed(value, 1)


def _two_decimals(value: float) -> Quantity:
    return fixed(value, 2)


FIGURES: Mapping[str, UnitFigure] = {
    "norm": UnitFigure(_norm, _two_decimals),
    "strength": UnitFigure(lambda layer: layer.survey.strength, _one_decimal, _strength, control=_bell),
    "firing": UnitFigure(lambda layer: layer.survey.firing, percent, _firing, control=lambda layer: percent(0.5)),
    "sparsity": UnitFigure(
        lambda layer: sparseness(layer.survey.activation, layer.survey.products, layer.survey.count),
        _two_decimals,
        _sparsity,
        control=lambda layer: fixed(GAUSSIAN_SPARSENESS, 2),
    ),
    "orientation": UnitFigure(
        lambda layer: layer.selectivity.orientation,
        _two_decimals,
        _orientation,
        lambda layer: layer.selectivity.orientation_chance,
    ),
    "hue": UnitFigure(
        lambda layer: layer.selectivity.hue, _two_decimals, _hue, lambda layer: layer.selectivity.hue_chance
    ),
    "share": UnitFigure(
        lambda layer: layer.concentration.share, percent, _share, lambda layer: layer.concentration.share_chance
    ),
    "effective": UnitFigure(
        lambda layer: layer.concentration.effective,
        _one_decimal,
        _effective,
        lambda layer: layer.concentration.effective_chance,
    ),
    "grouping": UnitFigure(
        lambda layer: _groups(layer).silhouette, _two_decimals, _grouping, lambda layer: _groups(layer).threshold
    ),
    "likeness": UnitFigure(_closest, _two_decimals, _likeness, control=_median_pair),
}
"""All of them, in the order of the contact sheet."""
PAGE_FIGURES = ("strength", "firing", "orientation", "hue")
"""Those on a unit's page and in the explorer."""


@dataclass(frozen=True)
class Measured:
    """A column of the contact sheet with its figures.

    Attributes:
        column: what it says.
        figures: of every unit, by index.
    """

    column: Column
    figures: tuple[Figure, ...]


def columns(layer: LayerResults) -> tuple[Measured, ...]:
    """Every column of a layer from which something can be learnt."""
    words = {name: figure.words(layer) for name, figure in FIGURES.items()}
    return tuple(_measured(FIGURES[name], column, layer) for name, column in words.items() if column is not None)


def _measured(figure: UnitFigure, column: Column, layer: LayerResults) -> Measured:
    """A column with its figures, its median and the ends of its axis."""
    values, control = figure.of(layer), figure.control(layer)
    chance = None if figure.chance is None else seven_digits(figure.chance(layer))
    known = values[np.isfinite(values)]
    figures = tuple(
        Figure(
            figure.quantity(value),
            figure.quantity(chance[unit]) if chance is not None and math.isfinite(value) else None,
        )
        for unit, value in enumerate(values)
    )
    quantities = [quantity for unit in figures for quantity in (unit.value, unit.chance)] + [control]
    numbers = [float(quantity.value) for quantity in quantities if quantity] or [0.0]
    return Measured(
        replace(
            column,
            low=min(numbers),
            high=max(numbers),
            median=figure.quantity(float(np.median(known))) if len(known) else None,
            control_at=control,
        ),
        figures,
    )
