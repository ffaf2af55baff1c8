"""Classification: the five likeliest classes of each photo, as a check that the network works."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizengine.figures.pictures import patch
from vizengine.figures.quantities import Documented, Picture, Quantity, percent
from vizengine.measures.measure import Measure
from vizengine.measures.photos import Photo
from vizengine.network.model import Network, seen


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


GUESSES = 5
NOT_NUMBERS = (
    "The network’s outputs aren’t all numbers (NaN or infinity), since weights of it aren’t, so this can’t be measured."
)
THUMBNAIL = 96


def classify(network: Network, photos: Iterable[Photo], labels: Sequence[str]) -> tuple[ClassifiedPhoto, ...]:
    """The five likeliest classes of each photo's centred square.

    Args:
        network: one with all weights up to the class probabilities.
        photos: readable ones.
        labels: class names in the order of the network's outputs.
    """
    return tuple(_classify_one(network, photo, labels) for photo in photos)


def _classify_one(network: Network, photo: Photo, labels: Sequence[str]) -> ClassifiedPhoto:
    from PIL import Image

    square = photo.square(network.architecture.input_size)
    probabilities = network.classify(square[None])[0]
    likeliest = np.argsort(-probabilities, kind="stable")[:GUESSES]
    shown = seen(square, network.architecture.channel_order)
    thumbnail = Image.fromarray((shown * 255).round().astype(np.uint8)).resize((THUMBNAIL, THUMBNAIL))
    return ClassifiedPhoto(
        name=photo.name,
        credit=photo.credit,
        thumbnail=np.asarray(thumbnail),
        guesses=tuple(Guess(int(index), labels[index], float(probabilities[index])) for index in likeliest),
    )


class GuessReport(Documented):
    """One class that the network proposes for a photo."""

    index: int
    """ImageNet class, 0 to 999."""
    label: str
    """Its name."""
    probability: Quantity
    """Softmax output in percent."""


class PhotoReport(Documented):
    """A photo and the likeliest classes."""

    name: str
    """File name without its ending."""
    credit: str
    """Photographer and licence, or empty."""
    picture: Picture
    """The centre square, as the network saw it."""
    guesses: tuple[GuessReport, ...]
    """Likeliest first."""


class ClassificationReport(Documented):
    """The check that the network works."""

    photos: tuple[PhotoReport, ...]
    """One entry per photo; empty where the classifier isn't at hand."""
    missing: str
    """Why there is none and what to fetch, or empty."""


THUMBNAIL_PIXELS = 144


def classification_report(classification: Classification) -> ClassificationReport:
    """What the page says of the check."""
    return ClassificationReport(
        photos=tuple(
            PhotoReport(
                name=photo.name,
                credit=photo.credit,
                picture=patch(photo.thumbnail, f"Photo {photo.name}, cropped to a square", THUMBNAIL_PIXELS),
                guesses=tuple(
                    GuessReport(index=guess.index, label=guess.label, probability=percent(guess.probability))
                    for guess in photo.guesses
                ),
            )
            for photo in classification.photos
        ),
        missing=classification.missing,
    )


def measure_classification(
    network: Network, photos: Sequence[Photo], labels: Sequence[str], missing_classifier: str
) -> Classification:
    """What the network calls the photos, or why that can't be known; `labels` are the config's."""
    if missing_classifier:
        return Classification((), missing_classifier)
    classified = classify(network, photos, labels or network.labels)
    if not all(math.isfinite(guess.probability) for photo in classified for guess in photo.guesses):
        return Classification((), NOT_NUMBERS)
    return Classification(classified)


CLASSIFICATION = Measure(
    name="classification",
    result=Classification,
    version=1,
    compute=measure_classification,
    panel="made",
    report=classification_report,
    part=ClassificationReport,
)
