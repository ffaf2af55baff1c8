"""The figures by which units of a layer are told apart: on a contact sheet, on pages, and in a sweep's choice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from vizengine.figures.quantities import Quantity, fixed, if_finite, percent
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
from vizengine.measures.statistics import SHUFFLES
from vizengine.measures.stream import EvidenceSettings

# Inputs that a page shows at first.
TOP = 6


@dataclass(frozen=True, eq=False)
class LayerResults:
    """What photos and drawn stimuli do to all units of a layer.

    Attributes:
        kernel: (height, width, inputs, units) float32.
        groups: of their top examples in the shown photos, where they were grouped.
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
    def norms(self) -> NDArray[np.float64]:
        """(units,) L2 norm of each unit's kernel."""
        return seven_digits(np.sqrt(np.square(self.kernel.astype(np.float64)).sum(axis=(0, 1, 2))))

    @property
    def sample(self) -> str:
        """Of what the photos' figures are, in words."""
        return f"{self.survey.count:,} positions in {len(self.survey.extremes.names):,} photos"


def seven_digits(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Values of any shape to the seven digits that float32 has: further ones differ by the threads used."""
    return np.array([float(f"{value:.7g}") for value in values.ravel().tolist()]).reshape(values.shape)


@dataclass(eq=False)
class Column:
    """A figure of all units of a layer, and what a contact sheet says of it.

    Attributes:
        name: in attributes and in `survey.json`.
        short: its title in a word or two, for the panel of one unit.
        form: a value as it is printed.
        values: (units,) float64, not a number where it can't be told; kept to seven digits.
        chance: (units,) each unit's own control, where the column has such.
        control_at: the control, where it is the same for all units.
        absent: what stands for a figure that can't be told.
    """

    name: str
    title: str
    short: str
    meaning: str
    formula: str
    sample: str
    control: str
    form: Callable[[float], Quantity]
    values: NDArray[np.float64]
    chance: NDArray[np.float64] | None = None
    control_at: Quantity | None = None
    absent: str = "none"

    def __post_init__(self) -> None:
        self.values = seven_digits(self.values)
        if self.chance is not None:
            self.chance = np.where(np.isfinite(self.values), seven_digits(self.chance), np.nan)

    @cached_property
    def figures(self) -> list[Quantity | None]:
        """The values as they are printed, by unit."""
        return [if_finite(value, self.form) for value in self.values.tolist()]

    @cached_property
    def chances(self) -> list[Quantity | None]:
        """Each unit's own control as it is printed."""
        chance = np.full_like(self.values, np.nan) if self.chance is None else self.chance
        return [if_finite(value, self.form) for value in chance.tolist()]

    @cached_property
    def median(self) -> Quantity | None:
        """Of the units that have the figure."""
        known = self.values[np.isfinite(self.values)]
        return self.form(float(np.median(known))) if len(known) else None

    @cached_property
    def ends(self) -> tuple[float, float]:
        """The lowest and the highest number on its axis."""
        quantities = [*self.figures, *self.chances, self.control_at]
        numbers = [float(quantity.value) for quantity in quantities if quantity] or [0.0]
        return min(numbers), max(numbers)


_one_decimal, _two_decimals = partial(fixed, places=1), partial(fixed, places=2)


def _strength(layer: LayerResults) -> Column:
    # What a Gaussian passes once in as many positions, in standard deviations.
    bell = fixed(NormalDist().inv_cdf(1 - 1 / max(layer.survey.count, 2)), 1)
    return Column(
        "strength",
        "Strength",
        "strength",
        "Its highest pre-activation on photos, in standard deviations above its mean. Where it is low, nothing in "
        "these photos is what the unit looks for.",
        "(max − mean) / standard deviation",
        layer.sample,
        f"A pre-activation spread like a bell curve would pass {bell.text} at one of as many positions.",
        _one_decimal,
        layer.survey.strength,
        control_at=bell,
    )


def _firing(layer: LayerResults) -> Column:
    return Column(
        "firing",
        "Fires",
        "fires at",
        "The share of positions at which its pre-activation is above zero.",
        "positions above zero / positions",
        layer.sample,
        "50% where the pre-activation is as often above zero as below.",
        percent,
        layer.survey.firing,
        control_at=percent(0.5),
    )


def _sparsity(layer: LayerResults) -> Column:
    survey, bell = layer.survey, fixed(GAUSSIAN_SPARSENESS, 2)
    return Column(
        "sparsity",
        "Sparsity",
        "sparsity",
        "Of its activations: 0 where it fires alike everywhere, 1 where it does at a single position.",
        "(1 − E[a]² / E[a²]) / (1 − 1/n), a being the pre-activation above zero and n the positions; Vinje and "
        "Gallant, Science 2000",
        layer.sample,
        f"{bell.text} for a pre-activation spread like a bell curve around zero.",
        _two_decimals,
        sparseness(survey.activation, survey.products, survey.count),
        control_at=bell,
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
        "How much it prefers stripes of one orientation, or of two at a right angle, whichever is more: 0 where all "
        "drive it alike, 1 where one alone does, or such a pair. “Silent” where none makes it fire.",
        "the larger of |Σ r exp(2iθ)| / Σ r and |Σ r exp(4iθ)| / Σ r over 8 orientations θ, at the best frequency and "
        "phase; after Ringach, Shapley and Hawken 2002",
        f"{layer.selectivity.gratings} drawn gratings",
        _SELECTIVITY_CONTROL,
        _two_decimals,
        layer.selectivity.orientation,
        layer.selectivity.orientation_chance,
        absent="silent",
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
        _two_decimals,
        layer.selectivity.hue,
        layer.selectivity.hue_chance,
        absent="silent",
    )


_SHUFFLED_KERNEL = "The same unit with its own coefficients shuffled among its inputs."


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
        _SHUFFLED_KERNEL,
        percent,
        weights.share,
        weights.share_chance,
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
        _SHUFFLED_KERNEL,
        _one_decimal,
        weights.effective,
        weights.effective_chance,
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
        f"each unit’s {EvidenceSettings.examples} highest positions in {layer.survey.shown:,} shown photos, at most "
        f"{EvidenceSettings.per_photo} of a photo, that don’t overlap",
        f"The highest of {SHUFFLES} groupings after each input’s contributions were shuffled among the "
        "examples, and at least 0.25 (Kaufman and Rousseeuw 1990).",
        _two_decimals,
        layer.groups.silhouette,
        layer.groups.threshold,
    )


def _likeness(layer: LayerResults) -> Column:
    correlation = np.nan_to_num(layer.correlation, nan=-np.inf)
    np.fill_diagonal(correlation, -np.inf)
    closest = correlation.max(axis=1)
    middle = if_finite(median_pair(layer.correlation), _two_decimals)
    return Column(
        "likeness",
        "Likeness",
        "likeness",
        "How much it fires as the unit does that is nearest to it: the correlation of their activations. Where it "
        "is high, the layer says the same thing twice.",
        "Pearson’s correlation of the pre-activations above zero",
        layer.sample,
        f"The median of all pairs of units of this layer is {middle.text}." if middle else "No two units vary.",
        _two_decimals,
        np.where(np.isneginf(closest), np.nan, closest),
        control_at=middle,
    )


COLUMNS: tuple[Callable[[LayerResults], Column | None], ...] = (
    _strength,
    _firing,
    _sparsity,
    _orientation,
    _hue,
    _share,
    _effective,
    _grouping,
    _likeness,
)
"""All of them, in the order of the contact sheet; None where nothing can be learnt from one."""
PAGE_COLUMNS = {"strength": _strength, "firing": _firing, "orientation": _orientation, "hue": _hue}
"""Those on a unit's page and in the explorer, by name."""
