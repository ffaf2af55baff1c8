"""Dataset examples: the receptive fields where the unit is highest, lowest, and near quantiles of its pre-activation.

The *top examples* are the 24 highest positions over the shown photos, at most three of one photo, whose receptive
fields don't overlap. Quantiles are those of the sample's positions in shown photos.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from vizengine.figures.drawing import EXCITES
from vizengine.figures.pictures import PATCH_PIXELS, overlay, patch
from vizengine.figures.quantities import (
    Documented,
    Finite,
    Histogram,
    Picture,
    Quantity,
    counted,
    decimals,
    percent,
    significant,
    whole,
)
from vizengine.measures.inputs import Circuit
from vizengine.measures.measure import Measure
from vizengine.measures.photos import Photo
from vizengine.measures.stream import Distribution, EvidenceSettings, Streamed
from vizengine.measures.unit import Positions
from vizengine.network.architecture import Architecture
from vizengine.network.model import seen

OUTSIDE = 128
# Longest side in pixels of a whole photo.
PHOTO_SIDE = 360


@dataclass(frozen=True)
class Example:
    """One position of the unit in one photo.

    Attributes:
        photo: its name; `photo_index` its index among the photos.
        row, column: position on the unit's map.
        top, left: first pixel of the receptive field in the photo as read; negative where it reaches outside.
        crop: (size, size, 3) uint8, the receptive field; mid grey outside the photo.
    """

    photo: str
    photo_index: int
    row: int
    column: int
    top: int
    left: int
    pre: float
    crop: NDArray[np.uint8]


@dataclass(frozen=True)
class QuantileRow:
    """Examples near one quantile of the pre-activation.

    Attributes:
        quantile: share of positions below, 0 to 1.
        value: the pre-activation there, from the sample of positions.
        examples: nearest to it in the sample, from different photos as far as there are as many.
    """

    quantile: float
    value: float
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class PhotoMap:
    """The unit on a whole photo.

    Attributes:
        photo: its name; `photo_index` its index among the photos.
        height, width: in pixels as read.
        grey: (height, width) uint8, the photo without its colours, made smaller.
        pre, step: as in `PooledMap`.
        start, stride: first pixel of the receptive field of position 0 (down, across), and pixels between positions.
        field: side of the receptive field in pixels.
    """

    photo: str
    photo_index: int
    height: int
    width: int
    grey: NDArray[np.uint8]
    pre: NDArray[np.float32]
    step: int
    start: tuple[int, int]
    stride: int
    field: int


@dataclass(frozen=True)
class Examples:
    """Dataset examples of one unit.

    Attributes:
        top, bottom: most extreme first; in one photo no two receptive fields overlap.
        quantiles: rows in order of quantile.
        distribution: of the pre-activation over all positions of all photos.
        maps: one for each photo in `top`.
        photos: how many there were.
        held_out: how many of these are held out; 0 where there are too few to judge claims, and all serve for both.
        credits: name and credit of each photo that has one.
    """

    top: tuple[Example, ...]
    bottom: tuple[Example, ...]
    quantiles: tuple[QuantileRow, ...]
    distribution: Distribution
    maps: tuple[PhotoMap, ...]
    photos: int
    held_out: int
    credits: tuple[tuple[str, str], ...]


def field_start(architecture: Architecture, layer: str, height: int, width: int) -> tuple[int, int]:
    """First pixel, down and across, of the receptive field of position 0 in an image of that size."""
    down, across = (round(architecture.receptive_field(layer, side).start) for side in (height, width))
    return down, across


def cut_example(
    architecture: Architecture,
    layer: str,
    photo: str,
    index: int,
    pixels: NDArray[np.float32],
    position: tuple[int, int],
    pre: float,
) -> Example:
    """The receptive field at one position.

    Args:
        architecture, layer: the network's and the unit's.
        photo, index: the photo's name and its index among the photos.
        pixels: (height, width, 3) of the photo, RGB in [0, 1], as the network takes it.
        position, pre: row and column on the unit's map, and the unit's pre-activation there.
    """
    field = architecture.receptive_field(layer)
    down, across = field_start(architecture, layer, *pixels.shape[:2])
    top, left = down + position[0] * field.stride, across + position[1] * field.stride
    crop = np.full((field.size, field.size, 3), OUTSIDE, np.uint8)
    first_row, first_column = max(top, 0), max(left, 0)
    inside = pixels[first_row : max(top + field.size, 0), first_column : max(left + field.size, 0)]
    height, width = inside.shape[:2]
    rows = slice(first_row - top, first_row - top + height)
    crop[rows, first_column - left : first_column - left + width] = (inside * 255).round().astype(np.uint8)
    return Example(photo, index, *position, top, left, pre, crop)


def cut_examples(
    architecture: Architecture, layer: str, photos: Sequence[Photo], positions: Positions
) -> tuple[Example, ...]:
    """The receptive fields at positions of a unit in `photos`, in their order; each photo is read once."""
    examples: dict[int, Example] = {}
    for index in np.unique(positions.photo).tolist():
        pixels = seen(photos[index].pixels(), architecture.channel_order)
        for place in np.flatnonzero(positions.photo == index).tolist():
            position = int(positions.row[place]), int(positions.column[place])
            pre = float(positions.pre[place])
            examples[place] = cut_example(architecture, layer, photos[index].name, index, pixels, position, pre)
    return tuple(examples[place] for place in range(len(positions)))


def near_quantile(sample: Positions, quantile: float, count: int) -> tuple[float, NDArray[np.int64]]:
    """The quantile's value in a sample and the indices of the positions nearest to it.

    Positions of photos not taken yet come first, then the nearest of the others; ties go to the earlier index.
    """
    value = float(np.quantile(sample.pre.astype(np.float64), quantile))
    order = np.argsort(np.abs(sample.pre - value), kind="stable")
    _, first = np.unique(sample.photo[order], return_index=True)
    fresh = np.sort(first)[:count]
    others = np.setdiff1d(np.arange(len(order)), fresh)[: count - len(fresh)]
    return value, order[np.concatenate([fresh, others])]


def measure_examples(
    architecture: Architecture,
    circuit: Circuit,
    photos: Sequence[Photo],
    streamed: Streamed,
    settings: EvidenceSettings,
) -> Examples:
    """Dataset examples of a unit: its highest and lowest positions, some at each quantile, and whole photos."""
    layer, field = circuit.layer, architecture.receptive_field(circuit.layer)
    shown = streamed.sample.take(np.flatnonzero(streamed.split.shown[streamed.sample.photo]))
    near = [near_quantile(shown, quantile, settings.quantile_examples) for quantile in settings.quantiles]
    groups = [streamed.top, streamed.bottom, *(shown.take(places) for _, places in near)]
    cut = iter(cut_examples(architecture, layer, photos, Positions.join(groups)))
    top, bottom, *rows = [tuple(islice(cut, len(group))) for group in groups]
    return Examples(
        top,
        bottom,
        tuple(
            QuantileRow(quantile, value, examples)
            for quantile, (value, _), examples in zip(settings.quantiles, near, rows, strict=True)
        ),
        streamed.distribution,
        tuple(
            PhotoMap(
                photo=photos[index].name,
                photo_index=index,
                height=pooled.height,
                width=pooled.width,
                grey=photos[index].grey(PHOTO_SIDE),
                pre=pooled.pre,
                step=pooled.step,
                start=field_start(architecture, layer, pooled.height, pooled.width),
                stride=field.stride,
                field=field.size,
            )
            for index, pooled in sorted(streamed.maps.items())
        ),
        len(photos),
        int(streamed.split.held_out.sum()) if streamed.split.judges else 0,
        tuple((photo.name, photo.credit) for photo in photos if photo.credit),
    )


class ExampleReport(Documented):
    """One position of the unit in a photo."""

    picture: Picture
    """What the unit saw there; grey outside the photo."""
    photo: str
    """Name of the photo."""
    row: int
    """Row on the unit's map."""
    column: int
    """Column on the unit's map."""
    pre: Quantity
    """Pre-activation there."""


class Place(Documented):
    """A square of a photo, in pixels of the photo as read; it may reach outside."""

    left: int
    """First column."""
    top: int
    """First row."""
    side: int
    """Side."""


class PhotoMapReport(Documented):
    """The unit on a whole photo."""

    photo: str
    """Name of the photo."""
    height: int
    """Of the photo as read, in pixels."""
    width: int
    """Likewise."""
    picture: Picture
    """The photo without its colours."""
    overlay: Picture
    """Where the unit fires: transparent where it doesn't, opaque where it does so as strongly as anywhere in the
    shown photos."""
    overlay_left: Finite
    """First column of the photo that the overlay covers, in pixels; it may lie outside."""
    overlay_top: Finite
    """First row."""
    overlay_width: Finite
    """Columns that it covers."""
    overlay_height: Finite
    """Rows that it covers."""
    places: tuple[Place, ...]
    """What the unit saw at the shown top examples from this photo."""
    highest: Quantity
    """Highest pre-activation at any position of the photo."""


class QuantileReport(Documented):
    """Examples near one quantile."""

    quantile: Quantity
    """Share of positions below, in percent."""
    value: Quantity
    """Pre-activation there."""
    examples: tuple[ExampleReport, ...]
    """Positions nearest to it."""


class PhotoCredit(Documented):
    """Whose a photo is."""

    photo: str
    """Its name."""
    credit: str
    """Photographer and licence."""


class ExamplesReport(Documented):
    """What the unit saw in the photos."""

    top: tuple[ExampleReport, ...]
    """The highest positions."""
    bottom: tuple[ExampleReport, ...]
    """The lowest positions."""
    quantiles: tuple[QuantileReport, ...]
    """Positions in between."""
    maps: tuple[PhotoMapReport, ...]
    """The unit on each whole photo that one of the highest positions is from."""
    histogram: Histogram
    """Pre-activations at all positions of all photos."""
    fires: Quantity
    """Share of positions above zero."""
    mean: Quantity
    """Mean pre-activation."""
    deviation: Quantity
    """Its standard deviation."""
    positions: Quantity
    """Positions in all."""
    photos: Quantity
    """Photos."""
    held_out: Quantity
    """Of these held out; 0 where there are too few to judge claims, and all serve for both."""
    credits: tuple[PhotoCredit, ...]
    """Whose the photos are, as far as it is known."""


PHOTO_PIXELS = 300
TOP_SHOWN = 10
BOTTOM_SHOWN = 6
QUANTILE_SHOWN = 3
MOST_PLACES = 6


def examples_report(examples: Examples) -> ExamplesReport:
    """What the page says of examples and of the distribution."""
    spread = examples.distribution
    # A unit that is the same everywhere has bins too narrow to write out.
    places = min(decimals((spread.edges[0], spread.edges[-1]), 3), MOST_PLACES)
    return ExamplesReport(
        top=example_reports(examples.top[:TOP_SHOWN]),
        bottom=example_reports(examples.bottom[:BOTTOM_SHOWN]),
        quantiles=tuple(
            QuantileReport(
                quantile=percent(row.quantile),
                value=significant(row.value),
                examples=example_reports(row.examples[:QUANTILE_SHOWN]),
            )
            for row in examples.quantiles
        ),
        maps=_photo_maps(examples.maps, examples.top[:TOP_SHOWN]),
        histogram=counted(spread.counts, spread.edges, places),
        fires=percent(spread.positive_share),
        mean=significant(spread.mean),
        deviation=significant(spread.deviation),
        positions=whole(spread.count),
        photos=whole(examples.photos),
        held_out=whole(examples.held_out),
        credits=tuple(PhotoCredit(photo=photo, credit=credit) for photo, credit in examples.credits),
    )


def example_reports(examples: Sequence[Example], side: int = PATCH_PIXELS) -> tuple[ExampleReport, ...]:
    """What a page says of examples, whose patches have at most `side` pixels along a side."""
    return tuple(
        ExampleReport(
            picture=patch(example.crop, f"Patch of the photo {example.photo}", side),
            photo=example.photo,
            row=example.row,
            column=example.column,
            pre=significant(example.pre),
        )
        for example in examples
    )


def _photo_maps(maps: Sequence[PhotoMap], examples: Sequence[Example]) -> tuple[PhotoMapReport, ...]:
    """The whole photos of the examples on the page, the one that drives the unit most first."""
    by_index = {photo.photo_index: photo for photo in maps}
    photos = [by_index[index] for index in dict.fromkeys(example.photo_index for example in examples)]
    strongest = max((float(photo.pre.max()) for photo in photos), default=0.0)
    reports = []
    for photo in photos:
        # An entry of the map stands for the pixels around the centres of its positions' receptive fields.
        middle = (photo.field - photo.stride) / 2
        side = photo.step * photo.stride
        grey = np.repeat(photo.grey[..., None], 3, axis=-1)
        where = f"Where the unit fires in the photo {photo.photo}"
        reports.append(
            PhotoMapReport(
                photo=photo.photo,
                height=photo.height,
                width=photo.width,
                picture=patch(grey, f"Photo {photo.photo} in grey", PHOTO_PIXELS),
                overlay=overlay(strength(photo.pre, strongest), EXCITES, where),
                overlay_left=photo.start[1] + middle,
                overlay_top=photo.start[0] + middle,
                overlay_width=float(photo.pre.shape[1] * side),
                overlay_height=float(photo.pre.shape[0] * side),
                places=tuple(
                    Place(left=example.left, top=example.top, side=photo.field)
                    for example in examples
                    if example.photo_index == photo.photo_index
                ),
                highest=significant(float(photo.pre.max())),
            )
        )
    return tuple(reports)


def strength(pre: NDArray[np.float32], strongest: float) -> NDArray[np.float64]:
    """Pre-activations as shares of the strongest: 0 where the unit doesn't fire, at most 1."""
    if strongest <= 0 or not math.isfinite(strongest):
        return np.zeros(pre.shape)
    return np.clip(pre.astype(np.float64) / strongest, 0, 1)


EXAMPLES = Measure(
    name="examples",
    result=Examples,
    version=2,
    compute=measure_examples,
    panel="looks_for",
    report=examples_report,
    part=ExamplesReport,
    about="What it saw.",
    values={"examples.fires": lambda part: part.fires},
    rows={"fires at this share of positions": lambda report: report.evidence.examples.fires},
)
