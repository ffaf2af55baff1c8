"""One pass over photos for all units of a layer: how far they are driven, where, by which inputs, and how alike.

For a conv unit `pre = bias + Σ_c K_c ⋆ a_c` exactly, so what each input adds at a position is known from the
activations that the kernel reads there. Nothing is kept but a few positions of each unit and moments of all of them,
so that memory grows neither with the photos nor with their size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from vizengine.evidence.model import PhotoExtremes
from vizengine.evidence.photos import Photo
from vizengine.evidence.survey_model import PER_PHOTO, Survey, join
from vizengine.evidence.top_places import top_places
from vizengine.networks.architecture import INPUT, Architecture
from vizengine.networks.network import Network
from vizengine.networks.pre_activation import PreActivation


def survey(
    network: Network, layer: str, photos: Sequence[Photo], advance: Callable[[int], None] = lambda count: None
) -> Survey:
    """Send each photo through the network once, for all units of a layer.

    Args:
        network: one with all weights up to the layer.
        layer: a conv layer or `input`.
        photos: readable ones, at least one.
        advance: called with 1 after each photo.

    Raises:
        ValueError: there are no photos.
    """
    if not photos:
        raise ValueError("no photos; expected at least one")
    field = None if layer == INPUT else network.architecture.receptive_field(layer)
    reach = 1 if field is None else -(-field.size // field.stride)
    reads = None if layer == INPUT else _Reads(network, layer)
    found: Survey | None = None
    for index, photo in enumerate(photos):
        prepared = network.prepare(tf.constant(photo.pixels()[None]), layer)
        if reads is None:
            one = _of_photo(photo.name, np.asarray(prepared)[0], reach, None)
        else:
            fed = reads.below(prepared, training=False)
            pre = np.asarray(reads.pre_activation(fed))[0]
            one = _of_photo(photo.name, pre, reach, (reads, np.asarray(fed)[0]))
        one = replace(one, photo=np.full_like(one.photo, index))
        found = one if found is None else join(found, one)
        advance(1)
    assert found is not None
    return found


class _Reads:
    """What a conv layer reads, and by which kernel."""

    def __init__(self, network: Network, layer: str) -> None:
        self.architecture, self.layer = network.architecture, layer
        self.pre_activation = PreActivation(network, layer)
        self.below = network.model_upto(self.pre_activation.feed)

    def contributions(
        self, below: NDArray[np.float32], row: NDArray[np.int64], column: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        return contributions(self.architecture, self.layer, below, self.pre_activation.kernel, row, column)


def _of_photo(
    name: str, pre: NDArray[np.float32], reach: int, reads: tuple[_Reads, NDArray[np.float32]] | None
) -> Survey:
    """The survey of one photo from (down, across, channels) pre-activations and from what the layer reads."""
    flat = pre.reshape(-1, pre.shape[-1])
    wide = flat.astype(np.float64)
    row, column, highest = top_places(pre, PER_PHOTO, reach)
    if reads is None:
        parts = np.zeros((*row.shape, 0), np.float32)
    else:
        layer, below = reads
        parts = np.stack(
            [layer.contributions(below, row[:, place], column[:, place]) for place in range(PER_PHOTO)], axis=1
        )
    mean, deviation = wide.mean(axis=0), wide.std(axis=0)
    fired = np.maximum(wide, 0, out=wide)
    return Survey(
        extremes=PhotoExtremes((name,), flat.max(axis=0)[None], flat.min(axis=0)[None]),
        count=len(flat),
        mean=mean,
        deviation=deviation,
        firing=(flat > 0).mean(axis=0, dtype=np.float64),
        activation=fired.mean(axis=0),
        products=fired.T @ fired / len(flat),
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
    """What each input channel adds to each unit at one position of that unit's own.

    Args:
        architecture: the network's.
        layer: a conv layer.
        below: (height, width, channels), what the layer reads.
        kernel: (height, width, inputs, units); with groups, each unit's inputs are those of its group.
        row, column: (units,) position of each unit on the layer's map.

    Returns:
        (units, inputs) float32.
    """
    spec = architecture.layer(layer)
    read, inside = [], []
    for axis, position in enumerate((row, column)):
        side = below.shape[axis]
        first = position * spec.stride - spec.padding_before(axis, side)
        places = first[:, None] + np.arange(spec.window[axis]) * spec.dilation
        read.append(places.clip(0, side - 1))
        inside.append((places >= 0) & (places < side))
    down, across = read[0][:, :, None], read[1][:, None, :]
    if spec.groups == 1:
        patches = below[down, across]
    else:
        starts = np.array([architecture.reads(layer, unit).start for unit in range(len(row))])
        own = starts[:, None] + np.arange(kernel.shape[2])
        patches = below[down[..., None], across[..., None], own[:, None, None, :]]
    patches = patches * (inside[0][:, :, None] & inside[1][:, None, :])[..., None]
    return np.asarray(np.einsum("uhwc,hwcu->uc", patches, kernel), np.float32)
