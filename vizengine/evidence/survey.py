"""One pass over photos for all units of a layer: how far they are driven, where, and by which inputs.

For a conv unit `pre = bias + Σ_c K_c ⋆ a_c` exactly, so what each input adds at a position is known from the
activations that the kernel reads there. Nothing is kept but a few positions of each unit, so that memory grows
neither with the photos nor with their size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from vizengine.evidence.model import PhotoExtremes
from vizengine.evidence.photos import Photo
from vizengine.evidence.survey_model import Survey, join
from vizengine.networks.architecture import INPUT, LayerSpec
from vizengine.networks.network import Network


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
    spec = network.architecture.layer(layer)
    below = None if layer == INPUT else network.model_upto(spec.inputs[0])
    found: Survey | None = None
    for index, photo in enumerate(photos):
        prepared = network.prepare(tf.constant(photo.pixels()[None]))
        if below is None:
            one = _of_photo(photo.name, np.asarray(prepared)[0], None)
        else:
            fed = below(prepared, training=False)
            kernel, bias = network.weights[layer]
            pre = tf.nn.conv2d(fed, kernel, spec.stride, spec.padding.upper()) + bias
            one = _of_photo(photo.name, np.asarray(pre)[0], (np.asarray(fed)[0], kernel, spec))
        one = replace(one, photo=np.full_like(one.photo, index))
        found = one if found is None else join(found, one)
        advance(1)
    assert found is not None
    return found


def _of_photo(
    name: str,
    pre: NDArray[np.float32],
    reads: tuple[NDArray[np.float32], NDArray[np.float32], LayerSpec] | None,
) -> Survey:
    """The survey of one photo from (down, across, channels) pre-activations and from what the layer reads."""
    flat = pre.reshape(-1, pre.shape[-1])
    wide = flat.astype(np.float64)
    best = flat.argmax(axis=0)
    row, column = np.divmod(best, pre.shape[1])
    highest = flat[best, np.arange(flat.shape[1])]
    parts = np.zeros((flat.shape[1], 0), np.float32) if reads is None else contributions(*reads, row, column, pre.shape)
    return Survey(
        extremes=PhotoExtremes((name,), highest[None], flat.min(axis=0)[None]),
        count=len(flat),
        mean=wide.mean(axis=0),
        deviation=wide.std(axis=0),
        firing=(flat > 0).mean(axis=0, dtype=np.float64),
        pre=highest[:, None],
        photo=np.zeros((flat.shape[1], 1), np.int64),
        row=row[:, None].astype(np.int64),
        column=column[:, None].astype(np.int64),
        parts=parts[:, None, :],
    )


def contributions(
    below: NDArray[np.float32],
    kernel: NDArray[np.float32],
    spec: LayerSpec,
    row: NDArray[np.integer],
    column: NDArray[np.integer],
    shape: tuple[int, ...],
) -> NDArray[np.float32]:
    """What each input channel adds to each unit at one position of that unit's own.

    Args:
        below: (height, width, inputs), what the layer reads.
        kernel: (kernel, kernel, inputs, units).
        spec: the layer.
        row, column: (units,) position of each unit on the layer's map.
        shape: of that map, (down, across, ...).

    Returns:
        (units, inputs) float32.
    """
    size, stride = spec.kernel, spec.stride
    before, after = [], []
    for length, positions in zip(below.shape[:2], shape, strict=False):
        needed = max((positions - 1) * stride + size - length, 0) if spec.padding == "same" else 0
        before.append(needed // 2)
        after.append(needed - needed // 2)
    padded = np.pad(below, ((before[0], after[0]), (before[1], after[1]), (0, 0)))
    down = (row * stride)[:, None] + np.arange(size)
    across = (column * stride)[:, None] + np.arange(size)
    patches = padded[down[:, :, None], across[:, None, :]]
    return np.asarray(np.einsum("uhwc,hwcu->uc", patches, kernel), np.float32)
