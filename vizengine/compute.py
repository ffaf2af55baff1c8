"""The stages of one circuit, each taken from the cache where it is there."""

from __future__ import annotations

import logging
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from vizengine import __version__
from vizengine.cache import Cache, source_hash
from vizengine.circuit import strength
from vizengine.circuit.model import Circuit
from vizengine.config.schema import CircuitSection, Config
from vizengine.evidence.results import Evidence
from vizengine.evidence_stages import EvidenceStages
from vizengine.featurevis.model import PhotoBest, Settings, UnitStudy, Visualization
from vizengine.networks import weights as weights_files
from vizengine.networks.describe import describe
from vizengine.networks.model import NetworkDescription
from vizengine.progress import Progress
from vizengine.report.build import Measured, build
from vizengine.report.model import Report
from vizengine.resources import LIBRARIES, Resources

logger = logging.getLogger(__name__)


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
    """

    def __init__(
        self, config: Config, section: CircuitSection, cache: Cache, progress: Progress, may_compute: bool = True
    ) -> None:
        self.section = section
        self.is_only_circuit = len(config.circuits) == 1
        self._progress = progress
        self._have = Resources(section, config.folder, cache, may_compute)
        self._zoo_entry = self._have.zoo_entry
        self._evidence = EvidenceStages(section, self._have, progress)

    @property
    def seconds(self) -> dict[str, float]:
        """Wall-clock seconds by stage that was computed in this run."""
        return self._have.seconds

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
        description = self._description()
        classification = self._evidence.classification(description.has_classifier)
        evidence = self._evidence.measure(circuit, pictures[circuit.layer, circuit.unit])
        measured = Measured(evidence, self._evidence.claims(circuit, evidence), self._groups(circuit, evidence))
        code = source_hash("networks", "circuit", "featurevis", "evidence")
        return build(
            self.section, description, classification, circuit, pictures, study, measured, self._versions(), code
        )

    def _wanted(self, circuit: Circuit) -> Mapping[str, tuple[int, ...]]:
        """The channels that need a picture, by layer: the inputs first, then the unit and its siblings."""
        wanted: dict[str, list[int]] = {}
        for channel in circuit.strongest:
            wanted.setdefault(channel.source_layer, []).append(channel.source_channel)
        wanted[circuit.layer] = [circuit.unit, *self.section.siblings]
        return {layer: tuple(sorted(channels)) for layer, channels in wanted.items()}

    def _description(self) -> NetworkDescription:
        unit = self.section.unit
        key = {
            "layer": unit.layer,
            "unit": unit.index,
            "origin": self._have.weights_file.origin,
            "file": self._have.weights_file.path.name,
        }
        return self._have.stage(
            "network",
            ("networks",),
            key,
            NetworkDescription,
            lambda: describe(self._zoo_entry, self._have.weights_file, unit.layer, unit.index),
        )

    def _circuit(self) -> Circuit:
        unit = self.section.unit
        architecture = self._zoo_entry.architecture

        def compute() -> Circuit:
            kernel, bias = weights_files.read(self._have.weights_file, (architecture.layer(unit.layer),))[unit.layer]
            sources = architecture.source_channels(unit.layer)
            return strength.analyse(unit.layer, unit.index, kernel, bias, sources, self.section.inputs)

        key = {"layer": unit.layer, "unit": unit.index, "inputs": self.section.inputs}
        return self._have.stage("circuit", ("circuit", "networks"), key, Circuit, compute)

    def _visualizations(self, layer: str, channels: tuple[int, ...]) -> Pictures:
        extremes = self._evidence.extremes(layer)
        best = {channel: PhotoBest(*extremes.best(channel)) for channel in channels}

        def compute() -> Pictures:
            from vizengine.featurevis.visualize import visualize

            with self._progress.stage(f"{self.section.name}: pictures of {layer}", self._settings.steps) as task:
                squares = self._squares() if self._settings.start == "photo" else None
                made = visualize(
                    self._have.network, layer, channels, best, self._settings, squares=squares, advance=task.advance
                )
            return Pictures(tuple(made[channel] for channel in channels))

        key = {
            "layer": layer,
            "best": [[channel, each.value, each.photo] for channel, each in best.items()],
            "settings": self._settings_key,
        }
        return self._have.stage("visualizations", ("featurevis", "networks"), key, Pictures, compute)

    def _study(self, pictures: Mapping[tuple[str, int], Visualization]) -> UnitStudy:
        unit = self.section.unit
        shown = pictures[unit.layer, unit.index]
        others = tuple(pictures[unit.layer, sibling] for sibling in self.section.siblings)
        lowest = PhotoBest(*self._evidence.extremes(unit.layer).worst(unit.index))

        def compute() -> UnitStudy:
            from vizengine.featurevis.study import Subject, study

            with self._progress.stage(f"{self.section.name}: further pictures of the unit", None) as task:
                subject = Subject(shown, others, lowest)
                return study(self._have.network, subject, self._settings, film=self._film, advance=task.advance)

        key = {
            "layer": unit.layer,
            "unit": unit.index,
            "siblings": list(self.section.siblings),
            "shown": [shown.reached, shown.photo_best, shown.photo_best_name],
            "lowest": [lowest.value, lowest.photo],
            "settings": self._settings_key,
            "film": self._film,
        }
        return self._have.stage("study", ("featurevis", "networks"), key, UnitStudy, compute)

    def _groups(self, circuit: Circuit, evidence: Evidence) -> tuple[Visualization, ...]:
        """A picture of each group of inputs that the unit reads alike."""
        best = [PhotoBest(*each) for each in evidence.factor_best]

        def compute() -> Pictures:
            from vizengine.featurevis.groups import visualize_groups

            weights = np.stack([each.channels for each in evidence.factors.factors], axis=1)
            with self._progress.stage(f"{self.section.name}: pictures of groups of inputs", None) as task:
                return Pictures(
                    visualize_groups(self._have.network, circuit.layer, weights, best, self._settings, task.advance)
                )

        if not best:
            return ()
        key = {
            "layer": circuit.layer,
            "groups": [each.channels.tolist() for each in evidence.factors.factors],
            "best": [[each.value, each.photo] for each in best],
            "settings": self._settings_key,
        }
        return self._have.stage("groups", ("featurevis", "networks"), key, Pictures, compute).visualizations

    def _squares(self) -> dict[str, NDArray[np.float32]]:
        size = self.section.visualization.size
        return {photo.name: photo.square(size) for photo in self._have.photos}

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
