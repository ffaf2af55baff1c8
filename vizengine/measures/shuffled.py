"""The null: the same unit with the coefficients of each slice shuffled, 19 draws.

A shuffled kernel has the same inputs, norms, signs and sums, and only the arrangement of its weights is lost. What it
does as well follows from these; what it doesn't do, from the arrangement. Each draw is measured where it is itself
strongest in each held-out photo. A kernel of 1×1 is shuffled among its inputs instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vizengine.figures.quantities import Documented, Finite, Quantity, fixed, if_finite, significant, whole
from vizengine.measures.by_photo import Correlations, Drive, correlations
from vizengine.measures.contributions import Contributions
from vizengine.measures.faithfulness import Faithfulness
from vizengine.measures.inputs import Circuit
from vizengine.measures.measure import Measure
from vizengine.measures.stream import Streamed

if TYPE_CHECKING:
    from vizengine.measures.engine import Evidence


@dataclass(frozen=True)
class Shuffled:
    """The units with shuffled kernels.

    Attributes:
        drives: one for each draw, as `Contributions.drive`.
        correlations: (draws, inputs), with the first k inputs by norm, as `Faithfulness.by_norm`.
    """

    drives: tuple[Drive, ...]
    correlations: Correlations


def measure_shuffled(streamed: Streamed) -> Shuffled:
    """What the units with shuffled kernels do."""
    strongest = streamed.strongest
    of_draws = np.moveaxis(strongest.shuffled, 1, 0)
    drives = tuple(Drive(strongest.photos, of_draw, streamed.split.judges) for of_draw in of_draws)
    return Shuffled(drives, correlations(strongest.sums))


def shuffled_evidence(evidence: Evidence) -> Iterator[SimpleNamespace]:
    """Of each draw what claims read of a unit, as far as it was measured."""
    shuffled, tuning = evidence.shuffled, evidence.tuning
    for draw, drive in enumerate(shuffled.drives):
        others = tuple(other for place, other in enumerate(shuffled.drives) if place != draw)
        by_norm = Correlations(
            shuffled.correlations.value[draw], shuffled.correlations.error[draw], shuffled.correlations.groups
        )
        yield SimpleNamespace(
            contributions=SimpleNamespace(drive=drive),
            shuffled=SimpleNamespace(drives=others),
            ablations=evidence.ablations,
            faithfulness=SimpleNamespace(
                by_norm=SimpleNamespace(correlations=by_norm),
                random_correlation=evidence.faithfulness.random_correlation,
                positions=evidence.faithfulness.positions,
                draws=evidence.faithfulness.draws,
            ),
            tuning=SimpleNamespace(stimuli=tuning.stimuli, responses=tuning.shuffled[:, draw : draw + 1]),
            examples=evidence.examples,
        )


class ShuffledReport(Documented):
    """The unit beside the same with its weights shuffled."""

    drive: Quantity
    """What drives the unit where it is strongest in the held-out photos."""
    drives: tuple[Finite, ...]
    """The same of each shuffled draw, ascending."""
    drive_low: Quantity
    """Lowest of them."""
    drive_high: Quantity
    """Highest of them."""
    drive_above: Quantity
    """How many of them the unit is above."""
    correlation: Quantity | None
    """Correlation with the strongest inputs by norm alone; null where the unit is the same everywhere."""
    correlations: tuple[Finite, ...]
    """The same of each shuffled draw, ascending; empty where one is the same everywhere."""
    correlation_above: Quantity | None
    """How many of them the unit is above."""
    draws: Quantity
    """How many draws."""


def shuffled_report(
    shuffled: Shuffled, contributions: Contributions, faithfulness: Faithfulness, circuit: Circuit
) -> ShuffledReport:
    """The unit's drive and faithfulness among those of the draws."""
    drive = float(contributions.mean.sum())
    drives = sorted(float(of_draw.mean.sum()) for of_draw in shuffled.drives)
    place = min(circuit.top, len(circuit.inputs)) - 1
    correlation = float(faithfulness.by_norm.correlations.value[place])
    values: NDArray[np.float64] = np.sort(shuffled.correlations.value[:, place])
    known = bool(np.isfinite(values).all() and np.isfinite(correlation))
    return ShuffledReport(
        drive=significant(drive),
        drives=tuple(float(f"{value:.4g}") for value in drives),
        drive_low=significant(drives[0]),
        drive_high=significant(drives[-1]),
        drive_above=whole(sum(drive > value for value in drives)),
        correlation=if_finite(correlation, fixed, 2),
        correlations=tuple(float(f"{value:.4g}") for value in values.tolist()) if known else (),
        correlation_above=whole(int((correlation > values).sum())) if known else None,
        draws=whole(len(drives)),
    )


SHUFFLED = Measure(
    name="shuffled",
    result=Shuffled,
    version=1,
    compute=measure_shuffled,
    panel="does",
    report=shuffled_report,
    part=ShuffledReport,
    about="The unit beside the same with its weights shuffled.",
    values={
        "shuffled.drive_low": lambda part: part.drive_low,
        "shuffled.drive_high": lambda part: part.drive_high,
        "shuffled.drive_above": lambda part: part.drive_above,
        "shuffled.draws": lambda part: part.draws,
    },
)
