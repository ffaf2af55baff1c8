"""Open a Keras model: from a file, a function or keras.applications, with its weights, in float32."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from vizengine.config.applications import APPLICATIONS, Mode
from vizengine.config.network import NetworkSection, PreprocessSection
from vizengine.config.paths import place
from vizengine.errors import WeightsUnavailable
from vizengine.network.architecture import Architecture
from vizengine.network.catalogue import IMAGENET, RANDOM, PublishedFile
from vizengine.network.download import Folders, fetch, searched_folders
from vizengine.network.files import WEIGHTS_FOLDER_VARIABLE, DecompressionBomb, keras_cache, refuse_bomb
from vizengine.network.graph import ModelGraph, Unreadable, read_model
from vizengine.network.user_code import importable, is_reference, load_function
from vizengine.runtime import keras


def _compute_in_float32(model: keras.Model, name: str) -> None:
    """Set the arithmetic of a model's layers to float32, whose weights already are.

    A model of mixed precision keeps float32 weights and rounds them for each operation; here it computes with them as
    they are. `name` is what the config calls it.
    """
    for variable in model.weights:
        if variable.dtype != "float32" and "float" in variable.dtype:
            raise WeightsUnavailable(
                f"{name} keeps its weights in {variable.dtype} ({variable.path}); expected float32.",
                "Make the same model after `keras.config.set_dtype_policy('float32')`, give it the weights with "
                "`model.set_weights(old.get_weights())`, and save that one.",
            )
    policy = keras.DTypePolicy("float32")
    for layer in model._flatten_layers():
        if isinstance(layer, keras.Layer) and layer.compute_dtype != "float32":
            layer.dtype_policy = policy


# Spread of the normalisations' parameters around 1 (factors, variances) and 0 (summands, means).
_SPREAD = 0.1


def draw_weights(graph: ModelGraph, seed: int) -> None:
    """Give every layer of a graph new weights.

    Kernels are normal with the variance 2 ÷ (coefficients that one output reads), which keeps activations behind a
    ReLU at one scale (He, Zhang, Ren and Sun, Delving Deep into Rectifiers, 2015); biases, normalisations' factors,
    summands, means and variances spread a little around 0 and 1, so that none of them can be left out unnoticed.
    Each depends on the seed and on the layer's name alone. Fixed statistics of input normalisation are kept.
    """
    for node in graph.nodes:
        operation = node.operation
        if not isinstance(operation, keras.Layer) or isinstance(operation, keras.layers.Normalization):
            continue
        for index, variable in enumerate(operation.weights):
            digest = hashlib.sha256(f"{seed}/{node.name}/{index}".encode()).digest()
            generator = np.random.default_rng(int.from_bytes(digest[:8], "big"))
            values = generator.standard_normal(tuple(variable.shape))
            if "kernel" in variable.name and values.ndim > 1:
                # A depthwise kernel's outputs read one channel each.
                read = values.shape[:2] if "depthwise" in variable.path else values.shape[:-1]
                values = values * np.sqrt(2.0 / np.prod(read))
            elif variable.name in ("gamma", "moving_variance"):
                values = np.abs(1.0 + _SPREAD * values)
            else:
                values = _SPREAD * values
            variable.assign(values.astype(np.float32))


# Layers of Keras' own that load a graph, a function or a pickle.
_LOADERS = frozenset(("TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"))


def _open_function(reference: str, folder: Path, trust: bool) -> keras.Model:
    function = load_function(reference, folder, trust)
    try:
        with importable(folder):
            model = function()
    except Exception as error:
        raise WeightsUnavailable(
            f"{reference} failed: {type(error).__name__}: {_first_line(error)}.",
            "It has to return a keras.Model when it is called without arguments.",
        ) from error
    if not isinstance(model, keras.Model):
        raise WeightsUnavailable(f"{reference} returned {type(model).__name__}.", "It has to return a keras.Model.")
    return model


def open_file(path: Path, folder: Path, trust: bool) -> keras.Model:
    """The model in a `.keras` or `.h5` file.

    With `trust`, layers that bring code of their own are admitted; their modules may lie in `folder`, the config's.

    Raises:
        WeightsUnavailable: it isn't such a file, needs trust, or Keras can't open it.
    """
    if path.is_dir():
        raise WeightsUnavailable(
            f"{path.name} is a folder; Keras 3 opens no SavedModel as a network with layers.",
            "Save the model as one file that ends in .keras.",
        )
    if not path.is_file():
        raise WeightsUnavailable(f"There is no model file {path.name}.", "Correct the path under `model`.")
    try:
        refuse_bomb(path)
        foreign = sorted(set(_foreign(_description(path))))
    except DecompressionBomb as error:
        raise WeightsUnavailable(
            f"{path.name} isn't opened: {error}.", "Name a file that you have from its maker."
        ) from error
    except (OSError, KeyError, ValueError, RecursionError, zipfile.BadZipFile) as error:
        raise WeightsUnavailable(
            f"{path.name} isn't a model that Keras saved ({_first_line(error)}).",
            "Save the whole model with `model.save('name.keras')`; weights alone go under `weights`.",
        ) from error
    if foreign and not trust:
        raise WeightsUnavailable(
            f"{path.name} needs code that isn't Keras' own: {', '.join(foreign)}.",
            "If you trust it, write `trust: true` beside `model`.",
        )
    try:
        with importable(folder):
            return keras.models.load_model(path, compile=False, safe_mode=not trust)
    except Exception as error:
        # Keras raises whatever a layer's own code raises.
        raise WeightsUnavailable(
            f"Keras can't open {path.name}: {type(error).__name__}: {_first_line(error)}.",
            "For layers of your own, register them with keras.saving.register_keras_serializable in a module beside "
            "the config and name a function of it that loads the file: `model: module:function`, `trust: true`.",
        ) from error


def _description(path: Path) -> Any:
    """The structure of a saved model, read without Keras."""
    import h5py

    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            return json.loads(archive.read("config.json"))
    with h5py.File(path, "r") as file:
        text = file.attrs["model_config"]
        return json.loads(text.decode() if isinstance(text, bytes) else text)


def _foreign(part: Any) -> Iterator[str]:
    """Names in a saved structure that stand for code outside Keras: lambdas, functions, classes of other modules."""
    if isinstance(part, list):
        for item in part:
            yield from _foreign(item)
    if not isinstance(part, dict):
        return
    name = part.get("class_name")
    if name in _LOADERS:
        yield f"what its {name} loads"
    if name in ("Lambda", "__lambda__", "function"):
        yield "Lambda" if name != "function" else f"function {part.get('config')}"
    module = part.get("module")
    if isinstance(module, str) and module.split(".")[0] not in ("keras", "builtins"):
        yield f"{module}.{name}"
    registered = part.get("registered_name")
    if isinstance(registered, str) and ">" in registered and not registered.startswith("keras"):
        yield registered
    for value in part.values():
        yield from _foreign(value)


def _published_graph(function: str, folders: Folders) -> ModelGraph:
    """The graph of a network of keras.applications with ImageNet's weights, searched for in `folders` first."""
    try:
        with _files_from(folders):
            return read_model(getattr(keras.applications, function)(weights="imagenet"))
    except (OSError, ValueError) as error:
        removed = _remove_broken(function)
        raise WeightsUnavailable(
            f"Keras' ImageNet weights of {function} can't be had: {_first_line(error)}.{removed}",
            "Download them where there is a network (Keras keeps them in ~/.keras/models) and name the file under "
            f"`weights`, or its folder in `weights_folder` or {WEIGHTS_FOLDER_VARIABLE}; or write `weights: random`.",
        ) from error


@contextmanager
def _files_from(folders: Folders) -> Iterator[None]:
    """Have Keras' own functions get their files by `fetch`.

    So all weights are found and downloaded in one way: Keras' way looks into its cache only, starts anew each time,
    says no size and waits for ever. Its functions know name, address and hash of each file, and ask for it here.
    """

    def get_file(
        fname: str, origin: str, cache_subdir: str = "models", file_hash: str | None = None, **_: object
    ) -> str:
        try:
            return str(fetch(PublishedFile(fname, origin, file_hash or ""), folders))
        except OSError as error:
            raise OSError(f"{fname}: {error}") from error

    file_utils = keras.src.utils.file_utils
    before = file_utils.get_file
    file_utils.get_file = get_file
    try:
        yield
    finally:
        file_utils.get_file = before


def _remove_broken(function: str) -> str:
    """Remove what broken downloads of Keras left in its cache under a network's name; a sentence on it, or nothing.

    Keras writes a file under its final name from the first byte on, and of some networks it knows no hash.
    """
    import h5py

    broken = []
    for path in keras_cache().glob("*.h5"):
        if re.sub("[^a-z0-9]", "", path.name.lower()).startswith(function.lower()):
            try:
                h5py.File(path).close()
            except OSError:
                path.unlink(missing_ok=True)
                broken.append(path.name)
    names = " and ".join(broken)
    return f" A broken download, {names}, was removed from Keras' cache; the next run tries again." if broken else ""


def load_weights(model: keras.Model, path: Path, function: str) -> None:
    """Load a weights file into a model that is built; `function` is what made the model, for the message.

    Raises:
        WeightsUnavailable: there is no such file, or it doesn't fit.
    """
    if not path.is_file():
        raise WeightsUnavailable(f"There is no weights file {path.name}.", "Correct the path under `weights`.")
    try:
        refuse_bomb(path)
        model.load_weights(path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsUnavailable(
            f"The weights of {path.name} can't be loaded into {function}: {_first_line(error)}.",
            f"Name a `.weights.h5` or `.h5` file that was saved from {function} with its classifier.",
        ) from error


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__).rstrip(".")


_ANY_SIZE = 224
# As in keras/src/applications/imagenet_utils.py; where the mode is none, the network's first layers do it.
PREPARATIONS: dict[Mode, PreprocessSection] = {
    "caffe": PreprocessSection(mean=(103.939, 116.779, 123.68), order="bgr"),
    "tf": PreprocessSection(scale=2.0, mean=(1.0,)),
    "torch": PreprocessSection(scale=1.0, mean=(0.485, 0.456, 0.406), deviation=(0.229, 0.224, 0.225)),
    "none": PreprocessSection(),
}


def open_keras(section: NetworkSection, weights: str | None, weights_file: Path | None, folder: Path) -> ModelGraph:
    """The graph of the model that a config in `folder` names, whose layers hold the weights.

    These are `random`, `imagenet`, those of `weights_file` where `weights` is a path, or the model's own for None.

    Raises:
        WeightsUnavailable: the model or its weights can't be had, or its graph can't be read.
    """
    application = APPLICATIONS.get(section.model)
    if application and weights == IMAGENET:
        return _published_graph(application.function, searched_folders(section.weights_folder, folder))
    shape = None
    if application:
        model = getattr(keras.applications, application.function)(weights=None)
    else:
        if is_reference(section.model):
            model = _open_function(section.model, folder, section.trust)
        else:
            model = open_file(place(folder, section.model), folder, section.trust)
        _compute_in_float32(model, section.model)
        if section.input:
            shape = (section.input_size, section.input_size, 1 if section.input == "grey" else 3)
    try:
        graph = read_model(model, shape)
    except Unreadable as error:
        raise WeightsUnavailable(
            f"{section.model} can't be read: {error}.", "What kinds of models can be is said in docs/networks.md."
        ) from error
    if weights == RANDOM:
        draw_weights(graph, section.seed)
    elif weights_file is not None:
        load_weights(model, weights_file, application.function if application else section.model)
    return graph


def describe_keras(section: NetworkSection, graph: ModelGraph, credit: str) -> Architecture:
    """The plain data of the model; `credit` says who trained the weights.

    Raises:
        WeightsUnavailable: what the section says of its input doesn't fit the model.
    """
    height, width, channels = graph.input_shape
    if application := APPLICATIONS.get(section.model):
        name, title, citation = section.model, application.function, application.citation
        size, preprocess = application.size, PREPARATIONS[application.mode]
    else:
        if height != width:
            raise WeightsUnavailable(
                f"{section.model} takes images of {height} × {width} pixels.", "Expected a square, or any size (None)."
            )
        name = title = section.model.partition(":")[2] or Path(section.model).stem
        citation, size = "", height or section.input_size or _ANY_SIZE
        preprocess = section.preprocess or PreprocessSection()
    return Architecture(
        name=name,
        title=title,
        layers=graph.layers,
        input_size=size,
        channel_order="grey" if channels == 1 else preprocess.order,
        channel_mean=_per_channel(preprocess.mean or (0.0,), channels, "mean"),
        citation=citation,
        weights_credit=credit,
        scale=preprocess.scale,
        channel_deviation=_per_channel(preprocess.deviation, channels, "deviation"),
        preprocess=preprocess.function or "",
    )


def _per_channel(values: tuple[float, ...], channels: int, setting: str) -> tuple[float, ...]:
    if len(values) == 1:
        return values * channels
    if values and len(values) != channels:
        raise WeightsUnavailable(
            f"`preprocess.{setting}` has {len(values)} numbers, and the model's input {channels} channels.",
            "Give one number for all channels, or one for each.",
        )
    return values


def arrays_hash(graph: ModelGraph) -> str:
    """Hash of the layers and of all their arrays."""
    digest = hashlib.sha256(repr(graph.layers).encode())
    for node in graph.nodes:
        if isinstance(node.operation, keras.Layer):
            for variable in node.operation.weights:
                digest.update(np.ascontiguousarray(keras.ops.convert_to_numpy(variable)).tobytes())
    return digest.hexdigest()
