"""Polysemanticity: whether the unit's top examples fall into groups that different inputs drive.

The examples (up to 96, at most 12 of one photo) are grouped into 2 to 6 by k-means on the directions of their
contribution vectors. An example's silhouette is `(b - a) / max(a, b)`, where *a* is its mean distance to its own group
and *b* that to the nearest other (Rousseeuw 1987). The best grouping counts only if its mean silhouette passes both
0.25 (Kaufman and Rousseeuw, Finding Groups in Data, 1990, table 4) and that of each of 19 shuffles, in which each
input's contributions are shuffled across the examples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizengine.figures.pictures import patch
from vizengine.figures.quantities import Documented, Picture, Quantity, fixed, if_finite, significant, whole
from vizengine.measures.examples import Example, cut_examples
from vizengine.measures.inputs import Circuit
from vizengine.measures.measure import Measure
from vizengine.measures.photos import Photo
from vizengine.measures.statistics import SHUFFLES, Estimate, estimate, largest_first
from vizengine.measures.stream import EvidenceSettings, Streamed
from vizengine.network.architecture import Architecture

MOST_CLUSTERS = 6
# Kaufman and Rousseeuw, Finding Groups in Data, 1990, table 4: below it "no substantial structure has been found".
LEAST_SILHOUETTE = 0.25


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
        silhouettes: mean silhouette for each of `tried`.
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
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    # So few points aren't worth a second thread: starting it takes longer than the work.
    with threadpool_limits(1):
        return _cluster(contributions.astype(np.float64), seed, grouping)


def _cluster(vectors: NDArray[np.float64], seed: int, grouping: Grouping) -> Polysemanticity:
    directions = _directions(vectors)
    distinct = len(np.unique(directions.round(9), axis=0))
    tried = tuple(range(2, min(MOST_CLUSTERS, distinct - 1, len(vectors) // 4) + 1))
    if not tried:
        return Polysemanticity(len(vectors), (), (), (), LEAST_SILHOUETTE, estimate(np.zeros(0)), 1, ())
    labels = [grouping(directions, number, seed) for number in tried]
    silhouettes = [_silhouettes(directions, of_number) for of_number in labels]
    means = [float(values.mean()) for values in silhouettes]
    generator = np.random.default_rng([seed, 3])
    null = []
    for _ in range(SHUFFLES):
        shuffled = _directions(np.stack([generator.permutation(column) for column in vectors.T], axis=1))
        null.append(max(float(_silhouettes(shuffled, grouping(shuffled, number, seed)).mean()) for number in tried))
    threshold = max(LEAST_SILHOUETTE, *null)
    best = int(np.argmax(means))
    clusters = []
    for label in np.unique(labels[best]):
        members = np.flatnonzero(labels[best] == label)
        silhouette = float(silhouettes[best][members].mean())
        clusters.append(Cluster(tuple(members.tolist()), vectors[members].mean(axis=0), silhouette))
    return Polysemanticity(
        examples=len(vectors),
        tried=tried,
        silhouettes=tuple(means),
        null=tuple(null),
        threshold=threshold,
        silhouette=estimate(silhouettes[best]),
        count=tried[best] if means[best] > threshold else 1,
        clusters=tuple(sorted(clusters, key=lambda cluster: (-len(cluster.members), cluster.members))),
    )


def _directions(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1.0)


def _silhouettes(directions: NDArray[np.float64], labels: NDArray[np.integer]) -> NDArray[np.float64]:
    """Each example's silhouette; 0 for all where there is a single cluster."""
    from sklearn.metrics import silhouette_samples

    if not 1 < len(np.unique(labels)) < len(labels):
        return np.zeros(len(labels))
    return np.asarray(silhouette_samples(directions, labels))


class Weighted(Documented):
    """A name and its weight in a group."""

    label: str
    """The name."""
    weight: Quantity
    """The weight."""


class ClusterReport(Documented):
    """Top examples that the same inputs drive."""

    size: Quantity
    """How many."""
    silhouette: Quantity
    """Their mean silhouette."""
    pictures: tuple[Picture, ...]
    """A few of them."""
    leading: tuple[Weighted, ...]
    """The inputs that contribute most there, with their mean contribution."""


class ClustersReport(Documented):
    """Whether the top examples fall into groups."""

    count: int
    """Number of groups; 1 where the grouping is no better than chance."""
    examples: Quantity
    """Top examples that were grouped."""
    silhouette: Quantity | None
    """Mean silhouette of the best grouping; null where there were too few examples."""
    low: Quantity | None
    """Lower end of its 95 % interval."""
    high: Quantity | None
    """Upper end."""
    threshold: Quantity
    """What it must pass."""
    clusters: tuple[ClusterReport, ...]
    """The best grouping, whether or not it passes."""


PATCHES = 4
LEADING = 3


def clusters_report(
    polysemanticity: Polysemanticity, clustered: tuple[tuple[Example, ...], ...], circuit: Circuit
) -> ClustersReport:
    """The best grouping of the top examples."""
    silhouette = polysemanticity.silhouette
    return ClustersReport(
        count=polysemanticity.count,
        examples=whole(polysemanticity.examples),
        silhouette=if_finite(silhouette.mean, fixed, 2),
        low=if_finite(silhouette.low, fixed, 2),
        high=if_finite(silhouette.high, fixed, 2),
        threshold=fixed(polysemanticity.threshold, 2),
        clusters=tuple(
            ClusterReport(
                size=whole(len(cluster.members)),
                silhouette=fixed(cluster.silhouette, 2),
                pictures=tuple(
                    patch(example.crop, f"Patch of the photo {example.photo}") for example in examples[:PATCHES]
                ),
                leading=heaviest(cluster.mean, circuit, LEADING),
            )
            for cluster, examples in zip(polysemanticity.clusters, clustered, strict=True)
        ),
    )


def heaviest(weights: NDArray[np.float64], circuit: Circuit, count: int) -> tuple[Weighted, ...]:
    """The channels of the largest weights by size, those of weight 0 left out."""
    return tuple(
        Weighted(label=circuit.inputs[index].label, weight=significant(float(weights[index])))
        for index in largest_first(np.abs(weights))[:count].tolist()
        if weights[index]
    )


_SHOWN_OF_CLUSTER = 6


def measure_polysemanticity(streamed: Streamed, settings: EvidenceSettings) -> Polysemanticity:
    """Whether a unit's top examples fall into clusters that different inputs drive."""
    return cluster(streamed.many.contributions, settings.seed)


def measure_clustered(
    architecture: Architecture,
    circuit: Circuit,
    photos: Sequence[Photo],
    streamed: Streamed,
    polysemanticity: Polysemanticity,
) -> tuple[tuple[Example, ...], ...]:
    """The examples of each cluster that drive the unit most."""
    chosen = [streamed.many.take(np.array(cluster.members[:_SHOWN_OF_CLUSTER])) for cluster in polysemanticity.clusters]
    return tuple(cut_examples(architecture, circuit.layer, photos, positions) for positions in chosen)


CLUSTERED = Measure(name="clustered", result=tuple[tuple[Example, ...], ...], version=1, compute=measure_clustered)
POLYSEMANTICITY = Measure(
    name="polysemanticity",
    result=Polysemanticity,
    version=1,
    compute=measure_polysemanticity,
    panel="does",
    report=clusters_report,
    part=ClustersReport,
    part_name="clusters",
    about="Whether it answers to several things.",
    values={"examples.groups": lambda part: part.count},
    rows={"groups of examples": lambda report: str(report.evidence.clusters.count)},
)
