"""Contributions: what each input channel adds to the unit, on its top examples and over all photos.

- *Drive*: the mean pre-activation of the top examples less the bias; the inputs' mean contributions add up to it.
- *Tail*: how many inputs carry 90 % of the absolute contributions, `Σ_c |mean_c|`.
- Over all photos stand the mean contribution, with its interval over photos, and the mean absolute contribution.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizengine.figures.quantities import (
    Change,
    Documented,
    Quantity,
    decimals,
    fixed,
    if_finite,
    percent,
    significant,
    whole,
)
from vizengine.measures.ablations import Ablations
from vizengine.measures.examples import TOP_SHOWN
from vizengine.measures.inputs import Circuit
from vizengine.measures.measure import Measure
from vizengine.measures.statistics import Verdict, change, estimate, largest_first
from vizengine.measures.stream import Streamed
from vizengine.measures.unit import Forward

TAIL_SHARE = 0.9


@dataclass(frozen=True)
class Contributions:
    """`pre = bias + Σ_c K_c ⋆ a_c`, part by part.

    Attributes:
        pre: (examples,) pre-activation of each top example.
        parts: (examples, inputs) float32; `bias` and a row sum to that example's `pre`.
        mean, deviation: (inputs,) of `parts` over the examples; the deviation is that of the population.
        order: (inputs,) channels by |mean|, largest first; ties go to the lower index.
        top_drive_share: share of the mean drive that the strongest channels explain, those that the circuit shows; may
            pass 1 where others inhibit; not a number where the mean drive is 0.
        tail_length: how many channels of `order` it takes to hold `TAIL_SHARE` of Σ|mean|.
        photo_mean: (inputs,) mean contribution over all positions of all photos.
        photo_size: (inputs,) mean absolute contribution over them.
        photo_low, photo_high: (inputs,) 95 % interval of the mean contribution over photos, each photo counted once
            through its positions in the sample, since neighbouring positions aren't independent.
    """

    bias: float
    pre: NDArray[np.float32]
    parts: NDArray[np.float32]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    order: NDArray[np.int64]
    top_drive_share: float
    tail_length: int
    photo_mean: NDArray[np.float64]
    photo_size: NDArray[np.float64]
    photo_low: NDArray[np.float64]
    photo_high: NDArray[np.float64]


def measure_contributions(forward: Forward, circuit: Circuit, streamed: Streamed) -> Contributions:
    """Contributions of a unit's inputs at its top examples and over all photos."""
    parts, sample = streamed.top.contributions, streamed.sample
    mean = parts.mean(axis=0, dtype=np.float64)
    size = np.abs(mean)
    order = largest_first(size)
    drive, total = float(mean.sum()), float(size.sum())
    strongest = [channel.index for channel in circuit.strongest]
    by_photo = [sample.contributions[sample.photo == photo].mean(axis=0) for photo in np.unique(sample.photo)]
    intervals = [estimate(column) for column in np.stack(by_photo, axis=1)]
    tail = int(np.searchsorted(np.cumsum(size[order]), TAIL_SHARE * total * (1 - 1e-12)) + 1) if total else 0
    return Contributions(
        bias=forward.bias,
        pre=streamed.top.pre,
        parts=parts,
        mean=mean,
        deviation=parts.std(axis=0, dtype=np.float64),
        order=order,
        top_drive_share=float(mean[strongest].sum() / drive) if drive else math.nan,
        tail_length=tail,
        photo_mean=streamed.contribution_mean,
        photo_size=streamed.contribution_size,
        photo_low=np.array([interval.low for interval in intervals]),
        photo_high=np.array([interval.high for interval in intervals]),
    )


def measure_fields(streamed: Streamed) -> NDArray[np.float32]:
    """What the kernel reads of each strongest input at the top examples: (examples, height, width, strongest)."""
    return streamed.top.fields


class ExampleBar(Documented):
    """What adds up to the pre-activation of one top example, in the order of the examples."""

    inputs: tuple[Quantity, ...]
    """Contribution of each strongest input."""
    others: Quantity
    """Of all others together."""


class SumReport(Documented):
    """How what one input adds at one top example comes about; to six significant digits."""

    activations: tuple[tuple[Quantity, ...], ...]
    """What the kernel reads of the input there, row by row."""
    products: tuple[tuple[Quantity, ...], ...]
    """The same times the slice; their sum is the contribution."""


class InputEffect(Documented):
    """What one strongest input does."""

    contribution: Quantity
    """Mean contribution on the top examples."""
    deviation: Quantity
    """Its standard deviation over them."""
    share: Quantity | None
    """The mean as a share of the drive; null where there is no drive."""
    to_zero: Change
    """Change of the unit on its top examples when the input is set to zero."""
    to_mean: Change
    """The same when it is set to its mean over photos."""
    photos: Quantity
    """Mean change over all photos when it is set to zero."""
    picture: Quantity
    """Change at the best place of the unit's picture when it is set to zero."""
    finding: Verdict
    """Whether the change bears out the name that the weights give it."""
    sums: tuple[SumReport, ...]
    """Its contribution to the first few top examples worked out, in their order."""


class EffectsReport(Documented):
    """Contributions and ablations on the top examples."""

    bars: tuple[ExampleBar, ...]
    """Each shown top example, part by part."""
    inputs: tuple[InputEffect, ...]
    """Each strongest input, in the order of the page."""
    others: Quantity
    """Mean contribution of all other inputs together."""
    baseline: Quantity
    """Mean pre-activation of the top examples."""
    examples: Quantity
    """How many top examples."""
    drive: Quantity
    """Mean pre-activation less the bias."""
    top_share: Quantity | None
    """Share of the drive that the strongest explain; null where there is no drive."""
    tail: Quantity
    """Inputs that it takes to hold 90 % of the sum of the contributions' sizes."""
    together: Change
    """Change when all of the strongest are set to zero."""
    control: Quantity | None
    """Mean change when as many random inputs of like norm are; null where there are no others."""
    control_deviation: Quantity | None
    """Its standard deviation over draws."""
    draws: Quantity
    """Number of draws."""


# Examples for which the page works out each contribution.
WORKED_EXAMPLES = 6


def effects_report(
    contributions: Contributions, ablations: Ablations, fields: NDArray[np.float32], circuit: Circuit
) -> EffectsReport:
    """Contributions and ablations."""
    strongest = [channel.index for channel in circuit.strongest]
    others = [channel.index for channel in circuit.ranked[len(strongest) :]]
    mean = contributions.mean.tolist()
    drive = float(contributions.mean.sum())
    control = ablations.control_together
    return EffectsReport(
        bars=tuple(
            ExampleBar(
                inputs=tuple(significant(float(row[index])) for index in strongest),
                others=significant(float(row[others].sum(dtype=np.float64))),
            )
            for row in contributions.parts[:TOP_SHOWN]
        ),
        inputs=tuple(
            InputEffect(
                contribution=significant(mean[index]),
                deviation=significant(float(contributions.deviation[index])),
                share=percent(mean[index] / drive) if drive else None,
                to_zero=change(ablation.to_zero.examples),
                to_mean=change(ablation.to_mean.examples),
                photos=significant(ablation.to_zero.photos.mean),
                picture=significant(ablation.to_zero.picture_peak),
                finding=ablation.sign_verdict,
                sums=tuple(
                    _worked(field[..., place], circuit.inputs[index].kernel) for field in fields[:WORKED_EXAMPLES]
                ),
            )
            for place, (index, ablation) in enumerate(zip(strongest, ablations.single, strict=True))
        ),
        others=significant(float(contributions.mean[others].sum())),
        baseline=significant(ablations.baseline.mean),
        examples=whole(len(contributions.pre)),
        drive=significant(drive),
        top_share=if_finite(contributions.top_drive_share, percent),
        tail=whole(contributions.tail_length),
        together=change(ablations.together.to_zero.examples),
        control=significant(float(control.mean())) if len(control) else None,
        control_deviation=significant(float(control.std())) if len(control) else None,
        draws=whole(len(control)),
    )


def _worked(activations: NDArray[np.float32], kernel: NDArray[np.float32]) -> SumReport:
    def rows(values: NDArray[np.floating]) -> tuple[tuple[Quantity, ...], ...]:
        places = decimals(np.abs(values).ravel().tolist(), 3)
        return tuple(tuple(fixed(float(f"{value:.6g}"), places) for value in row) for row in values.tolist())

    products = activations.astype(np.float64) * kernel.astype(np.float64)
    return SumReport(activations=rows(activations), products=rows(products))


FIELDS = Measure(name="fields", result=NDArray[np.float32], version=1, compute=measure_fields)
CONTRIBUTIONS = Measure(
    name="contributions",
    result=Contributions,
    version=1,
    compute=measure_contributions,
    panel="does",
    report=effects_report,
    part=EffectsReport,
    part_name="effects",
    about="What its inputs do to it.",
    values={
        "examples.count": lambda part: part.examples,
        "examples.mean": lambda part: part.baseline,
        "examples.drive": lambda part: part.drive,
        "examples.drive_share": lambda part: part.top_share,
    },
    input_values={
        "drive_share": lambda effect: effect.share,
        "drop": lambda effect: effect.to_zero.mean,
        "finding": lambda effect: effect.finding,
    },
    rows={
        "inputs": lambda report: report.totals.inputs,
        "share of the drive from those shown": lambda report: report.evidence.effects.top_share,
    },
)
