"""What the stages of one circuit share: the weights, the network, the photos, and the cache that knows them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from vizengine.cache import Cache, Stage
from vizengine.config.schema import CircuitSection, SweepSection
from vizengine.errors import BuildFailed, VizengineError
from vizengine.measures.photo_sources import PhotoSources
from vizengine.measures.photos import Photo, Unreadable, find_unreadable
from vizengine.network.catalogue import read_labels
from vizengine.network.source import READING, Source
from vizengine.output import LINE_EVERY_SECONDS

if TYPE_CHECKING:
    from vizengine.network.model import Network

logger = logging.getLogger(__name__)
Result = TypeVar("Result")
Name = TypeVar("Name", bound=Hashable)
LIBRARIES = ("tensorflow", "keras", "numpy", "scikit-image", "pillow")


class NotComputed(VizengineError):
    """A result isn't cached, and this run may not compute it."""


@dataclass(frozen=True)
class SkippedPhotos:
    """What the cache holds of some photos: the files that can't be read."""

    photos: tuple[Unreadable, ...]


UNREADABLE = Stage("photos", SkippedPhotos, 2, (find_unreadable,))
# So many are opened before what was seen of them is kept.
_PHOTOS_AT_ONCE = 64


class Resources:
    """What is read at most once for a circuit, and only when a stage needs it.

    Args:
        section: the circuit's section, or the sweep's.
        source: where the network comes from, with the weights up to the layers that are needed.
        folder: the config's folder.
        cache: where results are kept.
        may_compute: whether a result that isn't cached may be computed.

    Attributes:
        seconds: wall-clock seconds by stage that was computed in this run, without those of stages that it asked for.
    """

    def __init__(
        self, section: CircuitSection | SweepSection, source: Source, folder: Path, cache: Cache, may_compute: bool
    ) -> None:
        self.seconds: dict[str, float] = {}
        self._source = source
        self._section = section
        self._folder = folder
        self._cache = cache
        self._may_compute = may_compute

    @cached_property
    def network(self) -> Network:
        """The network with every layer whose weights can be had; loads TensorFlow."""
        from vizengine.network.model import make_deterministic

        make_deterministic()
        return self._source.network

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Class names that the config names; none where it doesn't."""
        return read_labels(self._section.network.labels, self._folder)

    @cached_property
    def _identity(self) -> dict[str, object]:
        """What every result of this network depends on."""
        return {
            "model": self._source.architecture.name,
            "weights": self._source.identity.sha256,
            "versions": {name: version(name) for name in LIBRARIES},
            "reading": READING.version,
        }

    def get_or_compute(self, stage: Stage[Result], key: Mapping[str, object], compute: Callable[[], Result]) -> Result:
        """A stage's result, from the cache where it is there. `compute` may ask for results of other stages.

        Args:
            stage: which computation.
            key: what its result depends on, besides the network and the stage's version.
            compute: makes it.

        Raises:
            NotComputed: it isn't cached and may not be computed.
        """

        def compute_one(names: list[str], keep: Callable[[str, Result], None]) -> None:
            keep(stage.name, compute())

        return self.get_or_compute_each(stage, {stage.name: key}, compute_one)[stage.name]

    def get_or_compute_each(
        self,
        stage: Stage[Result],
        keys: Mapping[Name, Mapping[str, object]],
        compute: Callable[[list[Name], Callable[[Name, Result], None]], None],
    ) -> dict[Name, Result]:
        """Results of one stage by name, each kept by itself as soon as it is there.

        Args:
            stage: as for `get_or_compute`.
            keys: for each name what else its result depends on; no result may depend on which others are asked for.
            compute: makes the results that aren't cached: it gets their names and hands in each with its name.

        Raises:
            NotComputed: as for `get_or_compute`.
        """
        results: dict[Name, Result] = {}
        missing: list[Name] = []
        for name, key in keys.items():
            is_cached, result = self._cache.find(stage.name, self._whole(stage, key), stage.result)
            if is_cached:
                results[name] = result
            else:
                missing.append(name)

        def keep(name: Name, result: Result) -> None:
            results[name] = self._cache.keep(stage.name, self._whole(stage, keys[name]), stage.result, result)

        if missing:
            if not self._may_compute:
                raise NotComputed(
                    f"{self._section.name} has no cached {stage.name}, and --only leaves it out of this run."
                )
            started, before = time.monotonic(), sum(self.seconds.values())
            compute(missing, keep)
            nested = sum(self.seconds.values()) - before
            self.seconds[stage.name] = self.seconds.get(stage.name, 0.0) + time.monotonic() - started - nested
        return {name: results[name] for name in keys}

    def contains(self, stage: Stage[Any], key: Mapping[str, object]) -> bool:
        """Whether a stage's result is cached."""
        return self._cache.contains(stage.name, self._whole(stage, key))

    def _whole(self, stage: Stage[Any], key: Mapping[str, object]) -> dict[str, object]:
        return {**self._identity, **key, "stages": stage.versions}

    def photo_hash(self, photo: Photo) -> str:
        """The sha256 of a photo's file."""
        return self._cache.file_sha256(photo.path)

    @cached_property
    def _sources(self) -> PhotoSources:
        return PhotoSources(self._section.photos, self._folder, self._cache.file_sha256)

    @cached_property
    def _found(self) -> tuple[Photo, ...]:
        for name in self._sources.led_out:
            logger.warning(
                "photo %s is skipped: it is a link that leads out of its folder; put the picture there itself, or name "
                "the folder to which it leads under `photos`",
                name,
            )
        return self._sources.found

    def hashes(self, photos: tuple[Photo, ...]) -> list[str]:
        """Name and hash of each photo, for keys."""
        return [f"{photo.path.name} {self.photo_hash(photo)}" for photo in photos]

    @cached_property
    def photos(self) -> tuple[Photo, ...]:
        """The photos that can be read; a warning names each that can't, at every run."""
        usable: list[Photo] = []
        told = time.monotonic()
        for first in range(0, len(self._found), _PHOTOS_AT_ONCE):
            photos = self._found[first : first + _PHOTOS_AT_ONCE]
            skipped = self._unreadable(photos)
            for photo in skipped:
                logger.warning("photo %s is skipped: %s", photo.name, photo.reason)
            numbers = {photo.number for photo in skipped}
            usable += (photo for number, photo in enumerate(photos) if number not in numbers)
            if time.monotonic() - told > LINE_EVERY_SECONDS:
                told = time.monotonic()
                logger.info("looking which photos can be read: %d of %d", first + len(photos), len(self._found))
        if not usable:
            names = " and ".join(source.source for source in self._sources.each)
            raise BuildFailed(f"None of the photos in {names} can be read; expected at least one image.")
        return tuple(usable)

    def _unreadable(self, photos: tuple[Photo, ...]) -> tuple[Unreadable, ...]:
        key = {"photos": self.hashes(photos), "stages": UNREADABLE.versions}
        return self._cache.get_or_compute(
            UNREADABLE.name, key, UNREADABLE.result, lambda: SkippedPhotos(find_unreadable(photos))
        ).photos
