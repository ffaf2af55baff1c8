"""A layer's contact sheet: every unit with its picture, its figures and its strongest places in photos."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import yaml
from PIL import Image

from vizengine.config.network import NetworkSection
from vizengine.figures.pictures import PATCH_QUALITY, jpeg
from vizengine.figures.quantities import fixed, significant, whole
from vizengine.layers.figures import LayerResults, Measured, columns
from vizengine.layers.jobs import Job
from vizengine.layers.pages import EXAMPLE_PIXELS, SHOWN_EXAMPLES, plain
from vizengine.layers.population import Groups, nearest_units, together
from vizengine.layers.views import ContactSheet, Neighbour, SheetEntry
from vizengine.layers.workers import Worker

NEIGHBOURS = 3


class Sheet:
    """Makes a contact sheet.

    Args:
        worker: reads the results.
        layer: the layer.
        pictures: job of each unit's picture.
        group_jobs: those that grouped the units' examples, in order.
        failures: why a unit has nothing to show.
        pages: address of a unit's page, for those that have one.
        settings: name of the circuit that gave photos and settings.
    """

    def __init__(
        self,
        worker: Worker,
        layer: str,
        pictures: Mapping[int, Job],
        group_jobs: Sequence[Job],
        failures: Mapping[int, str],
        pages: Mapping[int, str],
        settings: str,
    ) -> None:
        self._worker = worker
        self._layer = layer
        self._pictures = pictures
        self._group_jobs = group_jobs
        self._failures = failures
        self._pages = pages
        self._settings = settings

    @cached_property
    def _groups(self) -> Groups:
        return together(tuple(self._worker.groups(job) for job in self._group_jobs))

    @cached_property
    def _results(self) -> LayerResults:
        return replace(self._worker.results(self._layer), groups=self._groups)

    def sheet(self) -> ContactSheet:
        """The whole sheet."""
        worker, layer = self._worker, self._layer
        architecture, survey = worker.architecture, worker.survey(layer)
        measured = columns(self._results)
        nearest = nearest_units(self._results.correlation, NEIGHBOURS)
        return ContactSheet(
            network=architecture.title,
            layer=layer,
            size=worker.section.visualization.size,
            field=whole(architecture.receptive_field(layer).size, "px"),
            photos=whole(len(survey.extremes.names)),
            positions=whole(survey.count),
            columns=tuple(column.column for column in measured),
            entries=tuple(
                self._entry(unit, measured, nearest[unit].tolist()) for unit in range(architecture.channels(layer))
            ),
            config=config_lines(worker.section.network, layer),
            settings=self._settings,
        )

    def _entry(self, unit: int, measured: Sequence[Measured], nearest: Sequence[int]) -> SheetEntry:
        page, failure = self._pages.get(unit, ""), self._failures.get(unit, "")
        if failure:
            return SheetEntry(unit, "", "", None, None, "", "", page, (), None, (), failure)
        survey, results = self._worker.survey(self._layer), self._results
        picture = self._worker.pictures(self._pictures[unit])[unit]
        photos = survey.photo[unit, survey.examples(unit)[:SHOWN_EXAMPLES]].tolist()
        names = dict.fromkeys(survey.extremes.names[photo] for photo in photos)
        return SheetEntry(
            unit=unit,
            picture=f"pictures/{unit}.jpg",
            verdict="converged" if picture.converged else "not converged",
            reached=significant(picture.reached),
            photo_best=significant(survey.extremes.best(unit)[0]),
            examples=f"examples/{unit}.webp",
            seen=f"Places in photos that drive unit {unit} most, from {', '.join(names)}",
            page=page,
            figures=tuple(column.figures[unit] for column in measured),
            group_count=whole(int(self._groups.count[unit])),
            neighbours=tuple(
                Neighbour(other, fixed(float(results.correlation[unit, other]), 2)) for other in nearest if other >= 0
            ),
        )

    def picture(self, unit: int) -> bytes:
        """The picture of a unit as a file."""
        return jpeg(self._worker.pictures(self._pictures[unit])[unit].image)

    def examples(self, unit: int) -> bytes:
        """What a unit sees at the places in photos that drive it most, side by side, as a file."""
        crops = [example.crop for example in self._worker.examples(self._layer, unit, SHOWN_EXAMPLES)]
        sides = (EXAMPLE_PIXELS, EXAMPLE_PIXELS)
        strip = Image.new("RGB", (EXAMPLE_PIXELS * len(crops), EXAMPLE_PIXELS))
        for place, pixels in enumerate(crops):
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
