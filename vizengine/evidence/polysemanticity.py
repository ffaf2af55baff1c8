"""Does the unit answer to several unrelated inputs? Clusters of its top examples by what drove it there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizengine.evidence.intervals import Estimate, estimate

MOST_CLUSTERS = 6
# Kaufman and Rousseeuw, Finding Groups in Data, 1990, table 4: below it "no substantial structure has been found".
LEAST_SILHOUETTE = 0.25
_SHUFFLES = 19


@dataclass(frozen=True)
class Cluster:
    """Top examples that were driven by the same inputs.

    Attributes:
        members: indices among the clustered positions, most strongly driven first.
        mean: (inputs,) mean contributions of the members.
        silhouette: mean over the members.
    """

    members: tuple[int, ...]
    mean: NDArray[np.float64]
    silhouette: float


@dataclass(frozen=True)
class Polysemanticity:
    """Clusters of top examples by the direction of their contribution vectors.

    Attributes:
        examples: positions that were clustered.
        tried: numbers of clusters, ascending; empty where there are too few examples.
        silhouettes: mean silhouette (Rousseeuw 1987) for each of `tried`.
        null: the best mean silhouette over `tried` for each shuffle of every channel's contributions among the
            examples, which keeps what each channel does and breaks what goes together.
        threshold: what the best silhouette must pass: the null's highest, and at least `LEAST_SILHOUETTE`.
        silhouette: of the best number of clusters, mean over examples with its interval.
        count: number of clusters: 1 where the best doesn't pass the threshold.
        clusters: those of `tried`'s best number, whether or not it passes; largest first.
    """

    examples: int
    tried: tuple[int, ...]
    silhouettes: tuple[float, ...]
    null: tuple[float, ...]
    threshold: float
    silhouette: Estimate
    count: int
    clusters: tuple[Cluster, ...]


# From directions, a number of clusters and a seed to labels.
Grouping = Callable[[NDArray[np.float64], int, int], NDArray[np.integer]]


def k_means(directions: NDArray[np.float64], number: int, seed: int) -> NDArray[np.integer]:
    """By k-means."""
    from sklearn.cluster import KMeans

    return np.asarray(KMeans(number, n_init=4, random_state=seed).fit_predict(directions))


def ward(directions: NDArray[np.float64], number: int, seed: int) -> NDArray[np.integer]:
    """By Ward's hierarchical clustering (1963), which needs no seed and a tenth of the time."""
    from scipy.cluster.hierarchy import fcluster, linkage

    return np.asarray(fcluster(linkage(directions, "ward"), number, "maxclust"))


def cluster(contributions: NDArray[np.float32], seed: int, grouping: Grouping = k_means) -> Polysemanticity:
    """Cluster top examples.

    A vector's length says how strongly the unit was driven, its direction by what, so lengths are set to 1.

    Args:
        contributions: (examples, inputs).
        seed: of k-means and of the shuffles.
        grouping: how.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    # So few points aren't worth a second thread: starting it takes longer than the work.
    with threadpool_limits(1):
        return _cluster(contributions, seed, grouping)


def _cluster(contributions: NDArray[np.float32], seed: int, grouping: Grouping) -> Polysemanticity:
    wide = contributions.astype(np.float64)
    directions = _directions(wide)
    distinct = len(np.unique(directions.round(9), axis=0))
    tried = tuple(range(2, min(MOST_CLUSTERS, distinct - 1, len(wide) // 4) + 1))
    if not tried:
        return Polysemanticity(len(wide), (), (), (), LEAST_SILHOUETTE, estimate(np.zeros(0)), 1, ())
    found = [_silhouettes(directions, grouping(directions, number, seed)) for number in tried]
    means = [float(values.mean()) for _, values in found]
    best = int(np.argmax(means))
    generator = np.random.default_rng([seed, 3])
    null = []
    for _ in range(_SHUFFLES):
        shuffled = _directions(np.stack([generator.permutation(column) for column in wide.T], axis=1))
        null.append(max(float(_silhouettes(shuffled, grouping(shuffled, number, seed))[1].mean()) for number in tried))
    threshold = max(LEAST_SILHOUETTE, *null)
    labels, values = found[best]
    clusters = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        clusters.append(Cluster(tuple(members.tolist()), wide[members].mean(axis=0), float(values[members].mean())))
    clusters.sort(key=lambda each: (-len(each.members), each.members))
    return Polysemanticity(
        examples=len(wide),
        tried=tried,
        silhouettes=tuple(means),
        null=tuple(null),
        threshold=threshold,
        silhouette=estimate(values),
        count=tried[best] if means[best] > threshold else 1,
        clusters=tuple(clusters),
    )


def _directions(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1.0)


def _silhouettes(
    directions: NDArray[np.float64], labels: NDArray[np.integer]
) -> tuple[NDArray[np.integer], NDArray[np.float64]]:
    """The labels and each example's silhouette; 0 for all where there is a single cluster."""
    from sklearn.metrics import silhouette_samples

    if not 1 < len(np.unique(labels)) < len(labels):
        return labels, np.zeros(len(labels))
    return labels, np.asarray(silhouette_samples(directions, labels))
