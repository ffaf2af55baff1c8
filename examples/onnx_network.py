"""A network from PyTorch, by way of ONNX: `model: onnx_network:model`, with `trust: true` (docs/networks.md)."""

from __future__ import annotations

from pathlib import Path

import keras
import onnx
from onnx2keras import onnx_to_keras


def model() -> keras.Model:
    """The network in `network.onnx` beside this file, channels last."""
    file = onnx.load(Path(__file__).with_name("network.onnx"))
    return onnx_to_keras(file, [file.graph.input[0].name], change_ordering=True, verbose=False)
