"""Tuning: the responses of the unit and of its strongest inputs to drawn stimuli and to its own changed top patches.

A response is the pre-activation at the middle, in standard deviations above the channel's mean over the photos.

Drawn stimuli are a design, not a sample: what holds of them says nothing of how often, or of shapes that aren't drawn.

- *Selectivity*: `|Σ r exp(iθ)| / Σ r`, 1 less the circular variance, for orientation (θ doubled) over gratings and for
  hue over uniform colours or disks (Ringach, Shapley and Hawken 2002); r are the activations.
- *Crossed orientations*: the same with θ times 4. Two preferred orientations at a right angle cancel each other in the
  former and add up in this. Surveys and sweeps give the larger of the two as a unit's orientation.
- *Rivals*: other kinds of shapes, a family in a polarity, the best of which drives the unit as far as the best of those
  preferred, less a tenth of the range of all responses. Blurred, shifted and scaled ones count as disks and bars.
- *Invariance*: smallest over largest activation as one property of a photo's best patch changes, clipped at 0 (after
  Goodfellow et al., Measuring invariances in deep networks, 2009); its median over held-out photos. The best patch is
  the highest of those whose canvas lies wholly inside the photo, so that it answers as in the photo.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizengine.figures.pictures import patch
from vizengine.figures.quantities import Documented, Finite, Picture, Quantity, fixed, if_finite, significant, whole
from vizengine.measures.by_photo import Interval, median
from vizengine.measures.examples import field_start
from vizengine.measures.measure import Measure, Value
from vizengine.measures.patches import KINDS, SWEEPS, Kind, change, surroundings
from vizengine.measures.photos import Photo
from vizengine.measures.stimuli import Stimulus, battery, draw
from vizengine.measures.stream import EvidenceSettings, Streamed, shuffled_kernels
from vizengine.measures.unit import Forward, Positions


@dataclass(frozen=True)
class PatchSweep:
    """The unit's top patches under one kind of change.

    Attributes:
        kind, steps, untouched, unit: as in `vizengine.measures.patches.Sweep`.
        responses: (steps, patches, channels) float32.
    """

    kind: Kind
    steps: NDArray[np.float64]
    untouched: float
    unit: str
    responses: NDArray[np.float32]


@dataclass(frozen=True)
class Index:
    """One number that sums up tuning curves.

    Attributes:
        name: `orientation selectivity`, `hue selectivity`, `rotation invariance`, ...
        channel: index of the channel among `Tuning.labels`.
        value: 0 to 1, an invariance with its interval over photos; not a number where the channel doesn't fire at all
            along the sweep.
        by_photo: (photos,) of an invariance, the value of each held-out photo; empty of others.
        formula, source: in words, and where it is from.
    """

    name: str
    channel: int
    value: Interval
    by_photo: NDArray[np.float64]
    formula: str
    source: str


@dataclass(frozen=True)
class Tuning:
    """What the unit and its strongest inputs make of drawn stimuli and of the unit's own changed patches.

    All responses are pre-activations at the middle, in standard deviations above the mean over all positions of the
    photos (of the channel's own map); not a number where the channel is the same everywhere on the photos.

    Attributes:
        labels: the channels: the unit, then each strongest input.
        mean, deviation: (channels,) of the pre-activation over photos.
        field: side of the unit's receptive field in pixels, for which stimuli are drawn.
        stimuli: all that were drawn.
        responses: (stimuli, channels) float32.
        shuffled: (stimuli, shuffles) float32, pre-activations, less the bias, of the units with shuffled kernels.
        sweeps: of the best patches of shown photos.
        patches: how many of these.
        indices: by channel, then name.
    """

    labels: tuple[str, ...]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    field: int
    stimuli: tuple[Stimulus, ...]
    responses: NDArray[np.float32]
    shuffled: NDArray[np.float32]
    sweeps: tuple[PatchSweep, ...]
    patches: int
    indices: tuple[Index, ...]


ORIENTATION, CROSSED, HUE = "orientation selectivity", "crossed orientations", "hue selectivity"
NEARLY = 0.1
"""Share of the range of responses by which a rival may stay behind."""
_RINGACH = "Ringach, Shapley and Hawken, Orientation selectivity in macaque V1, Journal of Neuroscience 2002"
_FORMULAS = {
    ORIENTATION: ("|Σ r exp(2iθ)| / Σ r over gratings of orientation θ: 1 less the circular variance", _RINGACH),
    CROSSED: (
        "|Σ r exp(4iθ)| / Σ r, which is above the former where two orientations at a right angle drive most",
        f"the fourth harmonic instead of the second, after {_RINGACH}",
    ),
    HUE: (
        "|Σ r exp(iφ)| / Σ r over uniform colours or light disks of hue φ, whichever drive more",
        f"the same over the whole circle, after {_RINGACH}",
    ),
}
_INVARIANCE = (
    "smallest over largest activation along the sweep, clipped at 0, median over held-out photos",
    "after the profiles of Goodfellow, Le, Saxe, Lee and Ng, Measuring invariances in deep networks, NIPS 2009",
)


def selectivity(activations: NDArray[np.floating], degrees: NDArray[np.floating], period: float) -> float:
    """Length of the mean vector: 0 where all angles drive alike, 1 where one alone does.

    Args:
        activations: (n,), none below zero.
        degrees: (n,) angles, evenly spaced over `period` or a multiple of it.
        period: 180 for orientations, 90 for such that a right angle doesn't change, 360 for hues and directions.

    Returns:
        0 to 1, or not a number where nothing drives.
    """
    total = float(activations.sum())
    if total <= 0:
        return math.nan
    angles = 2 * np.pi * np.asarray(degrees, np.float64) / period
    return float(abs((activations * np.exp(1j * angles)).sum()) / total)


def invariance(activations: NDArray[np.floating]) -> float:
    """Smallest over largest of (n,) activations along a sweep, clipped at 0; not a number where none is above 0."""
    largest = float(activations.max())
    return max(float(activations.min()), 0.0) / largest if largest > 0 else math.nan


def best_by(
    parameter: str, stimuli: Sequence[Stimulus], responses: NDArray[np.floating], chosen: Sequence[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values of one parameter, ascending, and the highest response at each over all other parameters.

    Args:
        parameter: its name; stimuli without it are left out.
        stimuli: all of them.
        responses: (stimuli, ...).
        chosen: indices of the stimuli to compare.
    """
    values = np.array([getattr(stimuli[index], parameter) for index in chosen], np.float64)
    steps = np.unique(values[~np.isnan(values)])
    table = np.asarray(responses, np.float64)[chosen]
    return steps, np.array([table[values == step].max(axis=0) for step in steps])


def orientation_selectivity(
    stimuli: Sequence[Stimulus], activations: NDArray[np.floating], period: float = 180.0
) -> float:
    """Over gratings at the frequency that drives most, each orientation at its best phase; `period` in degrees."""
    gratings = [index for index, stimulus in enumerate(stimuli) if stimulus.family == "grating"]
    frequency = stimuli[max(gratings, key=lambda index: float(activations[index]))].frequency
    chosen = [index for index in gratings if stimuli[index].frequency == frequency]
    angles, best = best_by("orientation", stimuli, activations, chosen)
    return selectivity(best, angles, period)


def crossed_orientations(stimuli: Sequence[Stimulus], activations: NDArray[np.floating]) -> float:
    """The same for a pair of orientations at a right angle: 0 where all pairs drive alike, 1 where one alone does."""
    return orientation_selectivity(stimuli, activations, 90.0)


def orientation_or_crossed(stimuli: Sequence[Stimulus], activations: NDArray[np.floating]) -> float:
    """The larger of both, so that a unit with two orientations at a right angle counts as selective."""
    return max(orientation_selectivity(stimuli, activations), crossed_orientations(stimuli, activations))


def hue_selectivity(stimuli: Sequence[Stimulus], activations: NDArray[np.floating]) -> float:
    """Over uniform colours, each at its best brightness, or over light disks, each at its best radius.

    Of the two families the one that drives more counts: many units don't answer to a colour without a shape.
    """
    curves = []
    for family in ("uniform", "disk"):
        chosen = [i for i, drawn in enumerate(stimuli) if (drawn.family, drawn.polarity) == (family, "light")]
        curves.append(best_by("hue", stimuli, activations, chosen))
    hues, best = max(curves, key=lambda curve: float(curve[1].max()))
    return selectivity(best, hues, 360.0)


def _indices(
    channel: int,
    stimuli: Sequence[Stimulus],
    drawn: NDArray[np.floating],
    changed: Mapping[Kind, NDArray[np.floating]],
) -> Iterator[Index]:
    """Every index of one channel, from (stimuli,) activations and for each kind of change (steps, patches)."""
    for name, index in (
        (ORIENTATION, orientation_selectivity),
        (CROSSED, crossed_orientations),
        (HUE, hue_selectivity),
    ):
        value = Interval(index(stimuli, drawn), -math.inf, math.inf, 0)
        yield Index(name, channel, value, np.zeros(0), *_FORMULAS[name])
    for kind, activations in changed.items():
        values = np.array([invariance(of_patch) for of_patch in activations.T])
        yield Index(f"{kind} invariance", channel, median(values), values, *_INVARIANCE)


def measure_tuning(forward: Forward, streamed: Streamed, photos: Sequence[Photo], settings: EvidenceSettings) -> Tuning:
    """Tuning of a unit and its strongest inputs."""
    mean = np.array([streamed.distribution.mean, *streamed.maker_mean])
    deviation = np.array([streamed.distribution.deviation, *streamed.maker_deviation])
    circuit, canvas = forward.circuit, forward.canvas
    stimuli = battery(canvas.size)
    kernels = shuffled_kernels(forward.kernel, settings.seed)
    drawings = [draw(stimulus, canvas.side, canvas.centre, canvas.size) for stimulus in stimuli]
    drawn, shuffled = np.split(_centres(forward, drawings, kernels), [len(mean)], axis=1)
    shown, judged = (
        [_around(forward, photos, patches, place) for place in range(len(patches))]
        for patches in (streamed.shown_patches, streamed.judged_patches)
    )
    changed: dict[Kind, NDArray[np.float32]] = {}
    for sweep in SWEEPS:
        images = [change(patch, sweep.kind, step, canvas) for step in sweep.steps for patch in (*shown, *judged)]
        raw = _centres(forward, images) if images else np.zeros((0, len(mean)), np.float32)
        changed[sweep.kind] = raw.reshape(len(sweep.steps), len(shown) + len(judged), len(mean))
    return Tuning(
        labels=(f"{circuit.layer}:{circuit.unit}", *(channel.label for channel in forward.channels)),
        mean=mean,
        deviation=deviation,
        field=canvas.size,
        stimuli=stimuli,
        responses=in_deviations(drawn, mean, deviation),
        shuffled=shuffled - np.float32(forward.bias),
        sweeps=tuple(
            PatchSweep(
                sweep.kind,
                np.array(sweep.steps),
                sweep.untouched,
                sweep.unit,
                in_deviations(changed[sweep.kind][:, : len(shown)], mean, deviation),
            )
            for sweep in SWEEPS
        ),
        patches=len(shown),
        indices=tuple(
            index
            for channel in range(len(mean))
            for index in _indices(
                channel,
                stimuli,
                np.maximum(drawn[:, channel], 0),
                {kind: np.maximum(raw[:, len(shown) :, channel], 0) for kind, raw in changed.items()},
            )
        ),
    )


_SHAPES = {"blur": "disk", "position": "disk", "scale": "bar"}
_PLURALS = {
    "cross": "crossing lines",
    "lattice": "lattices",
    "lined_corner": "corners of two lines",
    "uniform": "plain colours",
    "blur": "blurred disks",
    "position": "shifted disks",
    "scale": "scaled bars",
}
_IN_BOTH_POLARITIES = ("disk", "ring", "bar", "cross", "lattice", "curve", "corner", "lined_corner")


def plural(family: str) -> str:
    """A family in words, for example `plain colours`."""
    return _PLURALS.get(family, f"{family}s")


@dataclass(frozen=True)
class Rival:
    """A kind of shapes that drives the unit as far as others, or nearly.

    Attributes:
        name: the family with its polarity, for example `dark rings`.
        response: the highest to one of them.
    """

    name: str
    response: float


def rivals(
    stimuli: Sequence[Stimulus], responses: NDArray[np.floating], preferred: NDArray[np.bool_]
) -> tuple[Rival, ...]:
    """Kinds that drive the unit as far as the best of the preferred, less a tenth of the range of all responses.

    Args:
        stimuli: all of them.
        responses: (stimuli,) of the unit, not a number where it wasn't measured.
        preferred: (stimuli,) which the others are compared with; their kinds are no rivals.

    Returns:
        The strongest first.
    """
    measured = np.isfinite(responses)
    if not (preferred & measured).any():
        return ()
    least = responses[preferred & measured].max() - NEARLY * np.ptp(responses[measured])
    kinds = [(_SHAPES.get(stimulus.family, stimulus.family), stimulus.polarity) for stimulus in stimuli]
    highest: dict[tuple[str, str], float] = {}
    for index in np.flatnonzero(measured & (responses >= least)).tolist():
        highest[kinds[index]] = max(highest.get(kinds[index], -math.inf), float(responses[index]))
    others = highest.keys() - {kinds[index] for index in np.flatnonzero(preferred).tolist()}
    names = {
        (family, polarity): f"{polarity} {plural(family)}" if family in _IN_BOTH_POLARITIES else plural(family)
        for family, polarity in others
    }
    strongest = sorted(others, key=lambda kind: (-highest[kind], kind))
    return tuple(Rival(names[kind], highest[kind]) for kind in strongest)


def in_deviations(
    values: NDArray[np.float32], mean: NDArray[np.float64], deviation: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Values in standard deviations above the mean along the last axis; not a number where the deviation is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = (values - mean) / deviation
    return np.where(deviation > 0, scaled, np.nan).astype(np.float32)


def _around(forward: Forward, photos: Sequence[Photo], patches: Positions, place: int) -> NDArray[np.float32]:
    """A patch with its surroundings, as `surroundings` gives it."""
    layer, stride = forward.circuit.layer, forward.architecture.receptive_field(forward.circuit.layer).stride
    pixels = photos[patches.photo[place]].pixels()
    down, across = field_start(forward.architecture, layer, *pixels.shape[:2])
    top, left = down + int(patches.row[place]) * stride, across + int(patches.column[place]) * stride
    return surroundings(pixels, top, left, forward.canvas)


def _centres(
    forward: Forward, images: list[NDArray[np.float32]], kernels: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Responses to many images, stacked a few at a time so that large receptive fields don't fill the memory."""
    batches = [np.stack(images[start : start + 64]) for start in range(0, len(images), 64)]
    return np.concatenate([forward.centres(batch, kernels) for batch in batches])


class StimulusReport(Documented):
    """One drawn stimulus."""

    picture: Picture
    """The stimulus, as large as what the unit sees."""
    name: str
    """What is drawn."""
    response: Quantity | None
    """In standard deviations above the photos' mean; null where that has no spread."""


class RivalReport(Documented):
    """A kind of drawn shapes that drives the unit as far as others, or nearly."""

    name: str
    """What is drawn."""
    response: Quantity
    """The highest to one of them, in standard deviations above the photos' mean."""


class SweepReport(Documented):
    """The unit and its inputs as one thing changes."""

    name: str
    """What changes."""
    unit: str
    """Of the steps."""
    steps: tuple[Quantity, ...]
    """The steps."""
    own: tuple[Finite, ...]
    """The unit's mean response at each step, in standard deviations above the photos' mean."""
    least: Quantity
    """The lowest of them."""
    most: Quantity
    """The highest of them."""
    others: tuple[tuple[Finite, ...], ...]
    """The same of each strongest input that changes at all on photos."""


class IndexReport(Documented):
    """One number that sums up a tuning curve."""

    name: str
    """Its name."""
    value: Quantity | None
    """Of the unit, 0 to 1; null where it doesn't fire along the sweep."""
    inputs: tuple[Quantity | None, ...]
    """Of each strongest input."""
    formula: str
    """In words."""
    source: str
    """Where the formula is from."""


class TuningReport(Documented):
    """Responses to drawn stimuli and to changed patches."""

    count: Quantity
    """Stimuli that were drawn."""
    strongest: tuple[StimulusReport, ...]
    """Those that it answers to most, the strongest of each family."""
    weakest: tuple[StimulusReport, ...]
    """Those that it answers to least, the weakest of each family."""
    rivals: tuple[RivalReport, ...]
    """Other kinds that come within a tenth of the range of all responses of the strongest."""
    sweeps: tuple[SweepReport, ...]
    """Drawn shapes and top patches as one thing about them changes."""
    low: Quantity
    """Lowest response in the sweeps."""
    high: Quantity
    """Highest response in them."""
    patches: Quantity
    """How many top patches."""
    indices: tuple[IndexReport, ...]
    """What sums them up."""


EXTREMES = 6
LARGEST_DRAWING = 64
# Drawn sweeps: title, family, polarity, parameter, its unit.
_DRAWN = (
    ("light disk", "disk", "light", "radius", "px radius"),
    ("dark disk", "disk", "dark", "radius", "px radius"),
    ("bar", "bar", "light", "orientation", "degrees"),
    ("crossing lines", "cross", "light", "orientation", "degrees"),
    ("edge", "edge", "light", "orientation", "degrees"),
    ("grating", "grating", "light", "frequency", "cycles"),
    ("colour", "uniform", "light", "hue", "degrees of hue"),
)
_SHORT_UNITS = {
    "position": "of the field",
    "blur": "of the field",
    "polarity": "0 as it is, 1 inverted",
}


def tuning_report(tuning: Tuning) -> TuningReport:
    """What the page says of tuning."""
    own = tuning.responses[:, 0].astype(np.float64)
    order = [] if np.isnan(own).all() else np.argsort(-own, kind="stable").tolist()
    sweeps = tuple(_sweeps(tuning))
    strongest = np.isin(np.arange(len(own)), order[:1])
    values = [value for sweep in sweeps for curve in (sweep.own, *sweep.others) for value in curve] or [0.0]
    return TuningReport(
        count=whole(len(tuning.stimuli)),
        strongest=_first_of_families(tuning, order),
        weakest=_first_of_families(tuning, order[::-1]),
        rivals=rival_reports(rivals(tuning.stimuli, own, strongest)),
        sweeps=sweeps,
        low=significant(min(values)),
        high=significant(max(values)),
        patches=whole(tuning.patches),
        indices=_index_reports(tuning.indices),
    )


def rival_reports(strongest: Sequence[Rival]) -> tuple[RivalReport, ...]:
    """Rivals with their responses."""
    return tuple(RivalReport(name=rival.name, response=significant(rival.response)) for rival in strongest)


def _first_of_families(tuning: Tuning, order: Sequence[int]) -> tuple[StimulusReport, ...]:
    """The first stimulus of each family in `order`, so that they differ; at most `EXTREMES`."""
    first: dict[str, int] = {}
    for index in order:
        first.setdefault(tuning.stimuli[index].family, index)
    reports = []
    for index in list(first.values())[:EXTREMES]:
        name = describe(tuning.stimuli[index])
        pixels = (draw(tuning.stimuli[index], tuning.field, tuning.field / 2, tuning.field) * 255).round()
        picture = patch(pixels.astype(np.uint8), f"Drawn stimulus: {name}", LARGEST_DRAWING)
        response = if_finite(float(tuning.responses[index, 0]), significant)
        reports.append(StimulusReport(picture=picture, name=name, response=response))
    return tuple(reports)


def describe(stimulus: Stimulus) -> str:
    """A stimulus in words, for example `light disk, radius 4 px, hue 60°`."""
    polarity = f"{stimulus.polarity} " if stimulus.family in _IN_BOTH_POLARITIES else ""
    words = {
        "lined_corner": "corner of two lines",
        "blur": "blurred disk",
        "position": "shifted disk",
        "scale": "scaled bar",
        "uniform": "plain colour",
    }
    parts = [polarity + words.get(stimulus.family, stimulus.family)]
    if stimulus.radius is not None:
        parts.append(f"radius {stimulus.radius:.3g} px")
    if stimulus.orientation is not None:
        parts.append(f"{stimulus.orientation:.3g}°")
    if stimulus.frequency is not None:
        parts.append(f"{stimulus.frequency:.3g} cycles")
    if stimulus.hue is not None:
        parts.append(f"hue {stimulus.hue:.3g}°")
    elif stimulus.family == "uniform":
        parts.append(f"grey {stimulus.brightness:.0%}")
    if stimulus.blur:
        parts.append(f"blur {stimulus.blur:.2g} px")
    if stimulus.x is not None and stimulus.y is not None:
        parts.append(f"by {stimulus.x:.2g}, {stimulus.y:.2g} px")
    if stimulus.scale is not None:
        parts.append(f"× {stimulus.scale:.2g}")
    return ", ".join(parts).replace("-", "\N{MINUS SIGN}")


def _sweeps(tuning: Tuning) -> Iterator[SweepReport]:
    """Sweeps of drawn shapes, then of top patches; those in which the unit's response isn't a number are left out."""
    curves = []
    for title, family, polarity, parameter, unit in _DRAWN:
        chosen = [i for i, drawn in enumerate(tuning.stimuli) if (drawn.family, drawn.polarity) == (family, polarity)]
        curves.append((title, unit, *best_by(parameter, tuning.stimuli, tuning.responses, chosen)))
    for sweep in tuning.sweeps if tuning.patches else ():
        unit = _SHORT_UNITS.get(sweep.kind, sweep.unit)
        curves.append((f"top patches: {sweep.kind}", unit, sweep.steps, sweep.responses.mean(axis=1, dtype=np.float64)))
    for name, unit, steps, responses in curves:
        own, *others = [tuple(float(f"{value:.4g}") for value in channel) for channel in responses.T.tolist()]
        if all(map(math.isfinite, own)):
            yield SweepReport(
                name=name,
                unit=unit,
                steps=tuple(significant(step) if step % 1 else whole(int(step)) for step in steps.tolist()),
                own=own,
                least=significant(min(own), 2),
                most=significant(max(own), 2),
                others=tuple(curve for curve in others if all(map(math.isfinite, curve))),
            )


def _index_reports(indices: Sequence[Index]) -> tuple[IndexReport, ...]:
    """One for each name, over the unit and its inputs; `indices` come by channel."""
    by_name: dict[str, list[Index]] = {}
    for index in indices:
        by_name.setdefault(index.name, []).append(index)
    reports = []
    for name, of_channels in by_name.items():
        unit, *inputs = [if_finite(index.value.value, fixed, 2) for index in of_channels]
        first = of_channels[0]
        report = IndexReport(name=name, value=unit, inputs=tuple(inputs), formula=first.formula, source=first.source)
        reports.append(report)
    return tuple(reports)


def _invariance(kind: str) -> Callable[[TuningReport], Value]:
    return lambda part: {index.name: index.value for index in part.indices}.get(f"{kind} invariance")


TUNING = Measure(
    name="tuning",
    result=Tuning,
    version=3,
    compute=measure_tuning,
    panel="does",
    report=tuning_report,
    part=TuningReport,
    about="What it makes of drawn stimuli.",
    values={f"{kind}_invariance": _invariance(kind) for kind in KINDS}
    | {
        "stimuli.strongest": lambda part: part.strongest[0].name if part.strongest else None,
        "stimuli.response": lambda part: part.strongest[0].response if part.strongest else None,
    },
    rows={
        "answers most to": lambda report: next((stimulus.name for stimulus in report.evidence.tuning.strongest), None),
    },
)
