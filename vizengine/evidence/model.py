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
