"""What a unit sees at the places in photos that drive it most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vizengine.layers.workers import Workshop
from vizengine.measures.examples import crop, field_start
from vizengine.measures.readings import energies, places, readers, reading_units
from vizengine.network.model import seen

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


OUTPUTS = 6


@dataclass(frozen=True)
class Output:
    """A unit that reads another.

    Attributes:
        layer, unit: which.
        share: the slice's part of the sum of squares of that unit's kernel, 0 to 1.
        kernel: (height, width) the slice.
    """

    layer: str
    unit: int
    share: float
    kernel: NDArray[np.float32]


class Outputs:
    """Finds them from the weights, a layer at a time.

    Args:
        workshop: reads the weights.
    """

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self.kernel = lru_cache(maxsize=6)(self._kernel)
        self._of_layer = lru_cache(maxsize=2)(self._find)

    def of(self, layer: str, unit: int) -> tuple[Output, ...]:
        """The units that lean on `unit` most, by share, largest first; at most `OUTPUTS`."""
        return self._of_layer(layer)[unit]

    def _kernel(self, layer: str) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
        """Kernel and bias of a layer, or None where the weights file doesn't have it."""
        source = self._workshop.have.source
        return source.kernel_and_bias(layer) if source.has(layer) else None

    def _find(self, layer: str) -> tuple[tuple[Output, ...], ...]:
        architecture = self._workshop.architecture
        found: list[list[Output]] = [[] for _ in range(architecture.channels(layer))]
        for reader in readers(architecture, layer):
            weights = self.kernel(reader)
            if weights is None:
                continue
            kernel = weights[0]
            _, shares = energies(kernel)
            sound = np.asarray(np.isfinite(kernel).all(axis=(0, 1, 2)))
            for read in places(architecture, layer, reader):
                place, units = reading_units(kernel, architecture.layer(reader).groups, read.index)
                for offset in np.argsort(-shares[place, units], kind="stable")[:OUTPUTS].tolist():
                    unit = units[offset]
                    if not sound[unit]:
                        continue
                    piece = np.ascontiguousarray(kernel[:, :, place, unit])
                    found[read.channel].append(Output(reader, unit, float(shares[place, unit]), piece))
        return tuple(tuple(sorted(each, key=lambda output: -output.share)[:OUTPUTS]) for each in found)
