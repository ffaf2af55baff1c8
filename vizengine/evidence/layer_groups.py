"""Does a unit answer to several unrelated inputs? The same question as for one circuit, for many units of a layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizengine.evidence.polysemanticity import cluster, ward
from vizengine.evidence.survey_model import Survey


@dataclass(frozen=True)
class Groups:
    """Clusters of each unit's top examples by what drove them, as in `Polysemanticity`.

    Attributes:
        examples: (units,) int64, how many were clustered.
        count: (units,) int64, number of groups: 1 where no grouping passes the threshold.
        silhouette: (units,) float64, mean over examples, of the best grouping into several; not a number where there
            are too few different examples to group.
        threshold: (units,) float64, what it must pass: the highest of 19 shuffles, and at least 0.25.
    """

    examples: NDArray[np.int64]
    count: NDArray[np.int64]
    silhouette: NDArray[np.float64]
    threshold: NDArray[np.float64]


def groups(found: Survey, units: tuple[int, ...], seed: int = 0) -> Groups:
    """Group the top examples of some units.

    Args:
        found: what photos do to their layer.
        units: which; at least one.
        seed: of the shuffles.
    """
    rows = []
    for unit in units:
        parts = found.parts[unit, np.isfinite(found.pre[unit])]
        grouped = cluster(parts, seed, ward)
        rows.append(
            (len(parts), grouped.count, grouped.silhouette.mean if grouped.tried else np.nan, grouped.threshold)
        )
    examples, count, silhouette, threshold = zip(*rows, strict=True)
    return Groups(
        np.array(examples, np.int64),
        np.array(count, np.int64),
        np.array(silhouette, np.float64),
        np.array(threshold, np.float64),
    )


def together(parts: tuple[Groups, ...]) -> Groups:
    """The groups of all units of `parts`, one after the other."""
    return Groups(
        np.concatenate([each.examples for each in parts]),
        np.concatenate([each.count for each in parts]),
        np.concatenate([each.silhouette for each in parts]),
        np.concatenate([each.threshold for each in parts]),
    )
