"""Contributions: what each input channel gives the unit, where it is strongest in held-out photos and over all photos.

- *Where the unit is strongest*: at each photo's highest 0.5 % of positions; photos count alike, so that the figure
  means the same for few photos and for many.
- *Drive*: the mean pre-activation there less the bias; the inputs' mean contributions add up to it.
- *Tail*: how many inputs carry 90 % of the absolute contributions, `Σ_c |mean_c|`.
- Over all positions of all photos stand the mean contribution and the mean absolute contribution.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
from vizengine.measures.by_photo import Drive, Interval, change
from vizengine.measures.examples import TOP_SHOWN
from vizengine.measures.inputs import Circuit
from vizengine.measures.measure import Measure
from vizengine.measures.statistics import Verdict, largest_first
from vizengine.measures.stream import Streamed
from vizengine.measures.unit import Forward

TAIL_SHARE = 0.9
LEAST_SHARE = 0.05
"""The share of the drive below which an input neither excites nor inhibits."""


@dataclass(frozen=True)
class Contributions:
    """`pre = bias + Σ_c K_c ⋆ a_c`, part by part.

    Attributes:
        pre: (examples,) pre-activation of each top example.
        parts: (examples, inputs) float32; `bias` and a row sum to that example's `pre`.
        drive: contributions where the unit is strongest in the held-out photos.
        mean: (inputs,) `drive.mean`.
        order: (inputs,) channels by |mean|, largest first; ties go to the lower index.
        tail_length: how many channels of `order` it takes to hold `TAIL_SHARE` of Σ|mean|.
        photo_mean: (inputs,) mean contribution over all positions of all photos.
        photo_size: (inputs,) mean absolute contribution over them.
    """

    bias: float
    pre: NDArray[np.float32]
    parts: NDArray[np.float32]
    drive: Drive
    mean: NDArray[np.float64]
    order: NDArray[np.int64]
    tail_length: int
    photo_mean: NDArray[np.float64]
    photo_size: NDArray[np.float64]


def measure_contributions(forward: Forward, streamed: Streamed) -> Contributions:
    """Contributions of a unit's inputs."""
    drive = Drive(streamed.strongest.photos, streamed.strongest.contributions, streamed.split.judges)
    size = np.abs(drive.mean)
    order, total = largest_first(size), float(size.sum())
    tail = int(np.searchsorted(np.cumsum(size[order]), TAIL_SHARE * total * (1 - 1e-12)) + 1) if total else 0
    return Contributions(
        bias=forward.bias,
        pre=streamed.top.pre,
        parts=streamed.top.contributions,
        drive=drive,
        mean=drive.mean,
        order=order,
        tail_length=tail,
        photo_mean=streamed.contribution_mean,
        photo_size=streamed.contribution_size,
    )


def effect(share: Interval) -> Literal["excites", "inhibits", ""]:
    """What an input does by its share of the drive; empty where its interval doesn't say."""
    if share.low > LEAST_SHARE:
        return "excites"
    return "inhibits" if share.high < -LEAST_SHARE else ""


def _borne_out(sign: str, share: Interval) -> Verdict:
    """Whether an input does what its weights say."""
    expected = {"excitatory": "excites", "inhibitory": "inhibits"}.get(sign)
    does = effect(share)
    if not does or not expected:
        return "undecided"
    return "supported" if does == expected else "contradicted"


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
    """What one strongest input does where the unit is strongest in the held-out photos."""

    contribution: Change
    """Mean contribution, with its interval over photos."""
    share: Quantity | None
    """The same as a share of the drive; null where there is no drive."""
    share_low: Quantity | None
    """Lower end of the share's 95 % interval; null where there are too few photos."""
    share_high: Quantity | None
    """Upper end."""
    to_mean: Change
    """Change of the unit when the input is set to its mean over photos."""
    finding: Verdict
    """Whether it does what its weights say."""
    sums: tuple[SumReport, ...]
    """Its contribution to the first few top examples worked out, in their order."""


class EffectsReport(Documented):
    """Contributions where the unit is strongest in the held-out photos, and ablations there."""

    bars: tuple[ExampleBar, ...]
    """Each shown top example, part by part."""
    inputs: tuple[InputEffect, ...]
    """Each strongest input, in the order of the page."""
    others: Quantity
    """Mean contribution of all other inputs together."""
    baseline: Quantity
    """Mean pre-activation."""
    photos: Quantity
    """How many photos."""
    examples: Quantity
    """How many top examples, of the shown photos."""
    drive: Quantity
    """Mean pre-activation less the bias."""
    top_share: Quantity | None
    """Share of the drive that the strongest inputs give together; null where there is no drive."""
    top_low: Quantity | None
    """Lower end of its 95 % interval; null where there are too few photos."""
    top_high: Quantity | None
    """Upper end."""
    tail: Quantity
    """Inputs that it takes to hold 90 % of the sum of the contributions' sizes."""
    together: Change
    """Change of the unit when all of the strongest are set to their means."""
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
    drive, total = contributions.drive, float(contributions.mean.sum())
    shares = [drive.share(index) for index in strongest]
    together, control = drive.share(*strongest), ablations.control_together
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
                contribution=change(drive.contribution(index)),
                share=if_finite(share.value, percent),
                share_low=if_finite(share.low, percent),
                share_high=if_finite(share.high, percent),
                to_mean=change(to_mean),
                finding=_borne_out(circuit.inputs[index].sign, share),
                sums=tuple(
                    _worked(field[..., place], circuit.inputs[index].kernel) for field in fields[:WORKED_EXAMPLES]
                ),
            )
            for place, (index, share, to_mean) in enumerate(zip(strongest, shares, ablations.single, strict=True))
        ),
        others=significant(float(contributions.mean[others].sum())),
        baseline=significant(total + contributions.bias),
        photos=whole(int(drive.photos.sum())),
        examples=whole(len(contributions.pre)),
        drive=significant(total),
        top_share=if_finite(together.value, percent),
        top_low=if_finite(together.low, percent),
        top_high=if_finite(together.high, percent),
        tail=whole(contributions.tail_length),
        together=change(ablations.together),
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
    version=2,
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
        "without": lambda effect: effect.to_mean.mean,
        "finding": lambda effect: effect.finding,
    },
    rows={
        "inputs": lambda report: report.totals.inputs,
        "share of the drive from those shown": lambda report: report.evidence.effects.top_share,
    },
)
