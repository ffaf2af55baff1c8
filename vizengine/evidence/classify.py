"""The check that the network works: what it calls each photo."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from vizengine.evidence.model import ClassifiedPhoto, Guess
from vizengine.evidence.photos import Photo
from vizengine.networks.colour import seen
from vizengine.networks.network import Network

GUESSES = 5
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
