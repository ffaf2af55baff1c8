"""Three ways to say which input matters most, side by side, and where they disagree.

- The L2 norm of a kernel slice ignores how often and how strongly its input fires.
- The mean absolute contribution over all photos, `E|K_c ⋆ a_c|`, counts that in.
- The drop on the unit's own top examples T, `E_T[K_c ⋆ a_c]`, counts only what matters where the unit fires.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizengine.figures.quantities import Documented, Quantity, if_finite, significant, whole
from vizengine.measures.contributions import Contributions
from vizengine.measures.inputs import Circuit
from vizengine.measures.measure import Measure
from vizengine.measures.statistics import largest_first
from vizengine.measures.stream import Streamed

NORM, CONTRIBUTION, DROP = "L2 norm", "mean absolute contribution over photos", "drop on own top examples"


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


def rank(norms: NDArray[np.floating], photo_size: NDArray[np.floating], drop: NDArray[np.floating], top: int) -> Ranks:
    """The three ranks.

    Args:
        norms: (inputs,) L2 norms of the kernel slices.
        photo_size: (inputs,) mean absolute contributions over photos.
        drop: (inputs,) mean contribution on top examples, which is how far the unit falls without the channel.
        top: how many count as the top.
    """
    names = (NORM, CONTRIBUTION, DROP)
    values = np.stack([norms, photo_size, drop]).astype(np.float64)
    sizes = np.abs(values)
    places = np.empty(values.shape, np.int64)
    for measure, size in enumerate(sizes):
        places[measure, largest_first(size)] = np.arange(1, len(size) + 1)
    pairs = [(0, 1), (0, 2), (1, 2)]
    agreements = tuple(_agree(names, sizes, places, first, second, top) for first, second in pairs)
    return Ranks(names, values, places, top, agreements)


def _agree(
    names: tuple[str, ...], sizes: NDArray[np.float64], places: NDArray[np.int64], first: int, second: int, top: int
) -> Agreement:
    from scipy.stats import kendalltau, spearmanr

    pair = sizes[first], sizes[second]
    constant = any(np.ptp(values) == 0 for values in pair)
    spearman = float("nan") if constant else float(spearmanr(*pair).statistic)
    kendall = float("nan") if constant else float(kendalltau(*pair).statistic)
    shared = int(np.count_nonzero((places[first] <= top) & (places[second] <= top)))
    return Agreement(names[first], names[second], spearman, kendall, shared)


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
    """How far the unit falls on its top examples without the input."""
    drop_place: int
    """Place by its size."""


class RanksReport(Documented):
    """Three ways to say which input matters most."""

    rows: tuple[RankRow, ...]
    """Inputs that are among the top by any of them."""
    shared: Quantity
    """How many are among the top by norm and by the drop."""
    spearman: Quantity | None
    """Rank correlation of norm and drop over all inputs; null where one ranks nothing."""
    kendall: Quantity | None
    """Kendall's tau-b of the same two; null likewise."""
    words: str
    """Where they disagree, in a sentence."""


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
        spearman=if_finite(agreement.spearman, significant, 2),
        kendall=if_finite(agreement.kendall, significant, 2),
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
            "does where the unit fires most: large weights, small effect."
        )
    quiet = [index for index in range(len(norm)) if drop[index] <= ranks.top < norm[index]]
    if quiet:
        index = max(quiet, key=lambda each: int(norm[each]))
        sentences.append(
            f"{circuit.inputs[index].label} is only number {norm[index]} by its weights and yet number {drop[index]} "
            "by what it does."
        )
    return " ".join(sentences) or "Weights and effects agree on which inputs come first."


def measure_ranks(circuit: Circuit, streamed: Streamed, contributions: Contributions) -> Ranks:
    """The three ranks of a unit's inputs."""
    norms = np.array([channel.norm for channel in circuit.inputs])
    return rank(norms, streamed.contribution_size, contributions.mean, circuit.top)


RANKS = Measure(
    name="ranks",
    result=Ranks,
    version=1,
    compute=measure_ranks,
    panel="does",
    report=ranks_report,
    part=RanksReport,
    about="Which input matters most.",
)
