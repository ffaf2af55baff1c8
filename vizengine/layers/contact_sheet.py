"""What a layer's contact sheet measures of every unit, with what each figure is to be held against."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import NormalDist

import numpy as np
import yaml
from numpy.typing import NDArray
from PIL import Image

from vizengine.config.network import NetworkSection
from vizengine.figures.pictures import PATCH_QUALITY, jpeg
from vizengine.figures.quantities import Quantity, fixed, percent, significant, whole
from vizengine.layers.jobs import Job
from vizengine.layers.pages import plain
from vizengine.layers.places import Places
from vizengine.layers.population import (
    GAUSSIAN_SPARSENESS,
    Concentration,
    Groups,
    concentration,
    correlations,
    median_pair,
    nearest_units,
    sparseness,
    together,
)
from vizengine.layers.survey import EXAMPLES, PER_PHOTO, SHUFFLES, Selectivity, Survey
from vizengine.layers.views import Column, ContactSheet, Figure, Neighbour, SheetEntry
from vizengine.layers.workers import Workshop

TOP = 6
_DEALT = "the same unit with its own coefficients dealt out anew among its inputs"


@dataclass(frozen=True)
class Measured:
    """A column with its figures.

    Attributes:
        column: what it says.
        figures: of every unit, by index.
    """

    column: Column
    figures: tuple[Figure, ...]


def columns(
    survey: Survey, selectivity: Selectivity, weights: Concentration, groups: Groups, correlation: NDArray[np.float64]
) -> Iterator[Measured]:
    """Every column of a layer from which something can be learnt.

    Args:
        survey: what photos do to its units.
        selectivity: what drawn stimuli do.
        weights: how few inputs hold most of their kernels.
        groups: of their top examples.
        correlation: (units, units) of their activations.
    """
    photos = f"{survey.count:,} positions in {len(survey.extremes.names):,} photos"
    bell = fixed(NormalDist().inv_cdf(1 - 1 / max(survey.count, 2)), 1)
    yield _measured(
        Column(
            "strength",
            "Strength",
            "strength",
            "Its highest pre-activation on photos, in standard deviations above its mean. Where it is low, nothing in "
            "these photos is what the unit looks for.",
            "(max − mean) / standard deviation",
            photos,
            f"A pre-activation spread like a bell curve would pass {bell.text} at one of as many positions.",
        ),
        survey.strength,
        lambda value: fixed(value, 1),
        control=bell,
    )
    yield _measured(
        Column(
            "firing",
            "Fires",
            "fires at",
            "The share of positions at which its pre-activation is above zero.",
            "positions above zero / positions",
            photos,
            "50% where the pre-activation is as often above zero as below.",
        ),
        survey.firing,
        percent,
        control=percent(0.5),
    )
    gaussian = fixed(GAUSSIAN_SPARSENESS, 2)
    yield _measured(
        Column(
            "sparsity",
            "Sparsity",
            "sparsity",
            "Of its activations: 0 where it fires alike everywhere, 1 where it does at a single position.",
            "(1 − E[a]² / E[a²]) / (1 − 1/n), a being the pre-activation above zero and n the positions; Vinje and "
            "Gallant, Science 2000",
            photos,
            f"{gaussian.text} for a pre-activation spread like a bell curve around zero.",
        ),
        sparseness(survey.activation, survey.products, survey.count),
        lambda value: fixed(value, 2),
        control=gaussian,
    )
    yield from _selectivities(selectivity)
    yield from _weights(weights)
    if np.isfinite(groups.silhouette).any():
        yield _grouping(groups)
    others = np.nan_to_num(correlation, nan=-np.inf)
    np.fill_diagonal(others, -np.inf)
    closest = others.max(axis=1)
    pair = median_pair(correlation)
    middle = fixed(pair, 2) if math.isfinite(pair) else None
    yield _measured(
        Column(
            "likeness",
            "Likeness",
            "likeness",
            "How much it fires as the unit does that is nearest to it: the correlation of their activations. Where it "
            "is high, the layer says the same thing twice.",
            "Pearson’s correlation of the pre-activations above zero",
            photos,
            f"The median of all pairs of units of this layer is {middle.text}." if middle else "No two units vary.",
        ),
        np.where(np.isneginf(closest), np.nan, closest),
        lambda value: fixed(value, 2),
        control=middle,
    )


def _selectivities(selectivity: Selectivity) -> Iterator[Measured]:
    control = f"The highest of {SHUFFLES} such indices after the unit’s answers were dealt out anew among stimuli that "
    control += "differ in that alone."
    source = "Ringach, Shapley and Hawken 2002"
    yield _measured(
        Column(
            "orientation",
            "Orientation",
            "orientation",
            "How much it prefers stripes of one orientation: 0 where all drive it alike, 1 where one alone does."
            " “Silent” where none makes it fire.",
            f"|Σ r exp(2iθ)| / Σ r over 8 orientations θ, at the best frequency and phase; {source}",
            f"{selectivity.gratings} drawn gratings",
            control,
            "silent",
        ),
        selectivity.orientation,
        lambda value: fixed(value, 2),
        selectivity.orientation_chance,
    )
    yield _measured(
        Column(
            "hue",
            "Hue",
            "hue",
            "How much it prefers one hue: 0 where all drive it alike, 1 where one alone does. “Silent” where none "
            "makes it fire.",
            f"|Σ r exp(iφ)| / Σ r over hues φ, of full fields or of disks, whichever drive it more; after {source}",
            f"{selectivity.colours} drawn fields and disks",
            control,
            "silent",
        ),
        selectivity.hue,
        lambda value: fixed(value, 2),
        selectivity.hue_chance,
    )


def _weights(weights: Concentration) -> Iterator[Measured]:
    inputs = f"all {weights.inputs:,} slices of each unit’s kernel"
    if weights.inputs > weights.top:
        yield _measured(
            Column(
                "share",
                f"Top {weights.top}",
                f"top {weights.top} inputs",
                f"The share of its kernel that its {weights.top} strongest inputs hold: how much of the unit a page of "
                f"{weights.top} inputs can show.",
                f"squared L2 norms of the {weights.top} strongest slices / those of all",
                inputs,
                f"{_DEALT[0].upper()}{_DEALT[1:]}.",
            ),
            weights.share,
            percent,
            weights.share_chance,
        )
    if weights.inputs > 1:
        yield _measured(
            Column(
                "effective",
                "Inputs",
                "effective inputs",
                f"The effective number of its inputs, out of {weights.inputs:,}: so many equally strong slices would "
                "be as concentrated.",
                "(Σ e)² / Σ e², e being the squared L2 norm of a slice (participation ratio)",
                inputs,
                f"{_DEALT[0].upper()}{_DEALT[1:]}.",
            ),
            weights.effective,
            lambda value: fixed(value, 1),
            weights.effective_chance,
        )


def _grouping(groups: Groups) -> Measured:
    return _measured(
        Column(
            "grouping",
            "Grouping",
            "grouping",
            "How well its top examples fall into groups by the inputs that drove them. Where it is above its control, "
            "the unit answers to several things that have little in common: it is polysemantic.",
            "mean silhouette (Rousseeuw 1987) of the best of Ward’s groupings into 2 to 6, of the directions of the "
            "contribution vectors",
            f"each unit’s {EXAMPLES} highest positions, at most {PER_PHOTO} of a photo, that don’t overlap",
            f"The highest of {SHUFFLES} groupings after each input’s contributions were dealt out anew among the "
            "examples, and at least 0.25 (Kaufman and Rousseeuw 1990).",
        ),
        groups.silhouette,
        lambda value: fixed(value, 2),
        groups.threshold,
    )


def _measured(
    column: Column,
    values: NDArray[np.float64],
    form: Callable[[float], Quantity],
    chance: NDArray[np.float64] | None = None,
    control: Quantity | None = None,
) -> Measured:
    """A column.

    Args:
        column: its words.
        values: (units,) not a number where one can't be told.
        form: a value as it is printed.
        chance: (units,) each unit's own control.
        control: the one for all.
    """

    def of(value: float) -> Quantity | None:
        return form(float(value)) if math.isfinite(value) else None

    known = values[np.isfinite(values)]
    median = of(float(np.median(known))) if len(known) else None
    figures = tuple(
        Figure(of(value), of(chance[unit]) if chance is not None and math.isfinite(value) else None)
        for unit, value in enumerate(values)
    )
    every = [figure.value for figure in figures] + [figure.chance for figure in figures] + [control]
    shown = [float(each.value) for each in every if each] or [0.0]
    low, high = min(shown), max(shown)
    return Measured(replace(column, low=low, high=high, median=median, control_at=control), figures)


NEIGHBOURS = 3
EXAMPLE_PIXELS = 64


class Sheet:
    """Makes a contact sheet.

    Args:
        workshop: reads the results.
        layer: the layer.
        made: job of each unit's picture.
        group_jobs: those that grouped the units' examples, in order.
        failures: why a unit has nothing to show.
        pages: address of a unit's page, for those that have one.
        settings: name of the circuit that gave photos and settings.
    """

    def __init__(
        self,
        workshop: Workshop,
        layer: str,
        made: Mapping[int, Job],
        group_jobs: Sequence[Job],
        failures: Mapping[int, str],
        pages: Mapping[int, str],
        settings: str,
    ) -> None:
        self._workshop = workshop
        self._layer = layer
        self._made = made
        self._group_jobs = group_jobs
        self._failures = failures
        self._pages = pages
        self._settings = settings
        self._places = Places(workshop)

    @cached_property
    def _groups(self) -> Groups:
        return together(tuple(self._workshop.groups(job) for job in self._group_jobs))

    @cached_property
    def _correlation(self) -> NDArray[np.float64]:
        survey = self._workshop.survey(self._layer)
        return correlations(survey.activation, survey.products)

    def sheet(self) -> ContactSheet:
        """The whole sheet."""
        workshop, layer = self._workshop, self._layer
        architecture, survey = workshop.architecture, workshop.survey(layer)
        kernel, _ = workshop.have.source.kernel_and_bias(layer)
        weights = concentration(kernel, TOP)
        measured = tuple(columns(survey, workshop.selectivity(layer), weights, self._groups, self._correlation))
        nearest = nearest_units(self._correlation, NEIGHBOURS)
        return ContactSheet(
            network=architecture.title,
            layer=layer,
            size=workshop.section.visualization.size,
            field=whole(architecture.receptive_field(layer).size, "px"),
            photos=whole(len(survey.extremes.names)),
            positions=whole(survey.count),
            columns=tuple(each.column for each in measured),
            entries=tuple(
                self._entry(unit, measured, nearest[unit].tolist()) for unit in range(architecture.channels(layer))
            ),
            config=config_lines(workshop.section.network, layer),
            settings=self._settings,
        )

    def _entry(self, unit: int, measured: Sequence[Measured], nearest: Sequence[int]) -> SheetEntry:
        page, failure = self._pages.get(unit, ""), self._failures.get(unit, "")
        if failure:
            return SheetEntry(unit, "", "", None, None, "", "", page, (), None, (), failure)
        survey = self._workshop.survey(self._layer)
        picture = self._workshop.pictures(self._made[unit])[unit]
        names = [survey.extremes.names[photo] for photo in survey.photo[unit, survey.best_of_photos(unit, 6)].tolist()]
        return SheetEntry(
            unit=unit,
            picture=f"pictures/{unit}.jpg",
            verdict="converged" if picture.converged else "not converged",
            reached=significant(picture.reached),
            photo_best=significant(survey.extremes.best(unit)[0]),
            examples=f"examples/{unit}.webp",
            seen=f"Places in photos that drive unit {unit} most, from {', '.join(names)}",
            page=page,
            figures=tuple(each.figures[unit] for each in measured),
            group_count=whole(int(self._groups.count[unit])),
            neighbours=tuple(
                Neighbour(other, fixed(float(self._correlation[unit, other]), 2)) for other in nearest if other >= 0
            ),
        )

    def picture(self, unit: int) -> bytes:
        """The picture of a unit as a file."""
        return jpeg(self._workshop.pictures(self._made[unit])[unit].image)

    def examples(self, unit: int) -> bytes:
        """What a unit sees at the places in photos that drive it most, side by side, as a file."""
        seen = [each.crop for each in self._places.of(self._layer, unit)]
        sides = (EXAMPLE_PIXELS, EXAMPLE_PIXELS)
        strip = Image.new("RGB", (EXAMPLE_PIXELS * len(seen), EXAMPLE_PIXELS))
        for place, pixels in enumerate(seen):
            strip.paste(Image.fromarray(pixels).resize(sides, Image.Resampling.LANCZOS), (place * EXAMPLE_PIXELS, 0))
        stream = io.BytesIO()
        strip.save(stream, "WEBP", quality=PATCH_QUALITY, method=4)
        return stream.getvalue()


def config_lines(network: NetworkSection, layer: str) -> str:
    """Three lines of a config that make the page of a unit, `{unit}` standing for its index."""
    named = network.model_dump(mode="json", exclude_defaults=True, exclude={"why"})
    # Braces of the text itself would be taken for the index.
    name = f"{plain(network.model)}-{plain(layer)}".replace(".", "-").replace("_", "-")[:70].strip("-")
    return "\n".join(
        (
            f"  - name: {name}-{{unit}}",
            f"    network: {_flow(named)}",
            f"    unit: {_flow({'layer': layer})[:-1]}, index: {{unit}}}}",
        )
    )


def _flow(data: dict[str, object]) -> str:
    """A mapping on one line."""
    return yaml.safe_dump(data, default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True).strip()
