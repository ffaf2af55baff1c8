"""One pass over the photos: each photo goes through the network once, and what it gave is cached by its content.

- *Top positions*: the highest pre-activations, at most some of one photo, whose receptive fields don't overlap; in each
  photo they are taken greedily from the highest on.
- *Shown and held out*: what an author looks at comes from the third of the photos that is shown; what is
  said of claims, from the two thirds that are held out. With under 8 held out, all serve for both, and no claim is
  judged.
- *Where the unit is strongest* in a photo: at its highest 0.5 % of positions; photos count alike.
- *Sample*: 8,192 positions drawn evenly from all photos, by the smallest of random keys (bottom-k sampling, Cohen and
  Kaplan, Summarizing data using bottom-k sketches, 2007). Quantiles and faithfulness rest on it.
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
from vizengine.measures.statistics import SHUFFLES, Comoments, Moment
from vizengine.measures.unit import Forward, Pass, PooledMap, Positions, UnitMap

BINS = 96
FEWEST_HELD_OUT = 8
"""Photos, held out, from which on claims are judged."""
STRONGEST_SHARE = 0.005
"""The share of a photo's positions at which the unit is strongest."""
_SAMPLE_MARGIN = 1.25
# Photos are put together in so many groups at most, which are left out one after the other for intervals.
_GROUPS = 64
# Positions of a photo at which the units with shuffled kernels are correlated with their strongest inputs.
_CORRELATED = 128


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
        patches: shown photos, those that drive the unit most, whose best patch is turned, scaled, tinted, inverted,
            blurred and shifted.
        judged_patches: held-out photos of which the same is done.
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
    judged_patches: int = 24
    downstream_photos: int = 32
    control_draws: int = 32
    random_orders: int = 8
    factors: int = 3


@dataclass(frozen=True)
class Extremes:
    """Takes the highest (or lowest) positions over photos whose receptive fields don't overlap.

    Attributes:
        count: positions taken in all.
        per_photo: most of them from one photo.
        reach: steps from one position to the nearest whose receptive field doesn't overlap its own.
        sign: 1 for the highest, -1 for the lowest.
    """

    count: int
    per_photo: int
    reach: int
    sign: int = 1

    def of(self, unit_map: UnitMap) -> Positions:
        """Those of one photo, taken greedily, most extreme first."""
        values = self.sign * unit_map.pre.astype(np.float64)
        chosen: list[int] = []
        while len(chosen) < min(self.per_photo, self.count):
            flat = int(values.argmax())
            row, column = divmod(flat, values.shape[1])
            if values[row, column] == -np.inf:
                break
            chosen.append(flat)
            rows = slice(max(row - self.reach + 1, 0), row + self.reach)
            values[rows, max(column - self.reach + 1, 0) : column + self.reach] = -np.inf
        return unit_map.at(np.array(chosen))

    def of_both(self, first: Positions, second: Positions) -> Positions:
        """Those of two sets of photos, most extreme first; ties go to the earlier photo and position."""
        both = Positions.join([first, second])
        order = np.lexsort((both.column, both.row, both.photo, -self.sign * both.pre.astype(np.float64)))
        return both.take(order[: self.count])


@dataclass(frozen=True)
class Drawn:
    """Positions that may come into the sample.

    Attributes:
        keys: (n,) float64, random, ascending, below the sample's rate.
        positions: the positions with those keys.
    """

    keys: NDArray[np.float64]
    positions: Positions


@dataclass(frozen=True)
class Sample:
    """Draws positions evenly from all positions of all photos, without replacement.

    Each position gets a random key from the seed and its photo's identity, and those with the smallest keys are drawn.

    Attributes:
        capacity: positions drawn; all, where there are fewer.
        seed: of the keys.
        rate: share of each photo's positions that are looked at, those with keys below it, 0 to 1. Where it is so
            low that fewer than `capacity` come together, these are the sample, as evenly drawn.
    """

    capacity: int
    seed: int
    rate: float = 1.0

    def of(self, unit_map: UnitMap) -> Drawn:
        """Those of one photo."""
        keys = np.random.default_rng([self.seed, unit_map.photo]).random(unit_map.pre.size)
        candidates = np.flatnonzero(keys < self.rate)
        candidates = candidates[np.argsort(keys[candidates], kind="stable")][: self.capacity]
        return Drawn(keys[candidates], unit_map.at(candidates))

    def of_both(self, first: Drawn, second: Drawn) -> Drawn:
        """Those of two sets of photos."""
        keys = np.concatenate([first.keys, second.keys])
        order = np.argsort(keys, kind="stable")[: self.capacity]
        return Drawn(keys[order], Positions.join([first.positions, second.positions]).take(order))


def sampling_rate(capacity: int, positions: float) -> float:
    """A share of about so many positions that gives a sample of `capacity` almost surely, and not many more.

    It is a power of two, so that it stays the same while photos are added and few are kept in vain.
    """
    spare = positions / (_SAMPLE_MARGIN * max(capacity, 1))
    return 1.0 if spare <= 1 else 2.0 ** -math.floor(math.log2(spare))


@dataclass(frozen=True)
class Distribution:
    """Pre-activations at all positions of all photos.

    Attributes:
        edges: (bins + 1,) float64, ascending and evenly spaced; zero is an edge or outside.
        counts: (bins,) int64, positions in each bin, its lower edge included.
        count: positions in all.
        deviation: that of the population.
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
    """Values counted in at most `BINS` bins, whose width is a power of two and whose edges are its multiples.

    Attributes:
        exponent: of the width.
        indices: (bins,) int64, ascending; bin i holds values from i widths on.
        counts: (bins,) int64, none of them 0.
        positive: values above zero.
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
    def of(values: NDArray[np.floating]) -> Counts:
        """Count values of any shape, at least one."""
        minimum, maximum = float(values.min()), float(values.max())
        exponent = _exponent(minimum, maximum)
        bins = np.floor(values.astype(np.float64) / 2.0**exponent).astype(np.int64)
        indices, counts = np.unique(bins, return_counts=True)
        positive = int(np.count_nonzero(values > 0))
        return Counts(exponent, indices, counts.astype(np.int64), positive, minimum, maximum, Moment.of([values]))

    def __add__(self, other: Counts) -> Counts:
        """Both together; neighbouring bins merge without loss where they must be wider."""
        minimum, maximum = min(self.minimum, other.minimum), max(self.maximum, other.maximum)
        exponent = max(self.exponent, other.exponent, _exponent(minimum, maximum))
        bins = np.concatenate([part.indices >> (exponent - part.exponent) for part in (self, other)])
        indices, places = np.unique(bins, return_inverse=True)
        counts = np.zeros(len(indices), np.int64)
        np.add.at(counts, places, np.concatenate([self.counts, other.counts]))
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


def _exponent(minimum: float, maximum: float) -> int:
    """The smallest at which a range fits the bins."""
    span = max(maximum - minimum, abs(maximum) * 2.0**-20, 2.0**-40)
    exponent = math.ceil(math.log2(span / BINS))
    while math.floor(maximum / 2.0**exponent) - math.floor(minimum / 2.0**exponent) >= BINS:
        exponent += 1
    return exponent


@dataclass(frozen=True)
class Total:
    """A sum of `count` vectors, (width,) float64."""

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
class Strongest:
    """Sums over photos of what the inputs give where the unit, and the same with its kernel shuffled, is strongest.

    Attributes:
        photos: (groups,) how many photos.
        contributions: (groups, inputs) float64, each photo's mean contributions where the unit is strongest.
        inside: (groups, height, width) float64, each photo's share of these positions at which a coefficient reads
            the map and not the zeros that pad it.
        shuffled: (groups, shuffles, inputs) float64, contributions to the units with shuffled kernels, each where it
            is itself strongest.
        sums: (groups, 6, shuffles, inputs) float64, of these units at `_CORRELATED` positions of a photo: their number,
            Σx, Σx², Σy, Σy² and Σxy, where x is the unit and y what its first inputs by norm give: one, two, ...
    """

    photos: NDArray[np.float64]
    contributions: NDArray[np.float64]
    inside: NDArray[np.float64]
    shuffled: NDArray[np.float64]
    sums: NDArray[np.float64]

    @staticmethod
    def of(forward: Forward, measured: Pass, kernels: NDArray[np.float32], seed: int) -> Strongest:
        """Of one photo.

        Args:
            forward: the network up to the unit.
            measured: the photo.
            kernels: (shuffles, height, width, inputs).
            seed: of the positions that are correlated.
        """
        unit, below = measured.unit_map, measured.below
        places = strongest_places(unit.pre)
        maps = forward.maps(below, kernels)
        inside = unit.read(below[..., :1], np.arange(unit.pre.size))[1].all(axis=(1, 2))
        drawn = np.random.default_rng([seed, unit.photo]).permutation(np.flatnonzero(inside))[:_CORRELATED]
        fields = unit.read(below, drawn)[0].astype(np.float64)
        parts = np.einsum("nhwc,khwc->nkc", fields, kernels, optimize=True)
        # A shuffled kernel of 1×1 has an order by norm of its own.
        order = np.argsort(-np.linalg.norm(kernels.astype(np.float64), axis=(1, 2)), axis=-1, kind="stable")
        parts = np.take_along_axis(parts, order[None], axis=-1)
        x, y = parts.sum(axis=-1, keepdims=True), np.cumsum(parts, axis=-1)
        sums = [
            np.full(y.shape[1:], float(len(drawn))),
            *(np.broadcast_to(values.sum(axis=0), y.shape[1:]) for values in (x, x**2, y, y**2, x * y)),
        ]
        shuffled = [
            np.einsum("nhwc,hwc->c", unit.read(below, strongest_places(pre))[0], kernel, dtype=np.float64) / len(places)
            for pre, kernel in zip(maps, kernels, strict=True)
        ]
        contributions = unit.contributions.reshape(unit.pre.size, -1)[places]
        return Strongest(
            photos=np.ones(1),
            contributions=contributions.mean(axis=0, dtype=np.float64)[None],
            inside=unit.read(below[..., :1], places)[1].mean(axis=0, dtype=np.float64)[None],
            shuffled=np.stack(shuffled)[None],
            sums=np.stack(sums)[None],
        )

    def __add__(self, other: Strongest) -> Strongest:
        """Of both photos, or groups of photos, together."""
        return Strongest(
            *(ours + theirs for ours, theirs in zip(vars(self).values(), vars(other).values(), strict=True))
        )

    @staticmethod
    def joined(groups: Sequence[Strongest]) -> Strongest:
        """Groups beside each other."""
        columns = zip(*(vars(group).values() for group in groups), strict=True)
        return Strongest(*(np.concatenate(column) for column in columns))


def highest(values: NDArray[np.floating], count: int) -> NDArray[np.int64]:
    """Flat indices of the highest values, highest first; ties go to the earlier, and what isn't a number comes last."""
    flat = -values.ravel()
    if 0 < count < len(flat):
        # Whatever isn't a number stays among those that are put in order.
        candidates = np.flatnonzero(~(flat > np.partition(flat, count - 1)[count - 1]))
        return candidates[np.argsort(flat[candidates], kind="stable")[:count]]
    return np.argsort(flat, kind="stable")[:count]


def strongest_places(pre: NDArray[np.floating]) -> NDArray[np.int64]:
    """Flat indices of the positions at which a unit is strongest in a photo, of its map there; highest first."""
    return highest(pre, max(1, math.ceil(STRONGEST_SHARE * pre.size)))


def shuffled_kernels(kernel: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """A unit's kernel with the coefficients of each slice shuffled, or where a slice has but one, of all slices.

    Args:
        kernel: (height, width, inputs).
        seed: of the shuffles.

    Returns:
        (`SHUFFLES`, height, width, inputs). Slices of several coefficients keep their norm and sum.
    """
    generator = np.random.default_rng([seed, 3])
    flat = kernel.reshape(-1, kernel.shape[-1])
    axis = 0 if len(flat) > 1 else 1
    return np.stack([generator.permuted(flat, axis=axis).reshape(kernel.shape) for _ in range(SHUFFLES)])


@dataclass(frozen=True)
class Split:
    """Which photos are shown and which held out.

    Attributes:
        shown, held_out: (photos,) bool; all of both where there are too few to judge claims.
        judges: whether there are enough.
    """

    shown: NDArray[np.bool_]
    held_out: NDArray[np.bool_]
    judges: bool

    @staticmethod
    def of(photos: Sequence[Photo]) -> Split:
        """By each photo's content."""
        held_out = np.array([photo.held_out for photo in photos])
        judges = int(held_out.sum()) >= FEWEST_HELD_OUT and not held_out.all()
        every = np.ones(len(photos), bool)
        return Split(~held_out, held_out, True) if judges else Split(every, every, False)

    def part(self, photos: slice) -> Split:
        """The same of some of the photos."""
        return replace(self, shown=self.shown[photos], held_out=self.held_out[photos])

    @property
    def groups(self) -> NDArray[np.int64]:
        """(photos,) the group of each held-out photo, of `_GROUPS` at most; -1 for the others."""
        return np.where(self.held_out, (np.cumsum(self.held_out) - 1) % _GROUPS, -1)


@dataclass(frozen=True)
class Selectors:
    """What takes few of many positions.

    Attributes:
        top, bottom: the most extreme to show.
        many: more of the highest, for clusters.
        peaks: the highest of each of the photos that drive the unit most.
        sample: drawn evenly.
        kernels: (shuffles, height, width, inputs), the unit's kernel shuffled.
    """

    top: Extremes
    bottom: Extremes
    many: Extremes
    peaks: Extremes
    sample: Sample
    kernels: NDArray[np.float32]


@dataclass(frozen=True)
class PhotoPart:
    """What one photo gave, or what some photos gave together.

    Attributes:
        top, bottom, many, peak, drawn: the positions that the selectors take.
        whole: the photo's highest position whose canvas lies wholly inside it, if there is one; of some photos, the
            last one's, as are the next and the last.
        strongest: the inputs where the unit is strongest.
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
    whole: Positions
    strongest: Strongest
    counts: Counts
    makers: Moment
    below: Total
    contributions: Total
    sizes: Total
    groups: NDArray[np.float64]
    terms: tuple[Comoments, ...]
    map: PooledMap

    def of_photo(self, index: int) -> PhotoPart:
        """The same, its positions being those of photo `index`."""
        return replace(
            self,
            top=self.top.of_photo(index),
            bottom=self.bottom.of_photo(index),
            many=self.many.of_photo(index),
            peak=self.peak.of_photo(index),
            whole=self.whole.of_photo(index),
            drawn=replace(self.drawn, positions=self.drawn.positions.of_photo(index)),
        )

    def unseen(self) -> PhotoPart:
        """The same without the positions that are shown."""
        none = np.zeros(0, np.int64)
        return replace(self, top=self.top.take(none), bottom=self.bottom.take(none), many=self.many.take(none))

    def joined(self, later: PhotoPart, selectors: Selectors) -> PhotoPart:
        """What these photos and later ones give together."""
        return PhotoPart(
            top=selectors.top.of_both(self.top, later.top),
            bottom=selectors.bottom.of_both(self.bottom, later.bottom),
            many=selectors.many.of_both(self.many, later.many),
            peak=selectors.peaks.of_both(self.peak, later.peak),
            drawn=selectors.sample.of_both(self.drawn, later.drawn),
            whole=later.whole,
            strongest=later.strongest,
            counts=self.counts + later.counts,
            makers=self.makers + later.makers,
            below=self.below + later.below,
            contributions=self.contributions + later.contributions,
            sizes=self.sizes + later.sizes,
            groups=np.maximum(self.groups, later.groups),
            terms=tuple(terms + others for terms, others in zip(self.terms, later.terms, strict=True)),
            map=later.map,
        )


def photo_part(forward: Forward, photo: Photo, selectors: Selectors, groups: NDArray[np.float64]) -> PhotoPart:
    """Send one photo through the network; `groups` are (inputs, groups) weights of input channels."""
    pixels = photo.pixels()
    measured = forward.one(pixels, identity(pixels))
    unit = measured.unit_map
    below = measured.below.reshape(-1, measured.below.shape[-1])
    inside = np.where(forward.holds_canvas(*pixels.shape[:2]), unit.pre, -np.inf)
    return PhotoPart(
        top=selectors.top.of(unit),
        bottom=selectors.bottom.of(unit),
        many=selectors.many.of(unit),
        peak=selectors.peaks.of(unit),
        drawn=selectors.sample.of(unit),
        whole=unit.at(highest(inside, int(np.isfinite(inside).any()))),
        strongest=Strongest.of(forward, measured, selectors.kernels, selectors.sample.seed),
        counts=Counts.of(unit.pre),
        makers=Moment.of(measured.makers),
        below=Total.of(below),
        contributions=Total.of(unit.contributions),
        sizes=Total.of(np.abs(unit.contributions)),
        groups=(below @ groups.astype(np.float32)).max(axis=0).astype(np.float64),
        terms=measured.terms,
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
        split: which photos are shown and which held out.
        top, bottom, many: what the selectors take of the shown photos, most extreme first.
        peaks, sample: what they take of all photos.
        strongest: the inputs where the unit is strongest, over the held-out photos in at most `_GROUPS` groups.
        shown_patches, judged_patches: a position of each of some shown and held-out photos, the highest of those
            whose canvas lies wholly inside the photo, highest first.
        distribution: of the unit's pre-activation over all positions.
        maker_mean, maker_deviation: (strongest,) of the pre-activation of each strongest input's maker over all
            of its own positions.
        activation_mean: (inputs,) mean of each input channel's activation over all positions of the layer's input.
        contribution_mean, contribution_size: (inputs,) mean of the contribution and of its absolute value over all
            positions of the unit.
        group_best: highest value of each group of input channels at any position, and the index of the photo.
        terms: of each strongest input that is a sum, how its terms vary over all positions.
        maps: the unit on each whole photo in `top`, by photo index.
    """

    split: Split
    top: Positions
    bottom: Positions
    many: Positions
    peaks: Positions
    sample: Positions
    strongest: Strongest
    shown_patches: Positions
    judged_patches: Positions
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
    field = forward.architecture.receptive_field(forward.circuit.layer)
    reach = -(-field.size // field.stride)
    rate = sampling_rate(settings.sample, sum(photo.area() for photo in photos) / field.stride**2)
    selectors = Selectors(
        top=Extremes(settings.examples, settings.per_photo, reach),
        bottom=Extremes(settings.examples, settings.per_photo, reach, sign=-1),
        many=Extremes(settings.cluster_examples, settings.cluster_per_photo, reach),
        peaks=Extremes(settings.downstream_photos, 1, reach),
        sample=Sample(settings.sample, settings.seed, rate),
        kernels=shuffled_kernels(forward.kernel, settings.seed),
    )
    patches = Extremes(settings.patches, 1, reach), Extremes(settings.judged_patches, 1, reach)
    split = Split.of(photos)
    group_of = split.groups
    joined: PhotoPart | None = None
    strongest: list[Strongest] = []
    places: list[list[Positions]] = [[], []]
    maps: dict[int, PooledMap] = {}
    group_values = []
    for index, photo in enumerate(photos):
        part = remember(photo, rate, partial(photo_part, forward, photo, selectors, weights)).of_photo(index)
        if split.held_out[index] and group_of[index] == len(strongest):
            strongest.append(part.strongest)
        elif split.held_out[index]:
            strongest[group_of[index]] += part.strongest
        for kept, selector, wanted in zip(places, patches, (split.shown, split.held_out), strict=True):
            if wanted[index]:
                kept[:] = [selector.of_both(kept[0], part.whole) if kept else part.whole]
        part = part if split.shown[index] else part.unseen()
        joined = part if joined is None else joined.joined(part, selectors)
        group_values.append(part.groups)
        maps[index] = part.map
        maps = {place: maps[place] for place in np.unique(joined.top.photo).tolist()}
        advance(1)
    assert joined is not None
    return Streamed(
        split=split,
        top=joined.top,
        bottom=joined.bottom,
        many=joined.many,
        peaks=joined.peak,
        sample=joined.drawn.positions,
        strongest=Strongest.joined(strongest),
        shown_patches=places[0][0],
        judged_patches=places[1][0],
        distribution=joined.counts.distribution(),
        maker_mean=joined.makers.mean,
        maker_deviation=joined.makers.deviation,
        activation_mean=joined.below.mean,
        contribution_mean=joined.contributions.mean,
        contribution_size=joined.sizes.mean,
        group_best=tuple(zip(joined.groups.tolist(), np.argmax(group_values, axis=0).tolist(), strict=True)),
        terms=joined.terms,
        maps=maps,
    )


PHOTO = Stage("photo", PhotoPart, 2, (photo_part, stream))
