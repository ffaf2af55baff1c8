"""Positions of the unit in photos, each with its parts, and collectors that keep few of many.

A collector sees one photo after the other and holds a bounded number of positions, so that memory doesn't
grow with the photos. What it keeps doesn't depend on the order in which photos come.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

# Most positions of a pooled map along one side; a page shows no more.
MAP_SIDE = 96
_SAMPLE_MARGIN = 1.25


@dataclass(frozen=True)
class Positions:
    """Positions of one unit in photos.

    Attributes:
        photo: (n,) int, index of the photo, or before photos are put together its identity.
        row, column: (n,) int, position on the unit's map.
        pre: (n,) float32, the unit's pre-activation.
        contributions: (n, inputs) float32, what each input channel adds to `pre`; with the bias they sum to it.
        inside: (n, height, width) bool, the kernel's coefficients that read a position of the input's map; the
            others read the zeros that pad it.
        fields: (n, height, width, strongest) float32, activations of the strongest inputs that the kernel reads.
    """

    photo: NDArray[np.int64]
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    pre: NDArray[np.float32]
    contributions: NDArray[np.float32]
    inside: NDArray[np.bool_]
    fields: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.pre)

    def take(self, chosen: NDArray[np.integer]) -> Positions:
        """The positions at those indices, in that order."""
        return Positions(*(values[chosen] for values in vars(self).values()))

    def of_photo(self, index: int) -> Positions:
        """The same positions, as those of photo `index`."""
        return replace(self, photo=np.full(len(self), index, np.int64))

    @staticmethod
    def join(parts: Sequence[Positions]) -> Positions:
        """All positions of `parts`, of which there is at least one."""
        return Positions(
            *(np.concatenate(columns) for columns in zip(*(vars(part).values() for part in parts), strict=True))
        )


@dataclass(frozen=True)
class UnitMap:
    """The unit on one photo.

    Attributes:
        photo: identity of the photo, at least 0.
        pre: (down, across) float32, pre-activations.
        contributions: (down, across, inputs) float32.
        rows: (down, height) int, which rows of the input's map the kernel reads at each row of positions; those
            outside of it are zeros that pad it.
        columns: (across, width) int, the same for columns.
        below: (input's height, input's width, strongest) float32, activations of the strongest inputs.
    """

    photo: int
    pre: NDArray[np.float32]
    contributions: NDArray[np.float32]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    below: NDArray[np.float32]

    def at(self, flat: NDArray[np.integer]) -> Positions:
        """The positions at flat indices of `pre`."""
        row, column = np.divmod(np.asarray(flat, np.int64), self.pre.shape[1])
        down, across = self.rows[row], self.columns[column]
        height, width = self.below.shape[:2]
        inside = ((down >= 0) & (down < height))[:, :, None] & ((across >= 0) & (across < width))[:, None, :]
        read = self.below[down.clip(0, height - 1)[:, :, None], across.clip(0, width - 1)[:, None, :]]
        return Positions(
            photo=np.full(len(row), self.photo, np.int64),
            row=row,
            column=column,
            pre=self.pre[row, column],
            contributions=self.contributions[row, column],
            inside=inside,
            fields=read * inside[..., None],
        )


@dataclass(frozen=True)
class PooledMap:
    """The unit on a whole photo, small enough to be kept of every photo.

    Attributes:
        height, width: of the photo in pixels as read.
        pre: (down, across) float32, highest pre-activation in each square of `step` by `step` positions.
        step: positions of the unit along the side of one entry of `pre`.
    """

    height: int
    width: int
    pre: NDArray[np.float32]
    step: int

    @staticmethod
    def of(pre: NDArray[np.float32], height: int, width: int) -> PooledMap:
        """From the map of a photo of that size; no side of it has over `MAP_SIDE` entries."""
        step = -(-max(pre.shape) // MAP_SIDE)
        down, across = (-(-side // step) * step - side for side in pre.shape)
        padded = np.pad(pre, ((0, down), (0, across)), constant_values=-np.inf)
        squares = padded.reshape(padded.shape[0] // step, step, padded.shape[1] // step, step)
        return PooledMap(height, width, squares.max(axis=(1, 3)), step)


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
