"""Where a circuit's network comes from: its plain data, its weights' identity, and the network itself on demand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from vizengine.cache import Cache
from vizengine.config.network import NetworkSection
from vizengine.networks import weights as weights_files
from vizengine.networks import zoo
from vizengine.networks.architecture import Architecture
from vizengine.networks.labels import read_labels
from vizengine.networks.live_source import LiveSource
from vizengine.networks.model import WeightsIdentity

if TYPE_CHECKING:
    from vizengine.networks.network import Network

Arrays = tuple[NDArray[np.float32], NDArray[np.float32]]


class Source(Protocol):
    """A network that a config names."""

    @property
    def architecture(self) -> Architecture: ...
    @property
    def structure(self) -> Architecture: ...
    @property
    def identity(self) -> WeightsIdentity: ...
    @property
    def missing_weights(self) -> weights_files.MissingWeights | None: ...
    @property
    def loaded_layers(self) -> int: ...
    @property
    def missing_classifier(self) -> str: ...
    @property
    def network(self) -> Network: ...
    def upto(self, layers: tuple[str, ...]) -> Source: ...
    def kernel_and_bias(self, layer: str) -> Arrays: ...
    def has(self, layer: str) -> bool: ...


@dataclass(frozen=True)
class PublishedSource:
    """A built-in network: its layers are data, and its weights are read without TensorFlow.

    Attributes:
        section: as in the config.
        layers: those up to which weights must be there.
        folder: the config's folder.
        cache: remembers hashes of large files.
    """

    section: NetworkSection
    layers: tuple[str, ...]
    folder: Path
    cache: Cache

    def upto(self, layers: tuple[str, ...]) -> PublishedSource:
        """The network whose weights must be there up to these layers."""
        return replace(self, layers=layers)

    @cached_property
    def _entry(self) -> zoo.ZooEntry:
        return zoo.entry(self.section.model)

    @cached_property
    def architecture(self) -> Architecture:
        """Its layers."""
        return self._entry.architecture

    @property
    def structure(self) -> Architecture:
        """The same: nothing need be had for it."""
        return self.architecture

    @cached_property
    def file(self) -> weights_files.WeightsFile:
        """The weights file, with every layer up to the unit, or all where the classifier is wanted."""
        needed = self.architecture.upto(*self.layers)
        return weights_files.locate(
            self._entry,
            self.section.weights,
            self.section.weights_folder,
            self.folder,
            needed,
            self.cache,
            self.section.classifier,
        )

    @property
    def missing_weights(self) -> weights_files.MissingWeights | None:
        """Weights that aren't on this machine, as far as that can be told without reading any; None where they are."""
        return weights_files.missing(
            self._entry, self.section.weights, self.section.weights_folder, self.folder, self.section.classifier
        )

    @cached_property
    def identity(self) -> WeightsIdentity:
        """Name, origin and hash of the weights file."""
        file = self.file
        return WeightsIdentity(file.path.name, file.origin, file.sha256)

    @cached_property
    def loaded_layers(self) -> int:
        """Number of layers with weights that the file gave."""
        architecture = self.architecture
        return sum(
            weights_files.has_layers(self.file, architecture, (spec,))
            for spec in architecture.layers
            if architecture.parameters(spec.name)
        )

    @cached_property
    def missing_classifier(self) -> str:
        """Why the classifier isn't there, in words; empty where it is."""
        if weights_files.has_layers(self.file, self.architecture, self.architecture.layers):
            return ""
        full = self._entry.full
        mend = "For it, name a file that has every layer."
        if full and (self.section.weights or self._entry.default_weights) == "imagenet":
            mend = (
                "For it, write classifier: true into the network's section of the config: the full file "
                f"({full.megabytes} MB) is fetched then, or used where it lies already."
            )
        return f"The weights file {self.file.path.name} has no classifier, so this check is left out. {mend}"

    @cached_property
    def network(self) -> Network:
        """The network with every layer that the file has; loads TensorFlow."""
        from vizengine.networks.network import Network

        labels = read_labels(self.section.labels, self.folder)
        arrays = weights_files.read(self.file, self.architecture.layers)
        return Network(self.architecture, arrays, labels=labels or zoo.class_labels())

    def has(self, layer: str) -> bool:
        """Whether the weights of a layer are there."""
        return weights_files.has_layers(self.file, self.architecture, (self.architecture.layer(layer),))

    def kernel_and_bias(self, layer: str) -> Arrays:
        """Of one conv layer."""
        return weights_files.read(self.file, (self.architecture.layer(layer),))[layer]


def open_source(section: NetworkSection, layers: tuple[str, ...], folder: Path, cache: Cache) -> Source:
    """The network that a config's section names; nothing is read yet.

    Args:
        section: as in the config, its form checked.
        layers: those whose units are shown.
        folder: the config's folder.
        cache: keeps what was read of Keras models.
    """
    if section.model in zoo.MODEL_NAMES:
        return PublishedSource(section, layers, folder, cache)
    return LiveSource(section, folder, cache)
