"""What the photos say: which were used, what the network calls them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Guess:
    """One class that the network proposes for a photo.

    Attributes:
        index: ImageNet class, 0 to 999.
        label: its name.
        probability: softmax output, 0 to 1.
    """

    index: int
    label: str
    probability: float


@dataclass(frozen=True)
class ClassifiedPhoto:
    """A photo and the five likeliest classes.

    Attributes:
        name: file name without its ending.
        credit: photographer and licence, empty where unknown.
        thumbnail: (96, 96, 3) uint8, the centre square as the network saw it.
        guesses: five, likeliest first.
    """

    name: str
    credit: str
    thumbnail: NDArray[np.uint8]
    guesses: tuple[Guess, ...]


@dataclass(frozen=True)
class Classification:
    """The check that the network works.

    Attributes:
        photos: one entry per photo; empty where the classifier isn't at hand.
        missing: why there is none and what to fetch; empty where there is one.
    """

    photos: tuple[ClassifiedPhoto, ...]
    missing: str = ""


@dataclass(frozen=True)
class Bounds:
    """One photo and the channels of a layer.

    Attributes:
        highest, lowest: (channels,) float32, pre-activation over all positions; for `input` the prepared pixels.
    """

    highest: NDArray[np.float32]
    lowest: NDArray[np.float32]


@dataclass(frozen=True)
class PhotoExtremes:
    """Highest and lowest pre-activation of every channel of a layer over all positions of each photo.

    Attributes:
        names: photo names, at least one.
        values: (photos, channels) float32, highest; for `input` the prepared pixels.
        lowest: (photos, channels) float32.
    """

    names: tuple[str, ...]
    values: NDArray[np.float32]
    lowest: NDArray[np.float32]

    def best(self, channel: int) -> tuple[float, str]:
        """Highest value of `channel` and the photo that gave it."""
        index = int(self.values[:, channel].argmax())
        return float(self.values[index, channel]), self.names[index]

    def worst(self, channel: int) -> tuple[float, str]:
        """Lowest value of `channel` and the photo that gave it."""
        index = int(self.lowest[:, channel].argmin())
        return float(self.lowest[index, channel]), self.names[index]
