"""Classification: the five likeliest classes of each photo, as a check that the network works."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizengine.figures.pictures import patch
from vizengine.figures.quantities import Documented, Picture, Quantity, percent
from vizengine.measures.measure import Measure
from vizengine.measures.photos import Photo
from vizengine.measures.statistics import largest_first
from vizengine.network.model import Network, seen


@dataclass(frozen=True)
class Guess:
    """One class that the network proposes for a photo.

    Attributes:
        index: ImageNet class, 0 to 999.
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
        guesses: likeliest first.
    """

    name: str
    credit: str
    thumbnail: NDArray[np.uint8]
    guesses: tuple[Guess, ...]


@dataclass(frozen=True)
class Classification:
    """The check that the network works.

    Attributes:
        photos: one entry per photo, of more than `MOST_CLASSIFIED` every nth; empty where the classifier isn't at hand.
        missing: why there is none and what to fetch; empty where there is one.
    """

    photos: tuple[ClassifiedPhoto, ...]
    missing: str = ""


GUESSES, MOST_CLASSIFIED = 5, 10
NOT_NUMBERS = (
    "The network’s outputs aren’t all numbers (NaN or infinity), since weights of it aren’t, so this can’t be measured."
)
THUMBNAIL = 96


def measure_classification(
    network: Network, photos: Sequence[Photo], labels: Sequence[str], missing_classifier: str
) -> Classification:
    """What the network calls photos' centred squares, or why that can't be known.

    Args:
        labels: class names from the config, in the order of the outputs; the network's own where it has none.
    """
    from PIL import Image

    if missing_classifier:
        return Classification((), missing_classifier)
    labels = labels or network.labels
    classified = []
    for photo in photos[:: -(-len(photos) // MOST_CLASSIFIED)]:
        square = photo.square(network.architecture.input_size)
        probabilities = network.classify(square[None])[0]
        likeliest = largest_first(probabilities)[:GUESSES].tolist()
        if not np.isfinite(probabilities[likeliest]).all():
            return Classification((), NOT_NUMBERS)
        image = Image.fromarray((seen(square, network.architecture.channel_order) * 255).round().astype(np.uint8))
        thumbnail = np.asarray(image.resize((THUMBNAIL, THUMBNAIL)))
        guesses = tuple(Guess(index, labels[index], float(probabilities[index])) for index in likeliest)
        classified.append(ClassifiedPhoto(photo.name, photo.credit, thumbnail, guesses))
    return Classification(tuple(classified))


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
    """One entry per photo, of more than 10 every nth; empty where the classifier isn't at hand."""
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


CLASSIFICATION = Measure(
    name="classification",
    result=Classification,
    version=2,
    compute=measure_classification,
    panel="made",
    report=classification_report,
    part=ClassificationReport,
)
