"""Ranks against their definitions, in plain Python."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vizengine.measures.ranks import Ranks, measure_ranks


def _ranks(norms: np.ndarray, sizes: np.ndarray, drop: np.ndarray, top: int) -> Ranks:
    circuit: Any = SimpleNamespace(inputs=[SimpleNamespace(norm=norm) for norm in norms], top=top)
    streamed: Any = SimpleNamespace(contribution_size=sizes)
    contributions: Any = SimpleNamespace(mean=drop)
    return measure_ranks(circuit, streamed, contributions)


def test_ranks_equal_definitions() -> None:
    generator = np.random.default_rng(3)
    norms, sizes, drop = generator.normal(size=(3, 40))
    norms, sizes = np.abs(norms), np.abs(sizes)
    ranks = _ranks(norms, sizes, drop, 6)
    measures = [norms, sizes, np.abs(drop)]
    for row, values in enumerate(measures):
        assert ranks.places[row].tolist() == [1 + int((values > value).sum()) for value in values]
    for agreement, (i, j) in zip(ranks.agreements, [(0, 1), (0, 2), (1, 2)], strict=True):
        apart = (ranks.places[i] - ranks.places[j]).astype(float)
        assert agreement.spearman == pytest.approx(1 - 6 * (apart**2).sum() / (40 * (40**2 - 1)))
        pairs = [(a, b) for a in range(40) for b in range(a)]
        signs = [np.sign((measures[i][a] - measures[i][b]) * (measures[j][a] - measures[j][b])) for a, b in pairs]
        assert agreement.kendall == pytest.approx(sum(signs) / len(pairs))
        assert agreement.shared == len(set(np.argsort(-measures[i])[:6]) & set(np.argsort(-measures[j])[:6]))
    assert np.isnan(_ranks(np.ones(3), sizes[:3], drop[:3], 3).agreements[0].spearman)
