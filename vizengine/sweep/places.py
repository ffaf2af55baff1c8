"""What a unit sees at the places in photos that drive it most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vizengine.evidence.examples import crop, field_start
from vizengine.networks.colour import seen
from vizengine.sweep.workshop import Workshop

# The best place of each of so many photos.
SHOWN_EXAMPLES = 6
# Decoded photos that are kept at a time.
_PHOTOS = 16


@dataclass(frozen=True)
class Seen:
    """A place in a photo.

    Attributes:
        photo: name of the photo.
        pre: the unit's pre-activation there.
        crop: (size, size, 3) uint8, the receptive field; mid grey outside the photo.
    """

    photo: str
    pre: float
    crop: NDArray[np.uint8]


class Places:
    """Cuts them from the photos.

    Args:
        workshop: reads photos and results.
    """

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._photo = lru_cache(maxsize=_PHOTOS)(self._read_photo)

    def of(self, layer: str, unit: int) -> Iterator[Seen]:
        """The place in each photo that drives a unit most, highest first; at most `SHOWN_EXAMPLES`."""
        architecture, survey = self._workshop.architecture, self._workshop.survey(layer)
        field = architecture.receptive_field(layer)
        for place in survey.best_of_photos(unit, SHOWN_EXAMPLES).tolist():
            index = int(survey.photo[unit, place])
            pixels = self._photo(index)
            down, across = field_start(architecture, layer, *pixels.shape[:2])
            top = down + int(survey.row[unit, place]) * field.stride
            left = across + int(survey.column[unit, place]) * field.stride
            cut = crop(pixels, top, left, field.size)
            yield Seen(self._workshop.photos[index].name, float(survey.pre[unit, place]), cut)

    def _read_photo(self, index: int) -> NDArray[np.float32]:
        return seen(self._workshop.photos[index].pixels(), self._workshop.architecture.channel_order)
