"""One pass over the photos: each photo goes through the network once, and what it gave is cached by its content.

- *Top positions*: the highest pre-activations, at most some of one photo, whose receptive fields don't overlap; in each
  photo they are taken greedily from the highest on.
- *Sample*: 8,192 positions drawn evenly from all photos, by the smallest of random keys (bottom-k sampling, Cohen and
  Kaplan 2007). Quantiles and faithfulness rest on it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from vizengine.cache import Stage
from vizengine.measures.photos import Photo
from vizengine.measures.statistics import Moment
from vizengine.measures.terms import Comoments
from vizengine.measures.unit import Forward, PooledMap, Positions, UnitMap


@dataclass(frozen=True)
class EvidenceSettings:
    """Bounds of the measurements; the defaults take seconds on two cores.

    Attributes:
        seed: from which all draws derive, at least 0.
        examples: top (and bottom) positions to show and to ablate on.
        per_photo: most of them from one photo.
        quantiles: of the pre-activation, for which examples are shown, each between 0 and 1.
        quantile_examples: examples for each quantile.
        sample: positions drawn from all, for quantiles and faithfulness.
        cluster_examples: top positions that are clustered.
        cluster_per_photo: most of them from one photo.
        patches: top patches that are turned, scaled, tinted, inverted, blurred and shifted.
        downstream_photos: photos, those that drive the unit most, on which it's zeroed for the classifier.
        control_draws: random draws of the ablation's control.
        random_orders: random orders of inputs, the control of faithfulness.
        factors: most factors of the weights.
    """

    seed: int = 0
    examples: int = 24
    per_photo: int = 3
    quantiles: tuple[float, ...] = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
    quantile_examples: int = 6
    sample: int = 8192
    cluster_examples: int = 96
    cluster_per_photo: int = 12
    patches: int = 8
    downstream_photos: int = 32
    control_draws: int = 32
    random_orders: int = 8
    factors: int = 3


_SAMPLE_MARGIN = 1.25


class Extremes:
    """The highest (or lowest) positions over photos, at most some per photo, whose fields don't overlap.

    In each photo positions are taken greedily from the highest on; one whose receptive field overlaps that of a
    position already taken is passed over.

    Args:
        count: positions kept in all.
        per_photo: positions kept per photo.
        reach: steps from one position to the nearest whose receptive field doesn't overlap its own.
        sign: 1 for the highest, -1 for the lowest.
    """

    def __init__(self, count: int, per_photo: int, reach: int, sign: int = 1) -> None:
        self._count = count
        self._per_photo = per_photo
        self._reach = reach
        self._sign = sign
        self._kept: Positions | None = None

    @property
    def kept(self) -> Positions:
        """The positions, most extreme first; ties go to the earlier photo and position.

        Raises:
            ValueError: no photo was seen.
        """
        if self._kept is None:
            raise ValueError("no photo was seen; expected at least one")
        return self._kept

    def of(self, unit_map: UnitMap) -> Positions:
        """What one photo alone gives, most extreme first."""
        values = self._sign * unit_map.pre.astype(np.float64)
        chosen: list[int] = []
        while len(chosen) < self._per_photo:
            flat = int(values.argmax())
            row, column = divmod(flat, values.shape[1])
            if values[row, column] == -np.inf:
                break
            chosen.append(flat)
            rows = slice(max(row - self._reach + 1, 0), row + self._reach)
            values[rows, max(column - self._reach + 1, 0) : column + self._reach] = -np.inf
        return unit_map.at(np.array(chosen))

    def add(self, found: Positions) -> None:
        """Take into account what `of` gave of one photo."""
        both = found if self._kept is None else Positions.join([self._kept, found])
        order = np.lexsort((both.column, both.row, both.photo, -self._sign * both.pre.astype(np.float64)))
        self._kept = both.take(order[: self._count])


@dataclass(frozen=True)
class Drawn:
    """Positions of one photo that may come into the sample.

    Attributes:
        keys: (n,) float64, random, ascending, below the sample's rate.
        positions: the positions with those keys.
    """

    keys: NDArray[np.float64]
    positions: Positions


class Sample:
    """Positions drawn evenly from all positions of all photos, without replacement.

    Each position gets a random key from the seed and its photo's identity; the positions with the smallest keys are
    kept (bottom-k sampling, Cohen and Kaplan, Summarizing data using bottom-k sketches, 2007).

    Args:
        capacity: positions kept; all, where there are fewer.
        seed: of the keys.
        rate: share of each photo's positions that are looked at, those with keys below it, 0 to 1. Where it is so
            low that fewer than `capacity` come together, these are the sample, as evenly drawn.
    """

    def __init__(self, capacity: int, seed: int, rate: float = 1.0) -> None:
        self._capacity = capacity
        self._seed = seed
        self._rate = rate
        self._kept: Positions | None = None
        self._keys = np.zeros(0)

    @property
    def kept(self) -> Positions:
        """The positions, in order of their keys.

        Raises:
            ValueError: no photo was seen.
        """
        if self._kept is None:
            raise ValueError("no photo was seen; expected at least one")
        return self._kept

    def of(self, unit_map: UnitMap) -> Drawn:
        """What one photo alone gives."""
        keys = np.random.default_rng([self._seed, unit_map.photo]).random(unit_map.pre.size)
        candidates = np.flatnonzero(keys < self._rate)
        candidates = candidates[np.argsort(keys[candidates], kind="stable")][: self._capacity]
        return Drawn(keys[candidates], unit_map.at(candidates))

    def add(self, drawn: Drawn) -> None:
        """Take into account what `of` gave of one photo."""
        both = drawn.positions if self._kept is None else Positions.join([self._kept, drawn.positions])
        keys = np.concatenate([self._keys, drawn.keys])
        order = np.argsort(keys, kind="stable")[: self._capacity]
        self._kept, self._keys = both.take(order), keys[order]


def sampling_rate(capacity: int, positions: float) -> float:
    """A share of all positions that gives a sample of `capacity` almost surely, and not many more.

    It is a power of two, so that it stays the same while photos are added and few are kept in vain.

    Args:
        capacity: positions wanted.
        positions: about how many there are.
    """
    spare = positions / (_SAMPLE_MARGIN * max(capacity, 1))
    return 1.0 if spare <= 1 else 2.0 ** -math.floor(math.log2(spare))


BINS = 96


@dataclass(frozen=True)
class Distribution:
    """All positions of all photos.

    Attributes:
        edges: (bins + 1,) float64, ascending and evenly spaced; zero is an edge or outside.
        counts: (bins,) int64, positions in each bin, its lower edge included.
        count: positions in all.
        mean, deviation: of the pre-activation; the deviation is that of the population.
        minimum, maximum: of the pre-activation.
        positive_share: share of positions above zero, where the unit fires, 0 to 1.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    count: int
    mean: float
    deviation: float
    minimum: float
    maximum: float
    positive_share: float


@dataclass(frozen=True)
class Counts:
    """Values counted in bins whose width is a power of two and whose edges are its multiples.

    Attributes:
        exponent: of the width.
        indices: (bins,) int64, ascending; bin i holds values from i widths on.
        counts: (bins,) int64, none of them 0.
        positive: values above zero.
        minimum, maximum: of the values.
        moment: of the values, of width 1.
    """

    exponent: int
    indices: NDArray[np.int64]
    counts: NDArray[np.int64]
    positive: int
    minimum: float
    maximum: float
    moment: Moment

    @staticmethod
    def of(values: NDArray[np.floating], bins: int = BINS) -> Counts:
        """Count values of any shape, at least one."""
        minimum, maximum = float(values.min()), float(values.max())
        exponent = _fitting(minimum, maximum, bins)
        wide = np.floor(values.astype(np.float64) / 2.0**exponent).astype(np.int64)
        indices, counts = np.unique(wide, return_counts=True)
        positive = int(np.count_nonzero(values > 0))
        return Counts(exponent, indices, counts.astype(np.int64), positive, minimum, maximum, Moment.of([values]))

    def coarser(self, exponent: int) -> Counts:
        """The same in bins of a larger width; neighbouring bins merge without loss."""
        indices, places = np.unique(self.indices >> (exponent - self.exponent), return_inverse=True)
        counts = np.zeros(len(indices), np.int64)
        np.add.at(counts, places, self.counts)
        return replace(self, exponent=exponent, indices=indices, counts=counts)

    def together(self, other: Counts, bins: int = BINS) -> Counts:
        """Both, in as many bins at most."""
        minimum, maximum = min(self.minimum, other.minimum), max(self.maximum, other.maximum)
        exponent = max(self.exponent, other.exponent, _fitting(minimum, maximum, bins))
        one, two = self.coarser(exponent), other.coarser(exponent)
        indices, places = np.unique(np.concatenate([one.indices, two.indices]), return_inverse=True)
        counts = np.zeros(len(indices), np.int64)
        np.add.at(counts, places, np.concatenate([one.counts, two.counts]))
        positive = self.positive + other.positive
        return Counts(exponent, indices, counts, positive, minimum, maximum, self.moment + other.moment)

    def distribution(self) -> Distribution:
        """All bins between the first and the last, empty ones too."""
        first, last = int(self.indices[0]), int(self.indices[-1])
        counts = np.zeros(last - first + 1, np.int64)
        counts[self.indices - first] = self.counts
        total = int(counts.sum())
        return Distribution(
            edges=np.asarray(np.arange(first, last + 2) * 2.0**self.exponent, np.float64),
            counts=counts,
            count=total,
            mean=float(self.moment.mean[0]),
            deviation=float(self.moment.deviation[0]),
            minimum=self.minimum,
            maximum=self.maximum,
            positive_share=self.positive / total,
        )


def _fitting(minimum: float, maximum: float, bins: int) -> int:
    """The smallest exponent at which a range fits the bins."""
    span = max(maximum - minimum, abs(maximum) * 2.0**-20, 2.0**-40)
    exponent = math.ceil(math.log2(span / bins))
    while math.floor(maximum / 2.0**exponent) - math.floor(minimum / 2.0**exponent) >= bins:
        exponent += 1
    return exponent


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


# From a photo, the sampling rate and what computes it to the photo's part.
Remember = Callable[[Photo, float, Callable[[], PhotoPart]], PhotoPart]


@dataclass(frozen=True)
class Streamed:
    """What the photos gave.

    Attributes:
        top, bottom: the most extreme positions to show, most extreme first.
        many: more of the highest positions, for clusters.
        peaks: the highest position of each of the photos that drive the unit most, highest first.
        sample: positions drawn evenly from all.
        distribution: of the unit's pre-activation over all positions.
        maker_mean, maker_deviation: (strongest,) of the pre-activation of each strongest input's maker over all
            of its own positions.
        activation_mean: (inputs,) mean of each input channel's activation over all positions of the layer's input.
        contribution_mean: (inputs,) mean contribution over all positions of the unit.
        contribution_size: (inputs,) mean absolute contribution over all positions of the unit.
        group_best: highest value of each group of input channels at any position, and the index of the photo.
        terms: of each strongest input that is a sum, how its terms vary over all positions.
        maps: the unit on each whole photo in `top`, by photo index.
    """

    top: Positions
    bottom: Positions
    many: Positions
    peaks: Positions
    sample: Positions
    distribution: Distribution
    maker_mean: NDArray[np.float64]
    maker_deviation: NDArray[np.float64]
    activation_mean: NDArray[np.float64]
    contribution_mean: NDArray[np.float64]
    contribution_size: NDArray[np.float64]
    group_best: tuple[tuple[float, int], ...]
    terms: tuple[Comoments, ...]
    maps: dict[int, PooledMap]


def stream(
    forward: Forward,
    photos: Sequence[Photo],
    settings: EvidenceSettings,
    groups: NDArray[np.float64] | None = None,
    advance: Callable[[int], None] = lambda count: None,
    remember: Remember = lambda photo, rate, compute: compute(),
) -> Streamed:
    """Send each photo through the network once.

    Args:
        forward: the network up to the unit.
        photos: readable ones, at least one.
        settings: how much to keep.
        groups: (inputs, groups) weights of input channels, whose highest value on photos is looked for, if any.
        advance: called with 1 after each photo.
        remember: gives a photo's part from an earlier run at the same sampling rate, or calls what computes it.

    Raises:
        ValueError: there are no photos.
    """
    if not photos:
        raise ValueError("no photos; expected at least one")
    weights = np.zeros((len(forward.circuit.inputs), 0)) if groups is None else groups
    stride = forward.architecture.receptive_field(forward.circuit.layer).stride
    rate = sampling_rate(settings.sample, sum(photo.area() for photo in photos) / stride**2)
    collectors = Collectors.empty(forward, settings, rate)
    sums: _Sums | None = None
    maps: dict[int, PooledMap] = {}
    best: list[tuple[float, int]] = [(-math.inf, 0)] * weights.shape[1]
    for index, photo in enumerate(photos):
        part = remember(photo, rate, partial(photo_part, forward, photo, collectors, weights))
        _collect(collectors, part, index)
        sums = _Sums.of(part) if sums is None else sums + _Sums.of(part)
        best = [max(one, (value, -index)) for one, value in zip(best, part.groups.tolist(), strict=True)]
        maps[index] = part.map
        needed = set(collectors.top.kept.photo.tolist())
        maps = {key: value for key, value in maps.items() if key in needed}
        advance(1)
    assert sums is not None
    return Streamed(
        top=collectors.top.kept,
        bottom=collectors.bottom.kept,
        many=collectors.many.kept,
        peaks=collectors.peaks.kept,
        sample=collectors.sample.kept,
        distribution=sums.counts.distribution(),
        maker_mean=sums.makers.mean,
        maker_deviation=sums.makers.deviation,
        activation_mean=sums.below.mean,
        contribution_mean=sums.contributions.mean,
        contribution_size=sums.sizes.mean,
        group_best=tuple((value, -index) for value, index in best),
        terms=sums.terms,
        maps=maps,
    )


@dataclass(frozen=True)
class _Sums:
    """What is added up over photos."""

    counts: Counts
    makers: Moment
    below: Total
    contributions: Total
    sizes: Total
    terms: tuple[Comoments, ...]

    @staticmethod
    def of(part: PhotoPart) -> _Sums:
        return _Sums(part.counts, part.makers, part.below, part.contributions, part.sizes, part.terms)

    def __add__(self, other: _Sums) -> _Sums:
        return _Sums(
            self.counts.together(other.counts),
            self.makers + other.makers,
            self.below + other.below,
            self.contributions + other.contributions,
            self.sizes + other.sizes,
            tuple(one + two for one, two in zip(self.terms, other.terms, strict=True)),
        )


def _collect(collectors: Collectors, part: PhotoPart, index: int) -> None:
    collectors.top.add(part.top.of_photo(index))
    collectors.bottom.add(part.bottom.of_photo(index))
    collectors.many.add(part.many.of_photo(index))
    collectors.peaks.add(part.peak.of_photo(index))
    collectors.sample.add(replace(part.drawn, positions=part.drawn.positions.of_photo(index)))


PHOTO = Stage("photo", PhotoPart, 1, (photo_part, stream))
