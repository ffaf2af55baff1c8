"""What a residual sum is made of: how much of its variance over photos each of its terms has.

For a sum `s = Σ_i t_i`, `Var(s) = Σ_i Cov(t_i, s)` exactly. `Cov(t_i, s) / Var(s)` is a term's share: below 0 where the
term works against the others, above 1 where the others work against it; the shares of a sum add up to 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vizengine.measures.stream import Streamed
    from vizengine.measures.unit import Forward

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vizengine.measures.inputs import InputChannel
from vizengine.measures.measure import Measure

if TYPE_CHECKING:
    from vizengine.network.model import Network


@dataclass(frozen=True)
class Addition:
    """A channel that is a sum, and where its terms are found.

    Attributes:
        place: of the channel among those that were asked for.
        channel: its index among the channels of each map.
        maps: the layers whose outputs it adds.
        factors: by what each is multiplied.
        labels: of the terms, as `SourceChannel.branches` has them.
    """

    place: int
    channel: int
    maps: tuple[str, ...]
    factors: tuple[float, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Term:
    """One of the terms of a sum.

    Attributes:
        label: `layer:channel` of what is added, or a colour's name.
        share: of the variance of the sum; not a number where the sum doesn't vary.
    """

    label: str
    share: float


@dataclass(frozen=True)
class Comoments:
    """How the terms of one sum vary together, of which others can be added.

    Attributes:
        count: positions.
        mean: (terms,) float64.
        products: (terms, terms) float64, sums of products of differences from the means.
    """

    count: int
    mean: NDArray[np.float64]
    products: NDArray[np.float64]

    @staticmethod
    def of(terms: Sequence[NDArray[np.floating]]) -> Comoments:
        """Of maps, one for each term; a map of one position stands for all positions."""
        flat = np.stack([each.ravel() for each in np.broadcast_arrays(*terms)]).astype(np.float64)
        mean = flat.mean(axis=1)
        apart = flat - mean[:, None]
        return Comoments(flat.shape[1], mean, apart @ apart.T)

    def __add__(self, other: Comoments) -> Comoments:
        """Both together, as Chan, Golub and LeVeque (1979) do."""
        total = self.count + other.count
        apart = other.mean - self.mean
        across = np.outer(apart, apart) * (self.count * other.count / total)
        return Comoments(total, self.mean + apart * (other.count / total), self.products + other.products + across)

    def terms(self, labels: Sequence[str]) -> tuple[Term, ...]:
        """Each term with its share, in order."""
        whole = float(self.products.sum())
        shares = self.products.sum(axis=1) / whole if whole > 0 else np.full(len(self.mean), np.nan)
        return tuple(Term(label, float(share)) for label, share in zip(labels, shares, strict=True))


def additions(network: Network, layer: str, unit: int, channels: Sequence[InputChannel]) -> tuple[Addition, ...]:
    """Those of a unit's input channels that are sums.

    Args:
        network: the network.
        layer: the unit's conv layer.
        unit: its index there.
        channels: some of its input channels.
    """
    sources = network.architecture.source_channels(layer, unit)
    found = []
    for place, channel in enumerate(channels):
        labels = sources[channel.index].branches
        if labels:
            name, _, index = sources[channel.index].label.rpartition(":")
            spec = network.architecture.layer(name)
            found.append(Addition(place, int(index), spec.maps, network.branch_factors(spec), labels))
    return tuple(found)


def measure_terms(forward: Forward, streamed: Streamed) -> tuple[tuple[Term, ...], ...]:
    """For each of a unit's strongest inputs that is a residual sum, what it adds up; nothing for the others."""
    terms: list[tuple[Term, ...]] = [()] * len(forward.channels)
    for addition, comoments in zip(forward.additions, streamed.terms, strict=True):
        terms[addition.place] = comoments.terms(addition.labels)
    return tuple(terms)


TERMS = Measure(name="terms", result=tuple[tuple[Term, ...], ...], version=1, compute=measure_terms)
