"""What an ascent sets out from: noise, or a photo with the same noise over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vizengine.featurevis.image import derive_seed, draw_spectrum, spectrum_of
from vizengine.featurevis.model import Direction


def picture_key(layer: str, channel: int, direction: Direction) -> str:
    """The name from which a picture's noise is drawn."""
    return f"{layer}:{channel}" if direction == "positive" else f"{layer}:{channel}:{direction}"


def noise(keys: Sequence[str], seed: int, size: int) -> NDArray[np.float32]:
    """Spectra of noise, (batch, 3, size, size // 2 + 1, 2).

    Args:
        keys: a name for each picture, from which its noise is drawn, so that it doesn't depend on its batch.
        seed: of the noise.
        size: side of the pictures in pixels.
    """
    return np.stack([draw_spectrum(derive_seed("noise", seed, key, size), size).numpy() for key in keys])


def starts(
    keys: Sequence[str],
    photos: Sequence[str],
    seed: int,
    size: int,
    squares: Mapping[str, NDArray[np.float32]] | None = None,
) -> NDArray[np.float32]:
    """The spectra of first attempts, (batch, 3, size, size // 2 + 1, 2).

    Args:
        keys, seed, size: as for `noise`.
        photos: for each picture the photo that drives its channel furthest.
        squares: where pictures begin as photos, each photo's centred square by name: (size, size, 3) in [0, 1]. The
            noise stays on them, so that other seeds and variants begin elsewhere.
    """
    drawn = noise(keys, seed, size)
    if squares is None:
        return drawn
    return drawn + np.stack([spectrum_of(squares[photo]) for photo in photos])
