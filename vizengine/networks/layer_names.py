"""Names of layers: the one that was meant, and those that TensorFlow can't compute with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

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


def not_computable(names: Iterable[str]) -> list[str]:
    """Those of the names that TensorFlow refuses when it computes, though Keras takes them for layers."""
    return [name for name in names if not _COMPUTABLE.fullmatch(name)]
