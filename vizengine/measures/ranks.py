"""Three ways to say which input matters most, side by side, and where they disagree.

- The L2 norm of a kernel slice ignores how often and how strongly its input fires.
- The mean absolute contribution over all photos, `E|K_c ⋆ a_c|`, counts that in.
- The mean contribution where the unit is strongest in held-out photos counts only what matters there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from vizengine.figures.quantities import Documented, Quantity, if_finite, significant, whole
from vizengine.measures.contributions import Contributions
from vizengine.measures.inputs import Circuit
from vizengine.measures.measure import Measure
from vizengine.measures.stream import Streamed

NAMES = NORM, CONTRIBUTION, DROP = "L2 norm", "mean absolute contribution over photos", "contribution where strongest"


@dataclass(frozen=True)
class Agreement:
    """How far two ranks agree.

    Attributes:
        first, second: names of the ranks.
        spearman: rank correlation (Spearman 1904), -1 to 1; not a number where one ranks nothing.
        kendall: tau-b (Kendall 1945), likewise.
        shared: channels that are among the top of both.
    """

    first: str
    second: str
    spearman: float
    kendall: float
    shared: int


@dataclass(frozen=True)
class Ranks:
    """All input channels by each of the three measures.

    Attributes:
        names: of the measures.
        values: (3, inputs). The drop is signed: by how much the unit falls when the channel is set to zero.
        places: (3, inputs) int, 1 for the largest; the drop is ranked by its size, whatever its sign. Ties go to
            the lower index.
        top: how many count as the top.
        agreements: of each pair of measures, over all channels.
    """

    names: tuple[str, ...]
    values: NDArray[np.float64]
    places: NDArray[np.int64]
    top: int
    agreements: tuple[Agreement, ...]


def measure_ranks(circuit: Circuit, streamed: Streamed, contributions: Contributions) -> Ranks:
    """The three ranks of a unit's inputs."""
    from scipy.stats import kendalltau, rankdata, spearmanr

    norms = np.array([channel.norm for channel in circuit.inputs])
    values = np.stack([norms, streamed.contribution_size, contributions.mean]).astype(np.float64)
    sizes = np.abs(values)
    places = rankdata(-sizes, "ordinal", axis=1).astype(np.int64)
    among = places <= circuit.top
    agreements = []
    for first, second in combinations(range(len(NAMES)), 2):
        ranked = np.ptp(sizes[first]) > 0 and np.ptp(sizes[second]) > 0
        spearman = float(spearmanr(sizes[first], sizes[second]).statistic) if ranked else math.nan
        kendall = float(kendalltau(sizes[first], sizes[second]).statistic) if ranked else math.nan
        shared = int(np.count_nonzero(among[first] & among[second]))
        agreements.append(Agreement(NAMES[first], NAMES[second], spearman, kendall, shared))
    return Ranks(NAMES, values, places, circuit.top, tuple(agreements))


class RankRow(Documented):
    """One input that is among the top by one of the three measures."""

    label: str
    """Its name."""
    norm_place: int
    """Place by L2 norm."""
    photo_size: Quantity
    """Mean absolute contribution over all photos."""
    photo_place: int
    """Place by it."""
    drop: Quantity
    """Mean contribution where the unit is strongest in the held-out photos."""
    drop_place: int
    """Place by its size."""


class RanksReport(Documented):
    """Three ways to say which input matters most."""

    rows: tuple[RankRow, ...]
    """Inputs that are among the top by any of them."""
    shared: Quantity
    """How many are among the top by norm and by the contribution where the unit is strongest."""
    spearman: Quantity | None
    """Rank correlation of norm and that contribution over all inputs; null where one ranks nothing."""
    kendall: Quantity | None
    """Kendall's tau-b of the same two; null likewise."""
    words: str
    """Where they disagree, in a sentence."""


def ranks_report(ranks: Ranks, circuit: Circuit) -> RanksReport:
    """The three ranks of every input that is among the top of any."""
    norm, photo, drop = ranks.places
    _, photo_size, drop_size = ranks.values
    among = [index for index in np.argsort(norm, kind="stable").tolist() if ranks.places[:, index].min() <= ranks.top]
    (agreement,) = (pair for pair in ranks.agreements if (pair.first, pair.second) == (NORM, DROP))
    return RanksReport(
        rows=tuple(
            RankRow(
                label=circuit.inputs[index].label,
                norm_place=int(norm[index]),
                photo_size=significant(float(photo_size[index])),
                photo_place=int(photo[index]),
                drop=significant(float(drop_size[index])),
                drop_place=int(drop[index]),
            )
            for index in among
        ),
        shared=whole(agreement.shared),
        spearman=if_finite(agreement.spearman, significant, 2),
        kendall=if_finite(agreement.kendall, significant, 2),
        words=_disagreement(ranks, circuit),
    )


def _disagreement(ranks: Ranks, circuit: Circuit) -> str:
    """The widest gap each way between the weights and what counts where the unit is strongest."""
    norm, _, drop = ranks.places.tolist()
    channels = [channel.index for channel in circuit.inputs]
    sentences = []
    if loud := [index for index in channels if norm[index] <= ranks.top < drop[index]]:
        index = max(loud, key=drop.__getitem__)
        sentences.append(
            f"{circuit.inputs[index].label} is number {norm[index]} by its weights and number {drop[index]} by what it "
            "does where the unit is strongest: large weights, small effect."
        )
    if quiet := [index for index in channels if drop[index] <= ranks.top < norm[index]]:
        index = max(quiet, key=norm.__getitem__)
        sentences.append(
            f"{circuit.inputs[index].label} is only number {norm[index]} by its weights and yet number {drop[index]} "
            "by what it does."
        )
    return " ".join(sentences) or "Weights and effects agree on which inputs come first."


RANKS = Measure(
    name="ranks",
    result=Ranks,
    version=2,
    compute=measure_ranks,
    panel="does",
    report=ranks_report,
    part=RanksReport,
    about="Which input matters most.",
)
