"""What one photo alone gives for the measurements: small, and the same whatever other photos there are."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizengine.evidence.distribution import Counts, Moment
from vizengine.evidence.forward import Forward
from vizengine.evidence.photos import Photo
from vizengine.evidence.positions import Drawn, Extremes, PooledMap, Positions, Sample
from vizengine.evidence.settings import EvidenceSettings
from vizengine.evidence.sums import Comoments


@dataclass(frozen=True)
class Total:
    """A sum of vectors over positions.

    Attributes:
        sum: (width,) float64.
        count: positions.
    """

    sum: NDArray[np.float64]
    count: int

    @staticmethod
    def of(values: NDArray[np.float32]) -> Total:
        """Of an array whose last axis is the vector."""
        flat = values.reshape(-1, values.shape[-1])
        return Total(flat.sum(axis=0, dtype=np.float64), len(flat))

    def __add__(self, other: Total) -> Total:
        return Total(self.sum + other.sum, self.count + other.count)

    @property
    def mean(self) -> NDArray[np.float64]:
        """(width,) sum over count."""
        return self.sum / self.count


@dataclass(frozen=True)
class Collectors:
    """What takes few of many positions.

    Attributes:
        top, bottom: the most extreme to show.
        many: more of the highest, for clusters.
        peaks: the highest of each photo.
        sample: drawn evenly.
    """

    top: Extremes
    bottom: Extremes
    many: Extremes
    peaks: Extremes
    sample: Sample

    @staticmethod
    def empty(forward: Forward, settings: EvidenceSettings, rate: float) -> Collectors:
        """For a unit, with nothing seen yet; `rate` as for `Sample`."""
        field = forward.architecture.receptive_field(forward.circuit.layer)
        reach = -(-field.size // field.stride)
        return Collectors(
            Extremes(settings.examples, settings.per_photo, reach),
            Extremes(settings.examples, settings.per_photo, reach, sign=-1),
            Extremes(settings.cluster_examples, settings.cluster_per_photo, reach),
            Extremes(settings.downstream_photos, 1, reach),
            Sample(settings.sample, settings.seed, rate),
        )


@dataclass(frozen=True)
class PhotoPart:
    """One photo.

    Attributes:
        top, bottom, many, peak, drawn: what the collectors take of it.
        counts: pre-activations of the unit at all positions.
        makers: pre-activations of each strongest input's maker at all positions.
        below: activations of the input channels over all positions of the layer's input.
        contributions, sizes: contributions of the input channels and their absolute values over all positions.
        groups: (groups,) float64, highest value at any position of each group of input channels, `activations @ group`.
        terms: of each strongest input that is a sum, how its terms vary.
        map: the unit's pre-activation.
    """

    top: Positions
    bottom: Positions
    many: Positions
    peak: Positions
    drawn: Drawn
    counts: Counts
    makers: Moment
    below: Total
    contributions: Total
    sizes: Total
    groups: NDArray[np.float64]
    terms: tuple[Comoments, ...]
    map: PooledMap


def photo_part(forward: Forward, photo: Photo, collectors: Collectors, groups: NDArray[np.float64]) -> PhotoPart:
    """Send one photo through the network.

    Args:
        forward: the network up to the unit.
        photo: a readable one.
        collectors: which positions to take; nothing is added to them.
        groups: (inputs, groups) weights of input channels.
    """
    pixels = photo.pixels()
    given = forward.one(pixels, identity(pixels))
    unit = given.unit_map
    below = given.below.reshape(-1, given.below.shape[-1])
    return PhotoPart(
        top=collectors.top.of(unit),
        bottom=collectors.bottom.of(unit),
        many=collectors.many.of(unit),
        peak=collectors.peaks.of(unit),
        drawn=collectors.sample.of(unit),
        counts=Counts.of(unit.pre),
        makers=Moment.of(given.makers),
        below=Total.of(given.below),
        contributions=Total.of(unit.contributions),
        sizes=Total.of(np.abs(unit.contributions)),
        groups=(below @ groups.astype(np.float32)).max(axis=0).astype(np.float64),
        terms=given.terms,
        map=PooledMap.of(unit.pre, pixels.shape[0], pixels.shape[1]),
    )


def identity(pixels: NDArray[np.float32]) -> int:
    """A number from a photo's content, at least 0, so that what is drawn of it doesn't depend on other photos."""
    shape = "x".join(str(side) for side in pixels.shape)
    digest = hashlib.blake2b(shape.encode() + np.ascontiguousarray(pixels).tobytes(), digest_size=7).digest()
    return int.from_bytes(digest, "big")
