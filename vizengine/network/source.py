"""Where a circuit's network comes from: its plain data, its weights' identity, and the network itself on demand."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

from vizengine.cache import Cache, Stage
from vizengine.config.applications import APPLICATIONS, BUILT_IN
from vizengine.config.network import NetworkSection
from vizengine.config.paths import NotAdmitted, place
from vizengine.errors import WeightsUnavailable
from vizengine.network.architecture import Architecture
from vizengine.network.catalogue import (
    EMBEDDED,
    IMAGENET,
    RANDOM,
    WEIGHTS_WORDS,
    ZooEntry,
    catalogue_entry,
    class_labels,
    numbered,
    read_labels,
)
from vizengine.network.download import searched_folders
from vizengine.network.files import KernelAndBias, read_layers, weights_path
from vizengine.network.graph import FoldedWeights, ModelGraph, describe_operation, read_model
from vizengine.network.live import LiveNetwork
from vizengine.network.model import Network
from vizengine.network.open import arrays_hash, describe_keras, draw_weights, open_keras
from vizengine.network.user_code import is_reference, load_function, source_of
from vizengine.network.weights import MissingWeights, WeightsFile, lacks, locate, missing


@dataclass(frozen=True)
class LayerDescription:
    """One layer on the way from the image to the unit.

    `shape` is (height, width, channels) at the classifier's input size; `kernel` and `stride` are 1 where it has no
    window; `receptive_field` is the side in pixels, and `parameters` are the trainable weights.
    """

    name: str
    kind: str
    shape: tuple[int, int, int]
    kernel: int
    stride: int
    receptive_field: int
    parameters: int


@dataclass(frozen=True)
class WeightsIdentity:
    """Which weights a network has.

    `name` is the base name of the file or another, never a path of this machine; `origin` is in words for the page, and
    `sha256` is of the file or of what determines the weights. Weights that are drawn at random aren't `trained`.
    """

    name: str
    origin: str
    sha256: str
    trained: bool = True


@dataclass(frozen=True)
class NetworkDescription:
    """The network, its weights and the chain of layers to the unit.

    Attributes:
        name, title, citation, weights_credit, input_size: as in the architecture.
        weights_file, weights_origin, weights_sha256, trained: as in `WeightsIdentity`.
        parameters: trainable weights of the whole network.
        loaded_layers: number of layers with weights that the file gave.
        has_classifier: whether there are class probabilities.
        chain: layers from the image to the unit's layer.
        receptive_field: side of the unit's in pixels.
        microscope: address of the unit in OpenAI Microscope, or empty.
        remarks: what a reader must know of normalisations that measure each image anew, a sentence or more each.
    """

    name: str
    title: str
    citation: str
    weights_file: str
    weights_origin: str
    weights_sha256: str
    weights_credit: str
    trained: bool
    parameters: int
    loaded_layers: int
    has_classifier: bool
    input_size: int
    chain: tuple[LayerDescription, ...]
    receptive_field: int
    microscope: str
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class PublishedSource:
    """A built-in network: its layers are data, and its weights, up to `layers`, are read without TensorFlow."""

    section: NetworkSection
    layers: tuple[str, ...]
    folder: Path
    cache: Cache

    def upto(self, layers: tuple[str, ...]) -> PublishedSource:
        """The network whose weights must be there up to these layers; all are, where a Keras model has them."""
        return replace(self, layers=layers)

    @cached_property
    def _entry(self) -> ZooEntry:
        return catalogue_entry(self.section.model)

    @property
    def architecture(self) -> Architecture:
        """Its layers and input."""
        return self._entry.architecture

    @property
    def structure(self) -> Architecture:
        """The same for a check, for which no weights need be had."""
        return self.architecture

    @cached_property
    def file(self) -> WeightsFile:
        """The weights file, with every layer up to the unit, or all where the classifier is wanted."""
        network, needed = self.section, self.architecture.upto(*self.layers)
        return locate(
            self._entry, network.weights, network.weights_folder, self.folder, needed, self.cache, network.classifier
        )

    @property
    def missing_weights(self) -> MissingWeights | None:
        """Weights that aren't on this machine, as far as that is known without reading any; None where they are."""
        network = self.section
        return missing(self._entry, network.weights, network.weights_folder, self.folder, network.classifier)

    @property
    def identity(self) -> WeightsIdentity:
        """Name, origin and hash of the weights file."""
        return WeightsIdentity(self.file.path.name, self.file.origin, self.file.sha256)

    @cached_property
    def missing_classifier(self) -> str:
        """Why the classifier isn't there, in words; empty where it is."""
        if not lacks(self.file.path, self.architecture, self.architecture.layers):
            return ""
        full = self._entry.full
        mend = "For it, name a file that has every layer."
        if full and (self.section.weights or self._entry.default_weights) == IMAGENET:
            mend = (
                "For it, write classifier: true into the network's section of the config: the full file "
                f"({full.megabytes} MB) is fetched then, or used where it lies already."
            )
        return f"The weights file {self.file.path.name} has no classifier, so this check is left out. {mend}"

    @cached_property
    def network(self) -> Network:
        """The network with every layer that the file has; loads TensorFlow."""
        labels = read_labels(self.section.labels, self.folder)
        arrays = read_layers(self.file.path, self.architecture.layers)
        return Network(self.architecture, arrays, labels=labels or class_labels())

    def has(self, layer: str) -> bool:
        """Whether the weights of a layer are there."""
        return not lacks(self.file.path, self.architecture, (self.architecture.layer(layer),))

    def kernel_and_bias(self, layer: str) -> KernelAndBias:
        """Of one conv layer, with the normalisation behind it folded in."""
        return read_layers(self.file.path, (self.architecture.layer(layer),))[layer]


Source: TypeAlias = "PublishedSource | LiveSource"


def open_source(section: NetworkSection, layers: tuple[str, ...], folder: Path, cache: Cache) -> Source:
    """The network, up to the layers whose units are shown, that a config in `folder` names; nothing is read yet."""
    if section.model in BUILT_IN:
        return PublishedSource(section, layers, folder, cache)
    return LiveSource(section, folder, cache)


# How a network is read and how it computes: part of every key.
READING = Stage(
    "reading",
    Architecture,
    1,
    (Network, LiveNetwork, read_model, describe_operation, FoldedWeights, draw_weights, read_layers),
)
_NOBODY = "Nobody trained these weights: they are random, for tests and lessons, and so is what the unit shows"
_opened: dict[str, ModelGraph] | None = None
"""The graph that was opened last, by what was opened; None outside of `opened_once`."""


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
    """A network whose layers are those of a Keras model; its methods are those of `PublishedSource`.

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
        section = self._section.model_dump_json(exclude={"why", "labels", "preprocess"})
        name = f"{self._folder.resolve()} {section}"
        graphs = {} if _opened is None else _opened
        if name not in graphs:
            # Before the next one is opened, so that two needn't be held at once.
            graphs.clear()
            graphs[name] = open_keras(self._section, self._weights, self._weights_file, self._folder)
        return graphs[name]

    def upto(self, layers: tuple[str, ...]) -> LiveSource:
        return self

    @cached_property
    def _file_hashes(self) -> list[str]:
        """Hashes of the files that the config names."""
        named = self._application or is_reference(self._section.model)
        files = [] if named else [place(self._folder, self._section.model)]
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
            "reading": READING.version,
        }

    @cached_property
    def architecture(self) -> Architecture:
        if is_reference(self._section.model):
            return self._describe()
        return self._cache.get_or_compute("architecture", self._key, Architecture, self._describe)

    @cached_property
    def structure(self) -> Architecture:
        # Without its weights, so that nothing is downloaded for a check.
        if not self._application or self._weights != IMAGENET:
            return self.architecture
        bare = self._section.model_copy(update={"weights": RANDOM})
        return LiveSource(bare, self._folder, self._cache).architecture

    def _describe(self) -> Architecture:
        if self._weights == RANDOM:
            credit = _NOBODY
        else:
            trained = self._weights == IMAGENET
            credit = "The Keras team, after the network's authors" if trained else "Not known to this tool"
        return describe_keras(self._section, self._graph, credit)

    @cached_property
    def identity(self) -> WeightsIdentity:
        section = self._section
        preparation = self._preparation
        if self._weights == RANDOM:
            digest = _hash(section.model, section.seed, *self._file_hashes, str(READING.version), preparation)
            return WeightsIdentity("random weights", f"seed {section.seed}: drawn, not trained", digest, trained=False)
        if self._weights_file is not None:
            digest = _hash(section.model, *self._file_hashes, preparation)
            return WeightsIdentity(self._weights_file.name, "file named in the config", digest)
        if self._weights == IMAGENET:
            return self._cache.get_or_compute(
                "weights",
                self._key,
                WeightsIdentity,
                lambda: WeightsIdentity(f"{section.model}, imagenet", "Keras' download", arrays_hash(self._graph)),
            )
        if is_reference(section.model):
            digest = _hash(arrays_hash(self._graph), preparation)
            return WeightsIdentity(section.model, "function named in the config", digest)
        # Without a function, the page's hash is that of the file, which a reader can check.
        digest = _hash(self._file_hashes[0], preparation) if preparation else self._file_hashes[0]
        return WeightsIdentity(Path(section.model).name, "file named in the config", digest)

    @property
    def missing_weights(self) -> MissingWeights | None:
        if self._weights_file is not None and not self._weights_file.is_file():
            return MissingWeights(f"There is no weights file at {self._weights}.", "Correct the path under `weights`.")
        if self._weights != IMAGENET:
            return None
        # Keras' names of its files have no rule, but each has the network's name in it.
        folders = searched_folders(self._section.weights_folder, self._folder)
        names = (path.name.lower() for _, folder in folders for path in folder.glob("*.h5"))
        if any(self._section.model in re.sub("[^a-z0-9]", "", name) for name in names):
            return None
        mend = "Download them where there is a network and name the file under `weights`, or write `weights: random`."
        return MissingWeights(f"Keras' cache: no file of {self._section.model}.", mend, published=True)

    @cached_property
    def _prepare(self) -> Callable[..., Any] | None:
        function = self._section.preprocess.function if self._section.preprocess else None
        return load_function(function, self._folder, self._section.trust) if function else None

    @property
    def _preparation(self) -> str:
        """What the input depends on besides the weights; empty where the network has its own."""
        if self._section.preprocess is None:
            return ""
        code = source_of(self._prepare) if self._prepare else ""
        return self._section.preprocess.model_dump_json() + code

    @property
    def missing_classifier(self) -> str:
        if self.architecture.is_classifier:
            return ""
        last = self.architecture.layers[-1]
        by_position = "the class of every position and not of the image"
        return (
            f"{self.architecture.title} ends with {last.name} ({last.operation or last.kind}), which gives "
            f"{by_position if last.gives_softmax else 'no class probabilities'}, so this check is left out."
        )

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes."""
        classes = self.architecture.channels(self.architecture.layers[-1].name)
        labels = read_labels(self._section.labels, self._folder)
        if labels and len(labels) != classes and self.architecture.is_classifier:
            raise WeightsUnavailable(
                f"{self._section.labels} names {len(labels)} classes, and {self.architecture.title} has {classes}.",
                "Write one class a line, in the order of the network's outputs.",
            )
        return labels or (class_labels() if self._application and classes == 1000 else numbered(classes))

    @cached_property
    def network(self) -> LiveNetwork:
        return LiveNetwork(self.architecture, self._graph, self._prepare, self.labels)

    def has(self, layer: str) -> bool:
        return True

    def kernel_and_bias(self, layer: str) -> KernelAndBias:
        return self.network.weights[layer]


def _hash(*parts: object) -> str:
    return hashlib.sha256("/".join(str(part) for part in parts).encode()).hexdigest()


# Layers without a row of their own in the chain: they belong to their neighbours.
_NORMS = {"group_norm": "a group normalisation", "layer_norm": "a layer normalisation"}
_NO_ROW = ("batch_norm", "activation", "identity", "zero_padding", "cropping", "scale", "layer_norm", "group_norm")


def describe(source: Source, layer: str, unit: int) -> NetworkDescription:
    """The network, its weights and the layers from the image to the unit, for the page."""
    architecture, identity = source.architecture, source.identity
    microscope_layer = dict(architecture.microscope_layers).get(layer)
    chain = [spec for spec in architecture.upto(layer) if spec.kind not in _NO_ROW and architecture.has_map(spec.name)]
    return NetworkDescription(
        name=architecture.name,
        title=architecture.title,
        citation=architecture.citation,
        weights_file=identity.name,
        weights_origin=identity.origin,
        weights_sha256=identity.sha256,
        weights_credit=architecture.weights_credit,
        trained=identity.trained,
        parameters=architecture.total_parameters,
        loaded_layers=sum(source.has(spec.name) for spec in architecture.layers if architecture.parameters(spec.name)),
        has_classifier=not source.missing_classifier,
        input_size=architecture.input_size,
        chain=tuple(
            LayerDescription(
                name=spec.name,
                kind=spec.kind,
                shape=(
                    architecture.side(spec.name, architecture.input_size, 0),
                    architecture.side(spec.name, architecture.input_size, 1),
                    architecture.channels(spec.name),
                ),
                kernel=spec.kernel,
                stride=spec.stride,
                receptive_field=architecture.receptive_field(spec.name).size,
                parameters=architecture.parameters(spec.name),
            )
            for spec in chain
        ),
        receptive_field=architecture.receptive_field(layer).size,
        microscope=(architecture.microscope or "").format(layer=microscope_layer, unit=unit)
        if microscope_layer
        else "",
        remarks=tuple(_remarks(architecture, layer)),
    )


def _remarks(architecture: Architecture, layer: str) -> Iterator[str]:
    """What normalisations that measure each image anew mean for the unit's figures."""
    before = [spec.name for spec in architecture.upto(layer) if spec.kind == "group_norm"]
    if before:
        yield (
            f"What the unit reads has gone through group normalisation ({', '.join(before)}), which measures each "
            "image as a whole. So through it the unit sees the whole image, not only the field named here, and what "
            "drives it on a small drawn image or on its picture can differ from what the same would do inside a photo."
        )
    for name in architecture.readers[layer]:
        kind = architecture.layer(name).kind
        if kind in _NORMS:
            yield (
                f"Behind the unit lies {_NORMS[kind]} ({name}), which measures each image anew and so is no part "
                "of the unit: all values are those of its conv layer alone, before it. Where the unit is said to fire, "
                "that value is above zero; what the activation function gets is the normalised one."
            )


DESCRIPTION = Stage("network", NetworkDescription, 1, (describe,))


Problem = tuple[tuple[str | int, ...], str]


def network_problems(section: NetworkSection, folder: Path, confined: bool = False) -> Iterator[Problem]:
    """Problems of a network section whose form is right, each with its path inside it.

    A `confined` config may name nothing outside `folder`, its own, nor code.
    """
    model, weights = section.model, section.weights
    users_model = model not in BUILT_IN and model not in APPLICATIONS
    if model in BUILT_IN:
        entry = catalogue_entry(model)
        title = entry.architecture.title
        if weights == EMBEDDED and entry.embedded is None:
            yield ("weights",), f"{title} has no embedded weights; expected `imagenet` or the path of a file"
        if weights == IMAGENET and entry.full is None:
            yield ("weights",), f"Keras publishes no weights of {title}; expected `embedded` or the path of a file"
        if weights == RANDOM:
            message = (
                f"{title} has no random weights; expected its own, the path of a file, or another network of "
                "keras.applications, as `mobilenet`"
            )
            yield ("weights",), message
    elif weights == EMBEDDED:
        yield ("weights",), f"{model} has no embedded weights; expected `random`, a file, or nothing for its own"
    if weights == IMAGENET and users_model:
        yield ("weights",), f"Keras publishes no weights of {model}; expected `random`, a file, or nothing"
    if users_model and section.preprocess is None:
        message = (
            "is missing; expected how an image becomes the model's input, for example `{scale: 255}` where the model "
            "takes pixels from 0 to 255, or `{scale: 2, mean: [1]}` where it takes -1 to 1"
        )
        yield ("preprocess",), message
    for setting in () if users_model else ("preprocess", "input", "input_size"):
        if getattr(section, setting) is not None:
            yield (setting,), f"{model} has its own; leave it out, or name a model of your own"
    function = section.preprocess.function if section.preprocess else None
    if function is not None and not is_reference(function):
        yield ("preprocess", "function"), f"expected `module:function`; received {function}"
    references = [name for name in (model, function) if name is not None and is_reference(name)]
    if references and not section.trust:
        message = (
            f"is needed, since {' and '.join(references)} {'is' if len(references) == 1 else 'are'} code; expected "
            "`trust: true` if you trust it"
        )
        yield ("trust",), message
    if confined and section.trust:
        yield ("trust",), "received `true`, and --confined runs no code of a config's; expected no such setting"
    # Files that lie where a config may not name them, and labels that lie nowhere.
    paths = {
        "labels": section.labels,
        "model": model if users_model and not is_reference(model) else None,
        "weights": None if weights in WEIGHTS_WORDS else weights,
        "weights_folder": section.weights_folder,
    }
    for setting, path in paths.items():
        if path is None:
            continue
        try:
            if setting.startswith("weights"):
                weights_path(path, folder, confined)
            elif not place(folder, path).is_file() and setting == "labels":
                yield ("labels",), f"there is no file {path}; expected a text file with one class a line"
        except NotAdmitted as error:
            yield (setting,), str(error)
