"""Groups of the examples of many units: as for one unit alone, by Ward's clustering, against its shuffles."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.measures.setups import save_photos
from vizengine.layers.population import groups, together
from vizengine.layers.survey import survey
from vizengine.measures.polysemanticity import LEAST_SILHOUETTE, cluster, ward
from vizengine.measures.stream import Split
from vizengine.network.model import Network


def _two_kinds(inputs: int = 16) -> np.ndarray:
    """Contributions of 24 examples: half driven by the first inputs, half by the last."""
    generator = np.random.default_rng(0)
    parts = generator.normal(0, 0.05, (24, inputs))
    parts[::2, :4] += 1
    parts[1::2, -4:] += 1
    return parts.astype(np.float32)


def test_unrelated_causes_are_told_from_one_cause() -> None:
    two = cluster(_two_kinds(), 0, ward)
    assert two.count == 2 and two.silhouette.mean > two.threshold
    assert {tuple(sorted(each.members)) for each in two.clusters} == {tuple(range(0, 24, 2)), tuple(range(1, 24, 2))}
    one = cluster(np.abs(np.random.default_rng(1).normal(1, 0.1, (24, 16))).astype(np.float32), 0, ward)
    assert one.count == 1 and one.silhouette.mean <= one.threshold
    assert one.threshold >= LEAST_SILHOUETTE


def test_wards_silhouette_is_that_of_plain_loops() -> None:
    found = cluster(_two_kinds(), 0, ward)
    directions = _two_kinds().astype(np.float64)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    values = []
    for own in range(24):
        distances = np.linalg.norm(directions - directions[own], axis=1)
        same = [index for index in range(24) if index % 2 == own % 2 and index != own]
        other = [index for index in range(24) if index % 2 != own % 2]
        near, far = distances[same].mean(), distances[other].mean()
        values.append((far - near) / max(near, far))
    np.testing.assert_allclose(found.silhouettes[0], np.mean(values), rtol=1e-9)


def test_units_are_grouped_each_by_itself(tiny_network: Network, tmp_path: Path) -> None:
    photos = save_photos(tmp_path, [(70, 90), (64, 64), (101, 75), (80, 120)])
    found = survey(tiny_network, "last", photos, Split.of(photos))
    whole = groups(found, tuple(range(7)))
    parts = together((groups(found, (0, 1, 2)), groups(found, (3, 4, 5, 6))))
    for name in ("examples", "count", "silhouette", "threshold"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name))
    for unit in range(7):
        own = found.parts[unit, np.isfinite(found.pre[unit])]
        alone = cluster(own, 0, ward)
        assert whole.examples[unit] == len(own) and whole.count[unit] == alone.count
        assert whole.silhouette[unit] == alone.silhouette.mean


def test_a_unit_that_is_not_a_number_has_no_groups(tiny_network: Network, tmp_path: Path) -> None:
    photos = save_photos(tmp_path, [(70, 90)])
    found = survey(tiny_network, "last", photos, Split.of(photos))
    broken = replace(found, pre=np.full_like(found.pre, np.nan), parts=np.full_like(found.parts, np.nan))
    grouped = groups(broken, (0,))
    assert grouped.examples[0] == 0 and grouped.count[0] == 1 and np.isnan(grouped.silhouette[0])
