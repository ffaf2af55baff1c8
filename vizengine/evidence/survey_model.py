"""What photos and drawn stimuli do to all units of a layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizengine.evidence.model import PhotoExtremes

# The highest of 19 by chance is a test at the level of 5 %.
SHUFFLES = 19
# Of each unit, as on the page of a single circuit. Five photos can't take more than fifteen places, so the best place
# of each of the six photos that drive a unit most is always among them.
EXAMPLES, PER_PHOTO = 24, 3


@dataclass(frozen=True)
class Survey:
    """What photos do to the units of one layer.

    Attributes:
        extremes: highest and lowest pre-activation of each channel over each photo's positions.
        count: positions in all.
        mean, deviation: (channels,) float64, of the pre-activation over all positions.
        firing: (channels,) float64, share of positions at which the pre-activation is above zero.
        activation: (channels,) float64, mean over all positions of the activation: the pre-activation where it is above
            zero, else zero.
        products: (channels, channels) float64, mean product of the activations of two channels at one position.
        pre: (channels, examples) float32, the highest pre-activations whose receptive fields don't overlap, at most
            `PER_PHOTO` of a photo and `EXAMPLES` in all, highest first; minus infinity where there are no more.
        photo, row, column: (channels, examples) int64, index of the photo and position on the layer's map.
        parts: (channels, examples, inputs) float32, what each input channel adds there; with the bias
            they sum to `pre`. For `input`, whose channels have no inputs, none.
    """

    extremes: PhotoExtremes
    count: int
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    firing: NDArray[np.float64]
    activation: NDArray[np.float64]
    products: NDArray[np.float64]
    pre: NDArray[np.float32]
    photo: NDArray[np.int64]
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    parts: NDArray[np.float32]

    def best_of_photos(self, channel: int, count: int) -> NDArray[np.int64]:
        """Indices of a channel's examples that are the highest of their photo, highest first; at most `count`."""
        known = np.flatnonzero(~np.isneginf(self.pre[channel]))
        _, first = np.unique(self.photo[channel, known], return_index=True)
        return known[np.sort(first)[:count]]

    @property
    def strength(self) -> NDArray[np.float64]:
        """(channels,) highest pre-activation in standard deviations above the mean; 0 where nothing varies."""
        highest = self.extremes.values.max(axis=0).astype(np.float64)
        spread = self.deviation > 0
        return np.asarray(np.divide(highest - self.mean, self.deviation, out=np.zeros_like(self.mean), where=spread))


@dataclass(frozen=True)
class Selectivity:
    """Indices of all units of a layer.

    Attributes:
        orientation, hue: (channels,) float64, 0 to 1 as `indices` defines them; not a number where no stimulus of the
            kind drives the unit.
        orientation_chance, hue_chance: (channels,) float64, the highest of `SHUFFLES` such indices, each from the
            unit's answers dealt out anew among stimuli that differ in angle alone; not a number likewise.
        gratings, colours: how many stimuli of each kind were drawn.
    """

    orientation: NDArray[np.float64]
    hue: NDArray[np.float64]
    orientation_chance: NDArray[np.float64]
    hue_chance: NDArray[np.float64]
    gratings: int
    colours: int


def join(first: Survey, second: Survey, offset: int = 0) -> Survey:
    """The survey of the photos of both.

    Means and deviations are merged as Chan, Golub and LeVeque (1979) do.

    Args:
        first: of earlier photos, which come first among equals.
        second: of later ones.
        offset: added to the indices of the second's photos.
    """
    total = first.count + second.count
    apart = second.mean - first.mean
    squares = (
        first.deviation**2 * first.count
        + second.deviation**2 * second.count
        + apart**2 * (first.count * second.count / total)
    )
    pre = np.concatenate([first.pre, second.pre], axis=1)
    order = np.argsort(-pre.astype(np.float64), axis=1, kind="stable")[:, :EXAMPLES]

    def mean(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
        return (one * first.count + other * second.count) / total

    def kept(one: NDArray[np.generic], other: NDArray[np.generic]) -> NDArray[np.generic]:
        both = np.concatenate([one, other], axis=1)
        chosen = order if both.ndim == 2 else order[:, :, None]
        return np.take_along_axis(both, chosen, axis=1)

    extremes = PhotoExtremes(
        first.extremes.names + second.extremes.names,
        np.concatenate([first.extremes.values, second.extremes.values]),
        np.concatenate([first.extremes.lowest, second.extremes.lowest]),
    )
    return Survey(
        extremes=extremes,
        count=total,
        mean=first.mean + apart * (second.count / total),
        deviation=np.sqrt(squares / total),
        firing=mean(first.firing, second.firing),
        activation=mean(first.activation, second.activation),
        products=mean(first.products, second.products),
        pre=np.asarray(kept(first.pre, second.pre), np.float32),
        photo=np.asarray(kept(first.photo, second.photo + offset), np.int64),
        row=np.asarray(kept(first.row, second.row), np.int64),
        column=np.asarray(kept(first.column, second.column), np.int64),
        parts=np.asarray(kept(first.parts, second.parts), np.float32),
    )
