"""Three ways to say which input matters most, side by side, and where they disagree.

The L2 norm of a kernel slice ignores how often and how strongly its input fires. The mean absolute contribution
over photos counts that in; the drop on the unit's own top examples counts only what matters where the unit fires.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizengine.evidence.contributions import largest_first

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
