"""Build a network of keras.applications, with random weights, ImageNet's or those of a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import keras
from keras.src.utils import file_utils

from vizengine.errors import WeightsUnavailable
from vizengine.networks.applications import APPLICATIONS, PREPARATIONS
from vizengine.networks.architecture import Architecture
from vizengine.networks.graph import ModelGraph, read_model
from vizengine.networks.named_files import WEIGHTS_FOLDER_VARIABLE, keras_cache
from vizengine.networks.packed import refuse_swollen
from vizengine.networks.published import Folders, fetch
from vizengine.networks.random_weights import draw_weights
from vizengine.networks.zoo import PublishedFile

RANDOM, IMAGENET = "random", "imagenet"


def open_application(name: str, weights: str | Path, seed: int = 0, folders: Folders = ()) -> ModelGraph:
    """The graph of a network of keras.applications, whose layers hold the weights.

    Args:
        name: a key of `APPLICATIONS`.
        weights: `random`, `imagenet`, or the path of a file that Keras can load into it.
        seed: of random weights.
        folders: searched for ImageNet's before Keras' cache.

    Raises:
        WeightsUnavailable: the weights can't be had, or don't fit.
    """
    entry = APPLICATIONS[name]
    make = getattr(keras.applications, entry.function)
    if weights == IMAGENET:
        try:
            with _files_from(folders):
                return read_model(make(weights="imagenet"))
        except (OSError, ValueError) as error:
            raise _no_download(entry.function, error) from error
    model = make(weights=None)
    graph = read_model(model)
    if weights == RANDOM:
        draw_weights(graph, seed)
    else:
        load_weights(model, Path(weights), entry.function)
    return graph


def application_architecture(name: str, graph: ModelGraph, credit: str) -> Architecture:
    """The plain data of such a network.

    Args:
        name: a key of `APPLICATIONS`.
        graph: of the Keras model.
        credit: who trained the weights.
    """
    entry = APPLICATIONS[name]
    preparation = PREPARATIONS[entry.mode]
    return Architecture(
        name=name,
        title=entry.function,
        layers=graph.layers,
        input_size=entry.size,
        channel_order=preparation.order,
        channel_mean=preparation.mean,
        citation=entry.citation,
        weights_credit=credit,
        scale=preparation.scale,
        channel_deviation=preparation.deviation,
    )


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
    broken = [
        path
        for path in keras_cache().glob("*.h5")
        if re.sub("[^a-z0-9]", "", path.name.lower()).startswith(function.lower()) and not _opens(path)
    ]
    for path in broken:
        path.unlink(missing_ok=True)
    names = " and ".join(path.name for path in broken)
    return f" A broken download, {names}, was removed from Keras' cache; the next run tries again." if broken else ""


def _opens(path: Path) -> bool:
    try:
        with h5py.File(path):
            return True
    except OSError:
        return False


def _no_download(function: str, error: Exception) -> WeightsUnavailable:
    return WeightsUnavailable(
        f"Keras' ImageNet weights of {function} can't be had: {_line(error)}.{_remove_broken(function)}",
        "Download them where there is a network (Keras keeps them in ~/.keras/models) and name the file under "
        f"`weights`, or its folder in `weights_folder` or {WEIGHTS_FOLDER_VARIABLE}; or write `weights: random`.",
    )


def load_weights(model: keras.Model, path: Path, function: str) -> None:
    """Load a weights file into a model that is built.

    Args:
        model: the model.
        path: the file.
        function: what made the model, for the message.

    Raises:
        WeightsUnavailable: there is no such file, or it doesn't fit.
    """
    if not path.is_file():
        raise WeightsUnavailable(f"There is no weights file {path.name}.", "Correct the path under `weights`.")
    try:
        refuse_swollen(path)
        model.load_weights(path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsUnavailable(
            f"The weights of {path.name} can't be loaded into {function}: {_line(error)}.",
            f"Name a `.weights.h5` or `.h5` file that was saved from {function} with its classifier.",
        ) from error


def _line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__).rstrip(".")
