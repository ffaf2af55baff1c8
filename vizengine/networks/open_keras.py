"""Open the Keras model that a config's section names, and say it in plain data; loads TensorFlow."""

from __future__ import annotations

import hashlib
from pathlib import Path

import keras
import numpy as np

from vizengine.config.network import NetworkSection, PreprocessSection
from vizengine.errors import WeightsUnavailable
from vizengine.networks.applications import APPLICATIONS
from vizengine.networks.architecture import Architecture
from vizengine.networks.float32 import compute_in_float32
from vizengine.networks.graph import ModelGraph, Unreadable, read_model
from vizengine.networks.named_files import model_file
from vizengine.networks.open_application import RANDOM, application_architecture, load_weights, open_application
from vizengine.networks.own_model import open_file, open_function
from vizengine.networks.published import named_folders
from vizengine.networks.random_weights import draw_weights
from vizengine.networks.user_code import is_reference

_ANY_SIZE = 224


def open_keras(section: NetworkSection, weights: str | None, weights_file: Path | None, folder: Path) -> ModelGraph:
    """The model's graph, whose layers hold the weights.

    Args:
        section: as in the config.
        weights: `random`, `imagenet`, a path, or None for those that the model brings.
        weights_file: the file, where `weights` is a path.
        folder: the config's folder.

    Raises:
        WeightsUnavailable: the model or its weights can't be had, or its graph can't be read.
    """
    if section.model in APPLICATIONS:
        folders = named_folders(section.weights_folder, folder)
        return open_application(section.model, weights_file or str(weights), section.seed, folders)
    if is_reference(section.model):
        model = open_function(section.model, folder, section.trust)
    else:
        model = open_file(model_file(section.model, folder), folder, section.trust)
    compute_in_float32(model, section.model)
    channels = {"colour": 3, "grey": 1, None: None}[section.input]
    shape = None if channels is None else (section.input_size, section.input_size, channels)
    try:
        graph = read_model(model, shape)
    except Unreadable as error:
        raise WeightsUnavailable(
            f"{section.model} can't be read: {error}.", "What kinds of models can be is said in docs/networks.md."
        ) from error
    if weights == RANDOM:
        draw_weights(graph, section.seed)
    elif weights_file is not None:
        load_weights(model, weights_file, section.model)
    return graph


def describe_keras(section: NetworkSection, graph: ModelGraph, credit: str) -> Architecture:
    """The plain data of the model.

    Raises:
        WeightsUnavailable: what the section says of its input doesn't fit the model.
    """
    if section.model in APPLICATIONS:
        return application_architecture(section.model, graph, credit)
    height, width, channels = graph.input_shape
    if height != width:
        raise WeightsUnavailable(
            f"{section.model} takes images of {height} × {width} pixels.", "Expected a square, or any size (None)."
        )
    given = section.preprocess or PreprocessSection()
    name = section.model.partition(":")[2] or Path(section.model).stem
    return Architecture(
        name=name,
        title=name,
        layers=graph.layers,
        input_size=height or section.input_size or _ANY_SIZE,
        channel_order="grey" if channels == 1 else given.order,
        channel_mean=_each(given.mean, channels, 0.0, "mean"),
        citation="",
        weights_credit=credit,
        scale=given.scale,
        channel_deviation=_each(given.deviation, channels, 1.0, "deviation") if given.deviation else (),
        preprocess=given.function or "",
    )


def _each(values: tuple[float, ...], channels: int, default: float, setting: str) -> tuple[float, ...]:
    if not values:
        return (default,) * channels
    if len(values) == 1:
        return values * channels
    if len(values) != channels:
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
