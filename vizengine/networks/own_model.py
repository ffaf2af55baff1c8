"""Open a model of the user's own: a file, or a function that returns one. No code of a file's runs unless trusted."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras

from vizengine.errors import WeightsUnavailable
from vizengine.networks.packed import Swollen, refuse_swollen
from vizengine.networks.user_code import importable, load_function

# Layers of Keras' own that load a graph, a function or a pickle.
_LOADERS = frozenset(("TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"))


def open_function(reference: str, folder: Path, trust: bool) -> keras.Model:
    """The model that `module:function` returns.

    Raises:
        WeightsUnavailable: it can't be called, or returns another thing.
    """
    function = load_function(reference, folder, trust)
    try:
        with importable(folder):
            model = function()
    except Exception as error:
        raise WeightsUnavailable(
            f"{reference} failed: {type(error).__name__}: {_line(error)}.",
            "It has to return a keras.Model when it is called without arguments.",
        ) from error
    if not isinstance(model, keras.Model):
        raise WeightsUnavailable(f"{reference} returned {type(model).__name__}.", "It has to return a keras.Model.")
    return model


def open_file(path: Path, folder: Path, trust: bool) -> keras.Model:
    """The model in a `.keras` or `.h5` file.

    Args:
        path: the file.
        folder: the config's folder, where modules of trusted layers may lie.
        trust: whether layers that bring code of their own are admitted.

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
        refuse_swollen(path)
        foreign = sorted(set(_foreign(_description(path))))
    except Swollen as error:
        raise WeightsUnavailable(
            f"{path.name} isn't opened: {error}.", "Name a file that you have from its maker."
        ) from error
    except (OSError, KeyError, ValueError, RecursionError, zipfile.BadZipFile) as error:
        raise WeightsUnavailable(
            f"{path.name} isn't a model that Keras saved ({_line(error)}).",
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
            f"Keras can't open {path.name}: {type(error).__name__}: {_line(error)}.",
            "For layers of your own, register them with keras.saving.register_keras_serializable in a module beside "
            "the config and name a function of it that loads the file: `model: module:function`, `trust: true`.",
        ) from error


def _description(path: Path) -> Any:
    """The structure of a saved model, read without Keras."""
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            return json.loads(archive.read("config.json"))
    import h5py

    with h5py.File(path, "r") as file:
        text = file.attrs["model_config"]
        return json.loads(text.decode() if isinstance(text, bytes) else text)


def _foreign(part: Any) -> Iterator[str]:
    """Names in a saved structure that stand for code outside Keras: lambdas, functions, classes of other modules."""
    if isinstance(part, list):
        for each in part:
            yield from _foreign(each)
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
    for each in part.values():
        yield from _foreign(each)


def _line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__).rstrip(".")
