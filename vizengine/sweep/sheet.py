"""From the results of a layer's jobs to its contact sheet."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import yaml
from numpy.typing import NDArray
from PIL import Image

from vizengine.circuit.concentration import concentration
from vizengine.config.network import NetworkSection
from vizengine.evidence import population
from vizengine.evidence.layer_groups import Groups, together
from vizengine.report.contact_sheet import ContactSheet, Neighbour, SheetEntry
from vizengine.report.numbers import fixed, significant, whole
from vizengine.report.pictures import PATCH_QUALITY, jpeg
from vizengine.sweep.addresses import plain
from vizengine.sweep.columns import TOP, Measured, columns
from vizengine.sweep.jobs import Job
from vizengine.sweep.places import Places
from vizengine.sweep.workshop import Workshop

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
        return population.correlations(survey.activation, survey.products)

    def sheet(self) -> ContactSheet:
        """The whole sheet."""
        workshop, layer = self._workshop, self._layer
        architecture, survey = workshop.architecture, workshop.survey(layer)
        kernel, _ = workshop.have.source.kernel_and_bias(layer)
        weights = concentration(kernel, TOP)
        measured = tuple(columns(survey, workshop.selectivity(layer), weights, self._groups, self._correlation))
        nearest = population.nearest(self._correlation, NEIGHBOURS)
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
