"""What photos and drawn stimuli do to all units of a layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from vizengine.cache import Stage
from vizengine.measures.extremes import Bounds, PhotoExtremes
from vizengine.measures.photos import Photo
from vizengine.measures.stream import EvidenceSettings, Split, strongest_places
from vizengine.network.architecture import Architecture
from vizengine.network.layers import INPUT
from vizengine.network.model import Network
from vizengine.network.probes import PreActivation
from vizengine.runtime import tensorflow as tf

# Of each unit, as on the page of a single circuit.
EXAMPLES, PER_PHOTO = EvidenceSettings.examples, EvidenceSettings.per_photo


@dataclass(frozen=True)
class Survey:
    """What photos do to the units of one layer.

    Attributes:
        extremes: highest and lowest pre-activation of each channel, and the photos that gave them.
        count: positions in all.
        mean, deviation: (channels,) float64, of the pre-activation over all positions.
        firing: (channels,) float64, share of positions at which the pre-activation is above zero.
        activation: (channels,) float64, mean over all positions of the activation: the pre-activation where it is above
            zero, else zero.
        products: (channels, channels) float64, mean product of the activations of two channels at one position.
        shown, held_out: how many photos are shown and held out.
        strongest: (channels, inputs) float64, sum over the held-out photos of each one's mean contributions where the
            unit is strongest. For `input`, whose channels have no inputs, none.
        pre: (channels, examples) float32, the highest pre-activations in the shown photos whose receptive fields don't
            overlap, at most `PER_PHOTO` of a photo and `EXAMPLES` in all, highest first; minus infinity where there
            are no more.
        photo, row, column: (channels, examples) int64, index of the photo and position on the layer's map.
        parts: (channels, examples, inputs) float32, what each input channel adds there; with the bias
            they sum to `pre`. For `input` none.
    """

    extremes: PhotoExtremes
    count: int
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    firing: NDArray[np.float64]
    activation: NDArray[np.float64]
    products: NDArray[np.float64]
    shown: int
    held_out: int
    strongest: NDArray[np.float64]
    pre: NDArray[np.float32]
    photo: NDArray[np.int64]
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    parts: NDArray[np.float32]

    def examples(self, channel: int) -> NDArray[np.int64]:
        """Indices of a channel's examples, highest first."""
        return np.flatnonzero(np.isfinite(self.pre[channel]))

    def contributions(self, channel: int) -> NDArray[np.float64]:
        """(inputs,) mean contributions where a channel is strongest in the held-out photos, photos alike."""
        return np.asarray(self.strongest[channel] / max(self.held_out, 1))

    @property
    def strength(self) -> NDArray[np.float64]:
        """(channels,) highest pre-activation in standard deviations above the mean; 0 where nothing varies."""
        highest = self.extremes.highest.astype(np.float64)
        spread = self.deviation > 0
        return np.asarray(np.divide(highest - self.mean, self.deviation, out=np.zeros_like(self.mean), where=spread))


@dataclass(frozen=True)
class Selectivity:
    """Indices of all units of a layer.

    Attributes:
        orientation, hue: (channels,) float64, 0 to 1 as `vizengine.measures.tuning` defines them, orientation as the
            larger of both that it has; not a number where no stimulus of the kind drives the unit.
        orientation_chance, hue_chance: (channels,) float64, the highest of `SHUFFLES` such indices, each from the
            unit's answers shuffled among stimuli that differ in angle alone; not a number likewise.
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
        second: of later ones, to the indices of which `offset` is added.
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

    def mean(before: NDArray[np.float64], after: NDArray[np.float64]) -> NDArray[np.float64]:
        return (before * first.count + after * second.count) / total

    def highest(before: NDArray[np.generic], after: NDArray[np.generic]) -> NDArray[np.generic]:
        both = np.concatenate([before, after], axis=1)
        return np.take_along_axis(both, order if both.ndim == 2 else order[:, :, None], axis=1)

    return Survey(
        extremes=first.extremes + second.extremes,
        count=total,
        mean=first.mean + apart * (second.count / total),
        deviation=np.sqrt(squares / total),
        firing=mean(first.firing, second.firing),
        activation=mean(first.activation, second.activation),
        products=mean(first.products, second.products),
        shown=first.shown + second.shown,
        held_out=first.held_out + second.held_out,
        strongest=first.strongest + second.strongest,
        pre=np.asarray(highest(first.pre, second.pre), np.float32),
        photo=np.asarray(highest(first.photo, second.photo + offset), np.int64),
        row=np.asarray(highest(first.row, second.row), np.int64),
        column=np.asarray(highest(first.column, second.column), np.int64),
        parts=np.asarray(highest(first.parts, second.parts), np.float32),
    )


def top_places(
    pre: NDArray[np.float32], count: int, reach: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Greedily from the highest on, as `Extremes` does for one unit.

    Args:
        pre: (down, across, channels) pre-activations.
        count: places wanted of each channel.
        reach: steps from one position to the nearest whose receptive field doesn't overlap its own.

    Returns:
        Row, column and pre-activation, (channels, count) each, highest first. Where a photo has no more places, the
        pre-activation is minus infinity.
    """
    down, across, channels = pre.shape
    left = np.moveaxis(pre, -1, 0).copy()
    every = np.arange(channels)
    rows, columns = np.zeros((2, channels, count), np.int64)
    values = np.zeros((channels, count), np.float32)
    for place in range(count):
        best = left.reshape(channels, -1).argmax(axis=1)
        row, column = np.divmod(best, across)
        rows[:, place], columns[:, place] = row, column
        values[:, place] = left[every, row, column]
        if place + 1 == count:
            break
        for channel, (y, x) in enumerate(zip(row.tolist(), column.tolist(), strict=True)):
            left[channel, max(y - reach + 1, 0) : y + reach, max(x - reach + 1, 0) : x + reach] = -np.inf
    return rows, columns, values


def survey(network: Network, layer: str, photos: Sequence[Photo], split: Split) -> Survey:
    """Send each photo through the network once, for all units of a layer.

    Args:
        network: one with all weights up to the layer.
        layer: a conv layer or `input`.
        photos: readable ones, at least one.
        split: of these photos.

    Raises:
        ValueError: there are no photos.
    """
    if not photos:
        raise ValueError("no photos; expected at least one")
    architecture = network.architecture
    if layer == INPUT:
        conv, reach = None, 1
    else:
        conv, field = PreActivation(network, layer), architecture.receptive_field(layer)
        reach = -(-field.size // field.stride)
        below = network.model_upto(conv.feed)
    whole: Survey | None = None
    for index, photo in enumerate(photos):
        prepared = network.prepare(tf.constant(photo.pixels()[None]), layer)
        if conv is None:
            pre, reads = np.asarray(prepared)[0], None
        else:
            fed = below(prepared, training=False)
            pre, reads = np.asarray(conv(fed))[0], _Reads(architecture, layer, np.asarray(fed)[0], conv.kernel)
        part = _of_photo(photo.name, pre, reads, reach, bool(split.shown[index]), bool(split.held_out[index]))
        whole = part if whole is None else join(whole, part, index)
    assert whole is not None
    return whole


@dataclass(frozen=True)
class _Reads:
    """What a conv layer reads of one photo, and its kernel, as `contributions` takes them."""

    architecture: Architecture
    layer: str
    below: NDArray[np.float32]
    kernel: NDArray[np.float32]

    def contributions(self, row: NDArray[np.integer], column: NDArray[np.integer]) -> NDArray[np.float32]:
        return contributions(self.architecture, self.layer, self.below, self.kernel, row, column)


def _of_photo(
    name: str, pre: NDArray[np.float32], reads: _Reads | None, reach: int, shown: bool, held_out: bool
) -> Survey:
    """The survey of one photo from (down, across, channels) pre-activations."""
    channels = pre.shape[-1]
    flat = pre.reshape(-1, channels)
    wide = flat.astype(np.float64)
    mean, deviation = wide.mean(axis=0), wide.std(axis=0)
    fired = np.maximum(wide, 0, out=wide)
    # On one thread, so that processes with fewer threads get the same sums to the last digit.
    with threadpool_limits(1):
        products = fired.T @ fired / len(flat)
    inputs = 0 if reads is None else reads.kernel.shape[2]
    row, column = np.zeros((2, channels, PER_PHOTO), np.int64)
    highest = np.full((channels, PER_PHOTO), -np.inf, np.float32)
    parts = np.zeros((channels, PER_PHOTO, inputs), np.float32)
    strongest = np.zeros((channels, inputs))
    if shown:
        row, column, highest = top_places(pre, PER_PHOTO, reach)
        if reads is not None:
            for place in range(PER_PHOTO):
                parts[:, place] = reads.contributions(row[:, place, None], column[:, place, None])
    if held_out and reads is not None:
        places = np.stack([strongest_places(values) for values in np.moveaxis(pre, -1, 0)])
        strongest += reads.contributions(*np.divmod(places, pre.shape[1]))
    return Survey(
        extremes=PhotoExtremes.of_photo(name, Bounds(flat.max(axis=0), flat.min(axis=0))),
        count=len(flat),
        mean=mean,
        deviation=deviation,
        firing=(flat > 0).mean(axis=0, dtype=np.float64),
        activation=fired.mean(axis=0),
        products=products,
        shown=int(shown),
        held_out=int(held_out),
        strongest=strongest,
        pre=highest,
        photo=np.zeros(row.shape, np.int64),
        row=row,
        column=column,
        parts=parts,
    )


def contributions(
    architecture: Architecture,
    layer: str,
    below: NDArray[np.float32],
    kernel: NDArray[np.float32],
    row: NDArray[np.integer],
    column: NDArray[np.integer],
) -> NDArray[np.float32]:
    """What each input channel adds to each unit, on average over some positions of that unit's own.

    Args:
        below: (height, width, channels), what the layer reads.
        kernel: (height, width, inputs, units); with groups, each unit's inputs are those of its group.
        row, column: (units, positions) on the layer's map.

    Returns:
        (units, inputs) float32.
    """
    spec = architecture.layer(layer)
    units, positions = row.shape
    starts = np.array([architecture.reads(layer, unit).start for unit in range(units)])
    channels = starts[:, None, None, None] + np.arange(kernel.shape[2])
    fields = np.zeros((units, *spec.window, kernel.shape[2]))
    for places in zip(row.T, column.T, strict=True):
        read, inside = [], []
        for axis, position in enumerate(places):
            side = below.shape[axis]
            first = position * spec.stride - spec.padding_before(axis, side)
            lines = first[:, None] + np.arange(spec.window[axis]) * spec.dilation
            read.append(lines.clip(0, side - 1))
            inside.append((lines >= 0) & (lines < side))
        down, across = read[0][:, :, None], read[1][:, None, :]
        field = below[down, across] if spec.groups == 1 else below[down[..., None], across[..., None], channels]
        fields += field * (inside[0][:, :, None] & inside[1][:, None, :])[..., None]
    return np.asarray(np.einsum("uhwc,hwcu->uc", fields / positions, kernel), np.float32)


SURVEY = Stage("survey", Survey, 3, (survey, join))
