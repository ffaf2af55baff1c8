"""Clusters that were planted are found; where there are none, none are."""

from __future__ import annotations

import numpy as np
import pytest

from vizengine.measures.polysemanticity import cluster


def _planted(groups: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Examples each driven by one of some disjoint sets of inputs, at very different strengths."""
    generator = np.random.default_rng(seed)
    labels = np.sort(np.arange(60) % groups)
    vectors = np.abs(generator.normal(0, 0.15, (60, 24)))
    for row, label in enumerate(labels):
        vectors[row, label * 4 : label * 4 + 4] += generator.uniform(0.8, 1.2, 4)
    return (vectors * generator.uniform(1, 20, (60, 1))).astype(np.float32), labels


@pytest.mark.parametrize("groups", [2, 3, 4])
def test_planted_groups_are_found(groups: int) -> None:
    contributions, labels = _planted(groups)
    found = cluster(contributions, 0)
    assert found.count == groups == len(found.clusters)
    assert found.silhouette.mean > found.threshold >= max(found.null)
    planted = {tuple(np.flatnonzero(labels == label)) for label in range(groups)}
    assert {each.members for each in found.clusters} == planted
    for group in found.clusters:
        np.testing.assert_allclose(group.mean, contributions[list(group.members)].mean(0), rtol=1e-5)
    sizes = [len(group.members) for group in found.clusters]
    assert sizes == sorted(sizes, reverse=True)


def test_one_group_is_one() -> None:
    found = cluster(_planted(1)[0], 0)
    assert found.count == 1 and found.silhouette.mean < found.threshold


def test_silhouettes_equal_the_definition() -> None:
    contributions, labels = _planted(2)
    found = cluster(contributions, 0)
    directions = contributions / np.linalg.norm(contributions, axis=1, keepdims=True)
    apart = np.linalg.norm(directions[:, None] - directions[None], axis=-1)
    silhouettes = []
    for row in range(60):
        same = (labels == labels[row]) & (np.arange(60) != row)
        near, far = apart[row, same].mean(), apart[row, labels != labels[row]].mean()
        silhouettes.append((far - near) / max(near, far))
    assert found.silhouettes[0] == pytest.approx(np.mean(silhouettes), rel=1e-4)
    assert found.silhouettes == cluster(contributions, 0).silhouettes


@pytest.mark.parametrize("vectors", [np.ones((40, 5)), np.zeros((40, 5)), np.eye(6), np.ones((1, 3))])
def test_too_few_or_equal_examples_are_not_clustered(vectors: np.ndarray) -> None:
    found = cluster(vectors.astype(np.float32), 0)
    assert found.count == 1 and not found.tried and not found.clusters and found.silhouette.count == 0
