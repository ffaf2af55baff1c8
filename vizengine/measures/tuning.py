"""Tuning: the responses of the unit and of its strongest inputs to drawn stimuli and to its own changed top patches.

A response is the pre-activation at the middle, in standard deviations above the channel's mean over the photos.

- *Selectivity*: `|Σ r exp(iθ)| / Σ r`, 1 less the circular variance, for orientation (θ doubled) over gratings and for
  hue over uniform colours or disks (Ringach, Shapley and Hawken 2002); r are the activations.
- *Invariance*: smallest over largest activation as one property of a top patch changes, clipped at 0, mean over patches
  (after Goodfellow et al., Measuring invariances in deep networks, 2009).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizengine.figures.pictures import patch
from vizengine.figures.quantities import Documented, Finite, Picture, Quantity, fixed, significant, whole
from vizengine.measures.examples import Example, Examples
from vizengine.measures.measure import Measure, Value
from vizengine.measures.patches import KINDS, SWEEPS, Kind, change, surroundings
from vizengine.measures.photos import Photo
from vizengine.measures.statistics import Estimate, estimate
from vizengine.measures.stimuli import Stimulus, battery, draw
from vizengine.measures.stream import EvidenceSettings, Streamed
from vizengine.measures.unit import Forward


@dataclass(frozen=True)
class PatchSweep:
    """The unit's top patches under one kind of change.

    Attributes:
        kind: what changes.
        steps: (steps,) as in `vizengine.measures.patches.Sweep`.
        untouched: the step at which patches are as they were.
        unit: of the steps, for an axis.
        responses: (steps, patches, channels) float32 in standard deviations above the photos' mean.
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
        value: 0 to 1, with its interval over patches where it's made from patches; not a number where the channel
            doesn't fire at all along the sweep.
        formula: in words.
        source: where the formula is from.
    """

    name: str
    channel: int
    value: Estimate
    formula: str
    source: str


@dataclass(frozen=True)
class Tuning:
    """What the unit and its strongest inputs make of drawn stimuli and of the unit's own changed patches.

    All responses are pre-activations at the middle, in standard deviations above the mean over all positions of the
    photos (of the channel's own map); not a number where the channel is the same everywhere on the photos.

    Attributes:
        labels: the unit, then each strongest input.
        mean, deviation: (channels,) of the pre-activation over photos.
        field: side of the unit's receptive field in pixels, for which stimuli are drawn.
        stimuli: all that were shown.
        responses: (stimuli, channels) float32.
        sweeps: of the top patches.
        patches: how many top patches.
        indices: by channel, then name.
    """

    labels: tuple[str, ...]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    field: int
    stimuli: tuple[Stimulus, ...]
    responses: NDArray[np.float32]
    sweeps: tuple[PatchSweep, ...]
    patches: int
    indices: tuple[Index, ...]


ORIENTATION, HUE = "orientation selectivity", "hue selectivity"
_RINGACH = "Ringach, Shapley and Hawken, Orientation selectivity in macaque V1, Journal of Neuroscience 2002"
_FORMULAS = {
    ORIENTATION: ("|Σ r exp(2iθ)| / Σ r over gratings of orientation θ: 1 less the circular variance", _RINGACH),
    HUE: (
        "|Σ r exp(iφ)| / Σ r over uniform colours or light disks of hue φ, whichever drive more",
        f"the same over the whole circle, after {_RINGACH}",
    ),
}
_INVARIANCE = (
    "smallest over largest activation along the sweep, clipped at 0, mean over top patches",
    "after the profiles of Goodfellow, Le, Saxe, Lee and Ng, Measuring invariances in deep networks, NIPS 2009",
)


def selectivity(activations: NDArray[np.floating], degrees: NDArray[np.floating], period: float) -> float:
    """Length of the mean vector: 0 where all angles drive alike, 1 where one alone does.

    Args:
        activations: (n,), none below zero.
        degrees: (n,) angles, evenly spaced over `period`.
        period: 180 for orientations, 360 for hues and directions.

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
    stimuli: Sequence[Stimulus], activations: NDArray[np.floating], family: str, axis: str
) -> tuple[NDArray[np.float64], ...]:
    """Angles of one family, ascending, and the highest activation at each over all other parameters."""
    chosen = [(getattr(stimulus, axis), index) for index, stimulus in enumerate(stimuli) if stimulus.family == family]
    angles = sorted({angle for angle, _ in chosen if angle is not None})
    best = [max(float(activations[index]) for angle, index in chosen if angle == each) for each in angles]
    return np.array(angles, np.float64), np.array(best, np.float64)


def orientation_selectivity(stimuli: Sequence[Stimulus], activations: NDArray[np.floating]) -> float:
    """Over gratings at the frequency that drives most, each orientation at its best phase."""
    gratings = [
        (stimulus, float(value))
        for stimulus, value in zip(stimuli, activations, strict=True)
        if stimulus.family == "grating"
    ]
    frequency = max(gratings, key=lambda each: each[1])[0].frequency
    kept = [(stimulus, value) for stimulus, value in gratings if stimulus.frequency == frequency]
    angles, best = best_by(
        [stimulus for stimulus, _ in kept], np.array([value for _, value in kept]), "grating", "orientation"
    )
    return selectivity(best, angles, 180.0)


def hue_selectivity(stimuli: Sequence[Stimulus], activations: NDArray[np.floating]) -> float:
    """Over uniform colours, each at its best brightness, or over light disks, each at its best radius.

    Of the two families the one that drives more counts: many units don't answer to a colour without a shape.
    """
    light = [index for index, stimulus in enumerate(stimuli) if stimulus.polarity == "light"]
    chosen, driven = [stimuli[index] for index in light], np.asarray(activations)[light]
    families = [best_by(chosen, driven, family, "hue") for family in ("uniform", "disk")]
    hues, best = max(families, key=lambda each: float(each[1].max()))
    return selectivity(best, hues, 360.0)


def _single(value: float) -> Estimate:
    return Estimate(value, 0.0, -math.inf, math.inf, 0 if math.isnan(value) else 1)


def all_indices(
    stimuli: Sequence[Stimulus], drawn: NDArray[np.floating], swept: Sequence[tuple[str, NDArray[np.floating]]]
) -> tuple[Index, ...]:
    """Every index of every channel.

    Args:
        stimuli: what was drawn.
        drawn: (stimuli, channels) activations.
        swept: for each kind of change its name and (steps, patches, channels) activations.
    """
    found = []
    for channel in range(drawn.shape[1]):
        own = drawn[:, channel]
        for name, value in ((ORIENTATION, orientation_selectivity(stimuli, own)), (HUE, hue_selectivity(stimuli, own))):
            found.append(Index(name, channel, _single(value), *_FORMULAS[name]))
        for kind, activations in swept:
            values = [invariance(activations[:, patch, channel]) for patch in range(activations.shape[1])]
            found.append(Index(f"{kind} invariance", channel, estimate(np.array(values)), *_INVARIANCE))
    return tuple(found)


def tune(
    forward: Forward,
    mean: NDArray[np.float64],
    deviation: NDArray[np.float64],
    photos: Sequence[Photo],
    examples: Sequence[Example],
) -> Tuning:
    """All tuning curves.

    Args:
        forward: the network up to the unit.
        mean, deviation: (1 + strongest,) of the pre-activation over photos, the unit first.
        photos: those that `examples` index.
        examples: the unit's top examples, whose patches are changed.
    """
    canvas = forward.canvas
    stimuli = battery(canvas.size)
    drawn = _centres(forward, [draw(stimulus, canvas.side, canvas.centre, canvas.size) for stimulus in stimuli])
    around = [surroundings(photos[each.photo_index].pixels(), each.top, each.left, canvas) for each in examples]
    sweeps, swept = [], []
    for sweep in SWEEPS:
        images = [change(patch, sweep.kind, step, canvas) for step in sweep.steps for patch in around]
        raw = _centres(forward, images).reshape(len(sweep.steps), len(around), -1)
        swept.append((sweep.kind, np.maximum(raw, 0)))
        responses = in_deviations(raw, mean, deviation)
        sweeps.append(PatchSweep(sweep.kind, np.array(sweep.steps), sweep.untouched, sweep.unit, responses))
    circuit = forward.circuit
    return Tuning(
        labels=(f"{circuit.layer}:{circuit.unit}", *(channel.label for channel in forward.channels)),
        mean=mean,
        deviation=deviation,
        field=canvas.size,
        stimuli=stimuli,
        responses=in_deviations(drawn, mean, deviation),
        sweeps=tuple(sweeps),
        patches=len(around),
        indices=all_indices(stimuli, np.maximum(drawn, 0), swept),
    )


def in_deviations(
    values: NDArray[np.float32], mean: NDArray[np.float64], deviation: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Values in standard deviations above the mean along the last axis; not a number where the deviation is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = (values - mean) / deviation
    return np.where(deviation > 0, scaled, np.nan).astype(np.float32)


def _centres(forward: Forward, images: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Responses to many images, stacked a few at a time so that large receptive fields don't fill the memory."""
    width = 64
    return np.concatenate(
        [forward.centres(np.stack(images[start : start + width])) for start in range(0, len(images), width)]
    )


class StimulusReport(Documented):
    """One drawn stimulus."""

    picture: Picture
    """The stimulus, as large as what the unit sees."""
    name: str
    """What is drawn."""
    response: Quantity | None
    """In standard deviations above the photos' mean; null where that has no spread."""


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
    sweeps = tuple(each for each in (*_drawn(tuning), *_patches(tuning)) if each is not None)
    values = [value for sweep in sweeps for curve in (sweep.own, *sweep.others) for value in curve] or [0.0]
    return TuningReport(
        count=whole(len(tuning.stimuli)),
        strongest=_extremes(tuning, order),
        weakest=_extremes(tuning, order[::-1]),
        sweeps=sweeps,
        low=significant(min(values)),
        high=significant(max(values)),
        patches=whole(tuning.patches),
        indices=_indices(tuning),
    )


def _extremes(tuning: Tuning, order: Sequence[int]) -> tuple[StimulusReport, ...]:
    """The first of each family in `order`, so that they differ; at most `EXTREMES`."""
    first_of_family: dict[str, int] = {}
    for index in order:
        first_of_family.setdefault(tuning.stimuli[index].family, index)
    return tuple(_stimulus(tuning, index) for index in list(first_of_family.values())[:EXTREMES])


def _stimulus(tuning: Tuning, index: int) -> StimulusReport:
    stimulus, size = tuning.stimuli[index], tuning.field
    pixels = (draw(stimulus, size, size / 2, size) * 255).round().astype(np.uint8)
    name = describe(stimulus)
    response = float(tuning.responses[index, 0])
    return StimulusReport(
        picture=patch(pixels, f"Drawn stimulus: {name}", LARGEST_DRAWING),
        name=name,
        response=significant(response) if math.isfinite(response) else None,
    )


def describe(stimulus: Stimulus) -> str:
    """A stimulus in words, for example `light disk, radius 4 px, hue 60°`."""
    polarity = f"{stimulus.polarity} " if stimulus.family in ("disk", "ring", "bar", "curve", "corner") else ""
    words = {"blur": "blurred disk", "position": "shifted disk", "scale": "scaled bar", "uniform": "plain colour"}
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


def _drawn(tuning: Tuning) -> list[SweepReport | None]:
    found = []
    for title, family, polarity, axis, unit in _DRAWN:
        indices = [
            (getattr(each, axis), index)
            for index, each in enumerate(tuning.stimuli)
            if each.family == family and each.polarity == polarity and getattr(each, axis) is not None
        ]
        steps = sorted({step for step, _ in indices})
        # Each step at the best of its other parameters, channel by channel.
        curves = np.array([tuning.responses[[i for at, i in indices if at == step]].max(axis=0) for step in steps])
        found.append(_sweep(title, unit, steps, curves))
    return found


def _patches(tuning: Tuning) -> list[SweepReport | None]:
    return [
        _sweep(
            f"top patches: {sweep.kind}",
            _SHORT_UNITS.get(sweep.kind, sweep.unit),
            sweep.steps.tolist(),
            sweep.responses.mean(axis=1, dtype=np.float64),
        )
        for sweep in tuning.sweeps
    ]


def _sweep(name: str, unit: str, steps: Sequence[float], curves: NDArray[np.floating]) -> SweepReport | None:
    """One sweep, or None where the unit has no spread on photos.

    Args:
        curves: (steps, channels), the unit's first.
    """
    rounded = [tuple(float(f"{value:.4g}") for value in curve) for curve in curves.T.tolist()]
    if not len(curves) or not np.isfinite(curves[:, 0]).all():
        return None
    return SweepReport(
        name=name,
        unit=unit,
        steps=tuple(significant(step) if step % 1 else whole(int(step)) for step in steps),
        own=rounded[0],
        least=significant(min(rounded[0]), 2),
        most=significant(max(rounded[0]), 2),
        others=tuple(curve for curve in rounded[1:] if all(map(math.isfinite, curve))),
    )


def _indices(tuning: Tuning) -> tuple[IndexReport, ...]:
    names = list(dict.fromkeys(each.name for each in tuning.indices))
    rows = []
    for name in names:
        found = sorted((each for each in tuning.indices if each.name == name), key=lambda each: each.channel)
        values: list[Quantity | None] = [
            fixed(each.value.mean, 2) if math.isfinite(each.value.mean) else None for each in found
        ]
        rows.append(
            IndexReport(
                name=name, value=values[0], inputs=tuple(values[1:]), formula=found[0].formula, source=found[0].source
            )
        )
    return tuple(rows)


def measure_tuning(
    forward: Forward, streamed: Streamed, photos: Sequence[Photo], examples: Examples, settings: EvidenceSettings
) -> Tuning:
    """Tuning of a unit and its strongest inputs."""
    mean = np.array([streamed.distribution.mean, *streamed.maker_mean])
    deviation = np.array([streamed.distribution.deviation, *streamed.maker_deviation])
    return tune(forward, mean, deviation, photos, examples.top[: settings.patches])


def _invariance(kind: str) -> Callable[[TuningReport], Value]:
    return lambda part: {index.name: index.value for index in part.indices}.get(f"{kind} invariance")


TUNING = Measure(
    name="tuning",
    result=Tuning,
    version=1,
    compute=measure_tuning,
    panel="does",
    report=tuning_report,
    part=TuningReport,
    about="What it makes of drawn stimuli.",
    values={f"{kind}_invariance": _invariance(kind) for kind in KINDS},
    rows={
        "answers most to": lambda report: next((shown.name for shown in report.evidence.tuning.strongest), None),
    },
)
