"""What the strongest inputs do to the unit: contributions, ablations and ranks, as the page says them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from vizengine.circuit.model import Circuit
from vizengine.evidence.ablation import Effect
from vizengine.evidence.ranks import Ranks
from vizengine.evidence.results import Evidence
from vizengine.report.effect_parts import (
    EffectsReport,
    ExampleBar,
    InputEffect,
    RankRow,
    RanksReport,
    SumReport,
)
from vizengine.report.figures import Change, Quantity
from vizengine.report.numbers import change, decimals, fixed, measured, percent, significant, whole

# Examples for which the page works out each contribution.
WORKED_EXAMPLES = 6


def effects_report(evidence: Evidence, circuit: Circuit, shown: int) -> EffectsReport:
    """Contributions and ablations.

    Args:
        evidence: what was measured.
        circuit: the unit.
        shown: how many top examples are drawn part by part.
    """
    given, ablations = evidence.contributions, evidence.ablations
    strongest = [channel.index for channel in circuit.strongest]
    others = [channel.index for channel in circuit.ranked[len(strongest) :]]
    drive = float(given.mean.sum())
    control = ablations.control_together
    return EffectsReport(
        bars=tuple(
            ExampleBar(
                inputs=tuple(significant(float(row[index])) for index in strongest),
                others=significant(float(row[others].sum(dtype=np.float64))),
            )
            for row in given.parts[:shown]
        ),
        inputs=tuple(
            InputEffect(
                contribution=significant(float(given.mean[index])),
                deviation=significant(float(given.deviation[index])),
                share=percent(float(given.mean[index]) / drive) if drive else None,
                to_zero=_on_examples(single.to_zero),
                to_mean=_on_examples(single.to_mean),
                photos=significant(single.to_zero.photos.mean),
                picture=significant(single.to_zero.picture_peak),
                finding=single.sign_verdict,
                sums=tuple(
                    _worked(each[..., place], circuit.inputs[index].kernel)
                    for each in evidence.fields[:WORKED_EXAMPLES]
                ),
            )
            for place, (index, single) in enumerate(zip(strongest, ablations.single, strict=True))
        ),
        others=significant(float(given.mean[others].sum())),
        baseline=significant(ablations.baseline.mean),
        examples=whole(len(given.pre)),
        drive=significant(drive),
        top_share=percent(given.top_drive_share) if math.isfinite(given.top_drive_share) else None,
        tail=whole(given.tail_length),
        together=_on_examples(ablations.together.to_zero),
        control=significant(float(control.mean())) if len(control) else None,
        control_deviation=significant(float(control.std())) if len(control) else None,
        draws=whole(len(control)),
    )


def _worked(activations: NDArray[np.float32], kernel: NDArray[np.float32]) -> SumReport:
    return SumReport(
        activations=_rows(activations), products=_rows(activations.astype(np.float64) * kernel.astype(np.float64))
    )


def _rows(values: NDArray[np.floating]) -> tuple[tuple[Quantity, ...], ...]:
    places = decimals(np.abs(values).ravel().tolist(), 3)
    return tuple(tuple(fixed(float(f"{value:.6g}"), places) for value in row) for row in values.tolist())


def _on_examples(effect: Effect) -> Change:
    return change(effect.examples)


def ranks_report(ranks: Ranks, circuit: Circuit) -> RanksReport:
    """The three ranks of every input that is among the top of any."""
    norm, photo, drop = ranks.places
    among = [index for index in np.argsort(norm, kind="stable").tolist() if ranks.places[:, index].min() <= ranks.top]
    agreement = next(each for each in ranks.agreements if (each.first, each.second) == (ranks.names[0], ranks.names[2]))
    return RanksReport(
        rows=tuple(
            RankRow(
                label=circuit.inputs[index].label,
                norm_place=int(norm[index]),
                photo_size=significant(float(ranks.values[1, index])),
                photo_place=int(photo[index]),
                drop=significant(float(ranks.values[2, index])),
                drop_place=int(drop[index]),
            )
            for index in among
        ),
        shared=whole(agreement.shared),
        spearman=measured(agreement.spearman, 2),
        kendall=measured(agreement.kendall, 2),
        words=_disagreement(ranks, circuit),
    )


def _disagreement(ranks: Ranks, circuit: Circuit) -> str:
    """The widest gap each way between the weights and what counts on the top examples."""
    norm, _, drop = ranks.places
    sentences = []
    loud = [index for index in range(len(norm)) if norm[index] <= ranks.top < drop[index]]
    if loud:
        index = max(loud, key=lambda each: int(drop[each]))
        sentences.append(
            f"{circuit.inputs[index].label} is number {norm[index]} by its weights and number {drop[index]} by what it "
            "does where the unit fires most: a thick wire with little current."
        )
    quiet = [index for index in range(len(norm)) if drop[index] <= ranks.top < norm[index]]
    if quiet:
        index = max(quiet, key=lambda each: int(norm[each]))
        sentences.append(
            f"{circuit.inputs[index].label} is only number {norm[index]} by its weights and yet number {drop[index]} "
            "by what it does."
        )
    return " ".join(sentences) or "Weights and effects agree on which inputs come first."
