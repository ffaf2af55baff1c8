"""Tuning curves as the page says them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vizengine.evidence.stimuli import Stimulus, draw
from vizengine.evidence.tuning_model import Tuning
from vizengine.report.figures import Quantity
from vizengine.report.numbers import fixed, significant, whole
from vizengine.report.pictures import patch
from vizengine.report.tuning_parts import IndexReport, StimulusReport, SweepReport, TuningReport

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
