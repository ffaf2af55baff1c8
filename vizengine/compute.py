"""The stages of one circuit, each taken from the cache where it is there."""

from __future__ import annotations

import logging
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from vizengine import __version__
from vizengine.cache import Cache, source_hash
from vizengine.circuit import strength
from vizengine.circuit.model import Circuit
from vizengine.config.schema import CircuitSection, Config
from vizengine.errors import BuildFailed, VizengineError
from vizengine.evidence.model import Classification, ClassifiedPhoto, PhotoExtremes
from vizengine.evidence.photos import Photo, Photos, Unreadable, find_unreadable
from vizengine.featurevis.model import PhotoBest, Settings, UnitStudy, Visualization
from vizengine.networks import weights as weights_files
from vizengine.networks import zoo
from vizengine.networks.describe import describe
from vizengine.networks.model import NetworkDescription
from vizengine.progress import Progress
from vizengine.report.build import build
from vizengine.report.model import Report

if TYPE_CHECKING:
    from vizengine.networks.network import Network

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
LIBRARIES = ("tensorflow", "keras", "numpy", "scikit-image", "pillow")


class NotComputed(VizengineError):
    """A result isn't cached, and this run may not compute it."""


@dataclass(frozen=True)
class ClassifiedPhotos:
    """What the cache holds of the classification: all photos."""

    photos: tuple[ClassifiedPhoto, ...]


@dataclass(frozen=True)
class SkippedPhotos:
    """What the cache holds of the photos: the files that can't be read."""

    photos: tuple[Unreadable, ...]


@dataclass(frozen=True)
class Pictures:
    """What the cache holds of a layer: its visualizations, in order of channel."""

    visualizations: tuple[Visualization, ...]


class CircuitRun:
    """One circuit on its way from config to report.

    Args:
        config: the whole config, for its folder.
        section: the circuit's section.
        cache: where results are kept.
        progress: shown to the user.
        may_compute: whether a result that isn't cached may be computed.

    Attributes:
        seconds: wall-clock seconds by stage that was computed in this run.
    """

    def __init__(
        self, config: Config, section: CircuitSection, cache: Cache, progress: Progress, may_compute: bool = True
    ) -> None:
        self.section = section
        self.seconds: dict[str, float] = {}
        self.is_only_circuit = len(config.circuits) == 1
        self._folder = config.folder
        self._cache = cache
        self._progress = progress
        self._may_compute = may_compute
        self._zoo_entry = zoo.entry(section.network.model)

    @property
    def title(self) -> str:
        """The circuit's title, or one made from network and unit."""
        unit = self.section.unit
        return self.section.title or f"{self._zoo_entry.architecture.title} {unit.layer} unit {unit.index}"

    def report(self) -> Report:
        """The circuit's report.

        Raises:
            WeightsUnavailable: the weights can't be had.
            NotComputed: something isn't cached and may not be computed.
        """
        circuit = self._circuit()
        pictures: dict[tuple[str, int], Visualization] = {}
        for layer, channels in self._wanted(circuit).items():
            for visualization in self._visualizations(layer, channels).visualizations:
                pictures[layer, visualization.channel] = visualization
        study = self._study(pictures)
        return build(
            self.section, self._description(), self._classification(), circuit, pictures, study, self._versions()
        )

    def _wanted(self, circuit: Circuit) -> Mapping[str, tuple[int, ...]]:
        """The channels that need a picture, by layer: the inputs first, then the unit and its siblings."""
        wanted: dict[str, list[int]] = {}
        for channel in circuit.strongest:
            wanted.setdefault(channel.source_layer, []).append(channel.source_channel)
        wanted[circuit.layer] = [circuit.unit, *self.section.siblings]
        return {layer: tuple(sorted(channels)) for layer, channels in wanted.items()}

    # The weights and what is read from them.

    @cached_property
    def _weights_file(self) -> weights_files.WeightsFile:
        network = self.section.network
        needed = self._zoo_entry.architecture.upto(self.section.unit.layer)
        folder = Path(network.weights_folder) if network.weights_folder else None
        return weights_files.locate(self._zoo_entry, network.weights, folder, self._folder, needed, self._cache)

    @cached_property
    def _network(self) -> Network:
        """The network with every layer that the weights file has; loads TensorFlow."""
        from vizengine.networks.network import Network, make_deterministic

        make_deterministic()
        architecture = self._zoo_entry.architecture
        return Network(architecture, weights_files.read(self._weights_file, architecture.layers))

    @cached_property
    def _identity(self) -> dict[str, object]:
        """What every result of this network depends on."""
        return {
            "model": self._zoo_entry.architecture.name,
            "weights": self._weights_file.sha256,
            "versions": {name: version(name) for name in LIBRARIES},
        }

    # The stages.

    def _stage(
        self,
        stage: str,
        code: tuple[str, ...],
        key: Mapping[str, object],
        kind: type[Result],
        compute: Callable[[], Result],
    ) -> Result:
        def timed() -> Result:
            if not self._may_compute:
                raise NotComputed(f"{self.section.name} has no cached {stage}, and --only leaves it out of this run.")
            started = time.monotonic()
            result = compute()
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.monotonic() - started
            return result

        whole = {**self._identity, **key, "code": source_hash(*code)}
        return self._cache.get_or_compute(stage, whole, kind, timed)

    def _description(self) -> NetworkDescription:
        unit = self.section.unit
        key = {
            "layer": unit.layer,
            "unit": unit.index,
            "origin": self._weights_file.origin,
            "file": self._weights_file.path.name,
        }
        return self._stage(
            "network",
            ("networks",),
            key,
            NetworkDescription,
            lambda: describe(self._zoo_entry, self._weights_file, unit.layer, unit.index),
        )

    def _circuit(self) -> Circuit:
        unit = self.section.unit
        architecture = self._zoo_entry.architecture

        def compute() -> Circuit:
            kernel, bias = weights_files.read(self._weights_file, (architecture.layer(unit.layer),))[unit.layer]
            sources = architecture.source_channels(unit.layer)
            return strength.analyse(unit.layer, unit.index, kernel, bias, sources, self.section.inputs)

        key = {"layer": unit.layer, "unit": unit.index, "inputs": self.section.inputs}
        return self._stage("circuit", ("circuit", "networks"), key, Circuit, compute)

    @cached_property
    def _found(self) -> tuple[Photo, ...]:
        return Photos(self.section.photos, self._folder).found

    def _hashes(self, photos: tuple[Photo, ...]) -> list[str]:
        return [f"{photo.path.name} {self._cache.file_sha256(photo.path)}" for photo in photos]

    @cached_property
    def _photos(self) -> tuple[Photo, ...]:
        """The photos that can be read; a warning names each that can't, at every run."""
        key = {"photos": self._hashes(self._found), "code": source_hash("evidence.photos")}
        skipped = self._cache.get_or_compute(
            "photos", key, SkippedPhotos, lambda: SkippedPhotos(find_unreadable(self._found))
        ).photos
        for each in skipped:
            logger.warning("photo %s is skipped: %s", each.name, each.reason)
        names = {each.name for each in skipped}
        usable = tuple(photo for photo in self._found if photo.path.name not in names)
        if not usable:
            raise BuildFailed(f"None of the photos in {self.section.photos} can be read; expected at least one image.")
        return usable

    def _classification(self) -> Classification:
        from vizengine.networks.zoo import class_labels

        if not self._description().has_classifier:
            file = self._zoo_entry.full
            fetch = f" To see it, fetch {file.name} ({file.megabytes} MB) from {file.address}." if file else ""
            name = self._weights_file.path.name
            return Classification((), f"The weights file {name} has no classifier, so this check is left out.{fetch}")

        def compute() -> ClassifiedPhotos:
            from vizengine.evidence.classify import classify

            with self._progress.stage(f"{self.section.name}: classifying photos", len(self._photos)) as task:
                photos = (_counted(photo, task.advance) for photo in self._photos)
                return ClassifiedPhotos(classify(self._network, photos, class_labels()))

        key = {"photos": self._hashes(self._photos)}
        done = self._stage("classification", ("evidence", "networks"), key, ClassifiedPhotos, compute)
        return Classification(done.photos)

    def _extremes(self, layer: str) -> PhotoExtremes:
        def compute() -> PhotoExtremes:
            from vizengine.evidence.photo_best import photo_extremes

            with self._progress.stage(f"{self.section.name}: photos through {layer}", len(self._photos)) as task:
                return photo_extremes(self._network, layer, (_counted(photo, task.advance) for photo in self._photos))

        key = {"layer": layer, "photos": self._hashes(self._photos)}
        code = ("networks", "evidence.photos", "evidence.photo_best", "evidence.model")
        return self._stage("extremes", code, key, PhotoExtremes, compute)

    def _visualizations(self, layer: str, channels: tuple[int, ...]) -> Pictures:
        extremes = self._extremes(layer)
        best = {channel: PhotoBest(*extremes.best(channel)) for channel in channels}

        def compute() -> Pictures:
            from vizengine.featurevis.visualize import visualize

            with self._progress.stage(f"{self.section.name}: pictures of {layer}", self._settings.steps) as task:
                squares = self._squares() if self._settings.start == "photo" else None
                made = visualize(
                    self._network, layer, channels, best, self._settings, squares=squares, advance=task.advance
                )
            return Pictures(tuple(made[channel] for channel in channels))

        key = {
            "layer": layer,
            "best": [[channel, each.value, each.photo] for channel, each in best.items()],
            "settings": self._settings_key,
        }
        return self._stage("visualizations", ("featurevis", "networks"), key, Pictures, compute)

    def _study(self, pictures: Mapping[tuple[str, int], Visualization]) -> UnitStudy:
        unit = self.section.unit
        shown = pictures[unit.layer, unit.index]
        others = tuple(pictures[unit.layer, sibling] for sibling in self.section.siblings)
        lowest = PhotoBest(*self._extremes(unit.layer).worst(unit.index))

        def compute() -> UnitStudy:
            from vizengine.featurevis.study import Subject, study

            with self._progress.stage(f"{self.section.name}: further pictures of the unit", None) as task:
                subject = Subject(shown, others, lowest)
                return study(self._network, subject, self._settings, film=self._film, advance=task.advance)

        key = {
            "layer": unit.layer,
            "unit": unit.index,
            "siblings": list(self.section.siblings),
            "shown": [shown.reached, shown.photo_best, shown.photo_best_name],
            "lowest": [lowest.value, lowest.photo],
            "settings": self._settings_key,
            "film": self._film,
        }
        return self._stage("study", ("featurevis", "networks"), key, UnitStudy, compute)

    def _squares(self) -> dict[str, NDArray[np.float32]]:
        size = self.section.visualization.size
        return {photo.name: photo.square(size) for photo in self._photos}

    @property
    def _film(self) -> bool:
        return self.section.visualization.film

    @property
    def _settings(self) -> Settings:
        return Settings(**self.section.visualization.model_dump(exclude={"film"}))

    @property
    def _settings_key(self) -> dict[str, object]:
        return self.section.visualization.model_dump(mode="json", exclude={"film"})

    def _versions(self) -> dict[str, str]:
        return {
            "vizengine": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in LIBRARIES},
        }


def _counted(photo: Photo, advance: Callable[[int], None]) -> Photo:
    advance(1)
    return photo
