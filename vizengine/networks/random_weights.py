"""Seeded random weights, for tests and lessons: the same on every machine, whatever Keras drew before."""

from __future__ import annotations

import hashlib

import keras
import numpy as np
from numpy.typing import NDArray

from vizengine.networks.graph import ModelGraph

# Spread of the normalisations' parameters around 1 (factors, variances) and 0 (summands, means).
_SPREAD = 0.1


def draw_weights(graph: ModelGraph, seed: int) -> None:
    """Give every layer of a graph new weights.

    Kernels are normal with the variance 2 ÷ (coefficients that one output reads), which keeps activations behind a
    ReLU at one scale (He, Zhang, Ren and Sun, Delving Deep into Rectifiers, 2015); biases, normalisations' factors,
    summands, means and variances spread a little around 0 and 1, so that none of them can be left out unnoticed.
    Each depends on the seed and on the layer's name alone. Fixed statistics of input normalisation are kept.

    Args:
        graph: of a model that is built.
        seed: of the draws.
    """
    for node in graph.nodes:
        operation = node.operation
        if not isinstance(operation, keras.Layer) or isinstance(operation, keras.layers.Normalization):
            continue
        for place, variable in enumerate(operation.weights):
            digest = hashlib.sha256(f"{seed}/{node.name}/{place}".encode()).digest()
            generator = np.random.default_rng(int.from_bytes(digest[:8], "big"))
            variable.assign(_draw(variable, generator))


def _draw(variable: keras.Variable, generator: np.random.Generator) -> NDArray[np.float32]:
    shape, kind = tuple(variable.shape), variable.name
    values = generator.standard_normal(shape)
    if "kernel" in kind and len(shape) > 1:
        # A depthwise kernel's outputs read one channel each.
        reads = np.prod(shape[:2]) if "depthwise" in variable.path or "depthwise" in kind else np.prod(shape[:-1])
        values = values * np.sqrt(2.0 / reads)
        return np.asarray(values, np.float32)
    if kind in ("gamma", "moving_variance"):
        return np.abs(1.0 + _SPREAD * values).astype(np.float32)
    return (_SPREAD * values).astype(np.float32)
