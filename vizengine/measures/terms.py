"""What a residual sum is made of: how much of its variance over photos each of its terms has.

For a sum `s = Σ_i t_i`, `Var(s) = Σ_i Cov(t_i, s)` exactly. `Cov(t_i, s) / Var(s)` is a term's share: below 0 where the
term works against the others, above 1 where the others work against it; the shares of a sum add up to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vizengine.measures.measure import Measure
from vizengine.measures.statistics import Comoments
from vizengine.measures.stream import Streamed
from vizengine.measures.unit import Forward


@dataclass(frozen=True)
class Term:
    """One of the terms of a sum.

    Attributes:
        label: `layer:channel` of what is added, or a colour's name.
        share: of the variance of the sum; not a number where the sum doesn't vary.
    """

    label: str
    share: float


def measure_terms(forward: Forward, streamed: Streamed) -> tuple[tuple[Term, ...], ...]:
    """For each of a unit's strongest inputs that is a residual sum, what it adds up; nothing for the others."""
    terms: list[tuple[Term, ...]] = [()] * len(forward.channels)
    for addition, comoments in zip(forward.additions, streamed.terms, strict=True):
        terms[addition.place] = shares(comoments, addition.labels)
    return tuple(terms)


def shares(comoments: Comoments, labels: Sequence[str]) -> tuple[Term, ...]:
    """The terms of one sum, in order."""
    variance = float(comoments.products.sum())
    parts = comoments.products.sum(axis=1) / variance if variance > 0 else np.full(len(labels), np.nan)
    return tuple(Term(label, float(share)) for label, share in zip(labels, parts, strict=True))


TERMS = Measure(name="terms", result=tuple[tuple[Term, ...], ...], version=1, compute=measure_terms)
