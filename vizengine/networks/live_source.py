"""A network that Keras opens: one of keras.applications, a model file, or a function's.

TensorFlow is loaded only when something isn't cached: the structure of a named network or of a file is kept by its
hash. A function's model is made at every run, since nothing says what it depends on.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vizengine.cache import Cache, source_hash
from vizengine.config.network import NetworkSection
from vizengine.errors import WeightsUnavailable
from vizengine.networks import zoo
from vizengine.networks.applications import APPLICATIONS
from vizengine.networks.architecture import Architecture
from vizengine.networks.labels import numbered, read_labels
from vizengine.networks.model import WeightsIdentity
from vizengine.networks.named_files import keras_cache, model_file, weights_path
from vizengine.networks.published import named_folders
from vizengine.networks.user_code import is_reference, load_function, source_of
from vizengine.networks.weights import MissingWeights

if TYPE_CHECKING:
    from vizengine.networks.graph import ModelGraph
    from vizengine.networks.live import LiveNetwork

Arrays = tuple[NDArray[np.float32], NDArray[np.float32]]
RANDOM, IMAGENET = "random", "imagenet"
NOBODY = "Nobody trained these weights: they are random, for tests and lessons, and so is what the unit shows"


_opened: dict[str, ModelGraph] | None = None
"""The graph that was opened last, by what was opened; None where none is kept."""


@contextmanager
def opened_once() -> Iterator[None]:
    """Meanwhile a network that is asked for again is the one that was opened last, not another copy in memory.

    For a command, from its check to its last page: nothing that the network is made of may change meanwhile.
    """
    global _opened
    before, _opened = _opened, {}
    try:
        yield
    finally:
        _opened = before


class LiveSource:
    """A network whose layers are those of a Keras model.

    Args:
        section: as in the config.
        folder: the config's folder.
        cache: keeps what was read.

    Raises:
        WeightsUnavailable: from all properties, where the model, its weights or its labels can't be had.
        NotAdmitted: likewise, where the config may not name their place.
    """

    def __init__(self, section: NetworkSection, folder: Path, cache: Cache) -> None:
        self._section = section
        self._folder = folder
        self._cache = cache
        self._application = section.model in APPLICATIONS
        self._weights = section.weights or (IMAGENET if self._application else None)

    @cached_property
    def _weights_file(self) -> Path | None:
        if self._weights in (None, RANDOM, IMAGENET):
            return None
        return weights_path(str(self._weights), self._folder)

    @cached_property
    def _graph(self) -> ModelGraph:
        from vizengine.networks.open_keras import open_keras

        section = self._section.model_dump_json(exclude={"why", "labels", "preprocess"})
        name = f"{self._folder.resolve()} {section}"
        if _opened is not None and name in _opened:
            return _opened[name]
        if _opened is not None:
            # Before the next one is opened, so that two needn't be held at once.
            _opened.clear()
        graph = open_keras(self._section, self._weights, self._weights_file, self._folder)
        if _opened is not None:
            _opened[name] = graph
        return graph

    def upto(self, layers: tuple[str, ...]) -> LiveSource:
        """The same: a Keras model has the weights of all its layers."""
        return self

    @cached_property
    def _file_hashes(self) -> list[str]:
        """Hashes of the files that the config names."""
        named = self._application or is_reference(self._section.model)
        files = [] if named else [model_file(self._section.model, self._folder)]
        files += [self._weights_file] if self._weights_file else []
        for path in files:
            if not path.is_file():
                # The folder of a SavedModel and a path that leads nowhere are explained where they are opened.
                return [str(len(self._graph.layers))]
        return [self._cache.file_sha256(path) for path in files]

    @cached_property
    def _key(self) -> dict[str, Any]:
        return {
            "network": self._section.model_dump(mode="json", exclude={"why", "labels"}),
            "files": self._file_hashes,
            "keras": version("keras"),
            "code": source_hash("networks"),
        }

    @cached_property
    def architecture(self) -> Architecture:
        """The network's layers and input."""
        if is_reference(self._section.model):
            return self._describe()
        return self._cache.get_or_compute("architecture", self._key, Architecture, self._describe)

    @cached_property
    def structure(self) -> Architecture:
        """The same without its weights, for a check, so that nothing is downloaded for it."""
        if not self._application or self._weights != IMAGENET:
            return self.architecture
        bare = self._section.model_copy(update={"weights": RANDOM})
        return LiveSource(bare, self._folder, self._cache).architecture

    def _describe(self) -> Architecture:
        from vizengine.networks.open_keras import describe_keras

        if self._weights == RANDOM:
            credit = NOBODY
        else:
            trained = self._weights == IMAGENET
            credit = "The Keras team, after the network's authors" if trained else "Not known to this tool"
        return describe_keras(self._section, self._graph, credit)

    @cached_property
    def identity(self) -> WeightsIdentity:
        """What the weights are called on the page, where they came from, and a hash of them."""
        section = self._section
        preparation = self._preparation_hash
        if self._weights == RANDOM:
            digest = _hash(section.model, section.seed, *self._file_hashes, source_hash("networks"), preparation)
            return WeightsIdentity("random weights", f"seed {section.seed}: drawn, not trained", digest, trained=False)
        if self._weights_file is not None:
            digest = _hash(section.model, *self._file_hashes, preparation)
            return WeightsIdentity(self._weights_file.name, "file named in the config", digest)
        if self._weights == IMAGENET:
            return self._cache.get_or_compute(
                "weights",
                self._key,
                WeightsIdentity,
                lambda: WeightsIdentity(f"{section.model}, imagenet", "Keras' download", self._arrays_hash()),
            )
        if is_reference(section.model):
            return WeightsIdentity(
                section.model, "function named in the config", _hash(self._arrays_hash(), preparation)
            )
        name = Path(section.model).name
        # Without a function, the page's hash is that of the file, which a reader can check.
        digest = _hash(self._file_hashes[0], preparation) if preparation else self._file_hashes[0]
        return WeightsIdentity(name, "file named in the config", digest)

    @property
    def missing_weights(self) -> MissingWeights | None:
        """Weights that aren't on this machine, as far as that can be told without opening any; None where they are."""
        if self._weights_file is not None and not self._weights_file.is_file():
            return MissingWeights(f"There is no weights file at {self._weights}.", "Correct the path under `weights`.")
        if self._weights != IMAGENET:
            return None
        # Keras' names of its files have no rule, but each has the network's name in it.
        folders = named_folders(self._section.weights_folder, self._folder)
        paths = (path for folder in (*(each for _, each in folders), keras_cache()) for path in folder.glob("*.h5"))
        known = (re.sub("[^a-z0-9]", "", path.name.lower()) for path in paths)
        if any(self._section.model in name for name in known):
            return None
        mend = "Download them where there is a network and name the file under `weights`, or write `weights: random`."
        return MissingWeights(f"Keras' cache: no file of {self._section.model}.", mend, published=True)

    @property
    def _preparation_hash(self) -> str:
        """What the input depends on besides the weights; empty where the network has its own."""
        preprocess = self._section.preprocess
        if preprocess is None:
            return ""
        function = preprocess.function
        code = source_of(load_function(function, self._folder, self._section.trust)) if function else ""
        return preprocess.model_dump_json() + code

    def _arrays_hash(self) -> str:
        from vizengine.networks.open_keras import arrays_hash

        return arrays_hash(self._graph)

    @property
    def loaded_layers(self) -> int:
        """Number of layers with weights: all of them."""
        return sum(1 for spec in self.architecture.layers if self.architecture.parameters(spec.name))

    @property
    def missing_classifier(self) -> str:
        """Why there are no class probabilities, in words; empty where there are."""
        if self.architecture.is_classifier:
            return ""
        last = self.architecture.layers[-1]
        if self.architecture.is_segmentation:
            return (
                f"{self.architecture.title} ends with {last.name} ({last.operation or last.kind}), which gives the "
                "class of every position and not of the image, so this check is left out."
            )
        return (
            f"{self.architecture.title} ends with {last.name} ({last.operation or last.kind}), which gives no class "
            "probabilities, so this check is left out."
        )

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes."""
        classes = self.architecture.channels(self.architecture.layers[-1].name)
        named = read_labels(self._section.labels, self._folder)
        if named and len(named) != classes and self.architecture.is_classifier:
            raise WeightsUnavailable(
                f"{self._section.labels} names {len(named)} classes, and {self.architecture.title} has {classes}.",
                "Write one class a line, in the order of the network's outputs.",
            )
        if named:
            return named
        return zoo.class_labels() if self._application and classes == 1000 else numbered(classes)

    @cached_property
    def network(self) -> LiveNetwork:
        """The network; loads TensorFlow."""
        from vizengine.networks.live import LiveNetwork

        function = self._section.preprocess.function if self._section.preprocess else None
        prepare = load_function(function, self._folder, self._section.trust) if function else None
        return LiveNetwork(self.architecture, self._graph, prepare, self.labels)

    def has(self, layer: str) -> bool:
        """Whether the weights of a layer are there: a Keras model has them all."""
        return True

    def kernel_and_bias(self, layer: str) -> Arrays:
        """Of one conv layer, what is behind it folded in."""
        return self.network.weights[layer]


def _hash(*parts: object) -> str:
    return hashlib.sha256("/".join(str(part) for part in parts).encode()).hexdigest()
