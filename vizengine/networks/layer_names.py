"""Names of layers: the one that was meant, those that can be shown, and those that TensorFlow can't compute with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from vizengine.networks.architecture import Architecture

# VGG's layers in the literature and in OpenAI Microscope: conv3_3, relu3_3, conv3_3_conv3_3_0.
_BLOCK_AND_LAYER = re.compile(r"(?:conv|relu)(\d+)_(\d+)\b|(?:conv|relu)(\d+)_(\d+)_", re.IGNORECASE)
_COMPUTABLE = re.compile(r"[A-Za-z0-9_./>-]*")


def nearest_layers(name: str, layers: Sequence[str], count: int = 1) -> list[str]:
    """The layers that a wrong name may mean, nearest first; VGG's in the literature's names are known.

    Args:
        name: as it was written, for example `conv3_3`.
        layers: names of the network's layers, for example `block3_conv3`.
        count: the most names to give.
    """
    written = _BLOCK_AND_LAYER.match(name)
    if written:
        block, layer = (number for number in written.groups() if number)
        if (same := f"block{block}_conv{layer}") in layers:
            return [same]
    return get_close_matches(name, layers, count, 0.3)


def readable_layers(architecture: Architecture) -> list[str]:
    """The conv layers whose units can be shown: those with a map, and with inputs that can be found."""
    return [layer.name for layer in architecture.conv_layers if not architecture.obstacle(layer.name)]


def expected_layers(architecture: Architecture) -> str:
    """What a setting that names a layer expects, in words."""
    layers = readable_layers(architecture)
    return f"a conv layer: {', '.join(layers)}" if layers else "a network with conv layers, and this has none"


def no_such_layer(name: str, architecture: Architecture) -> str:
    """Why `name` is none of the conv layers with a map, in words: it isn't there, or is of another kind."""
    known = {layer.name: layer for layer in architecture.layers}
    if name not in known:
        return f"{architecture.title} has no layer {name}"
    if known[name].is_conv:
        return f"{name} of {architecture.title} has one value for the whole image, and no positions to look at"
    return f"{name} of {architecture.title} is no conv layer ({known[name].operation or known[name].kind})"


def not_computable(names: Iterable[str]) -> list[str]:
    """Those of the names that TensorFlow refuses when it computes, though Keras takes them for layers."""
    return [name for name in names if not _COMPUTABLE.fullmatch(name)]
