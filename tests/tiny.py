"""A tiny network with every kind of layer on the way to a unit."""

from __future__ import annotations

import numpy as np

from vizengine.network.architecture import Architecture
from vizengine.network.files import LayerWeights
from vizengine.network.layers import LayerSpec


def tiny_architecture() -> Architecture:
    """Two branches, joined, pooled and read by a last conv layer; RGB input."""
    return Architecture(
        name="tiny",
        title="Tiny",
        layers=(
            LayerSpec("input", "input"),
            LayerSpec("first", "conv", ("input",), 6, 3, 2, "valid", "relu"),
            LayerSpec("left", "conv", ("first",), 4, 1, activation="relu"),
            LayerSpec("right", "conv", ("first",), 5, 3, activation="relu"),
            LayerSpec("joined", "concat", ("left", "right")),
            LayerSpec("pool", "max_pool", ("joined",), kernel=3, stride=2, padding="valid"),
            LayerSpec("last", "conv", ("pool",), 7, 3, 2, "same", "relu"),
            LayerSpec("end", "conv", ("last",), 3, 1, activation="relu"),
        ),
        input_size=64,
        channel_order="rgb",
        channel_mean=(120.0, 110.0, 100.0),
        citation="none",
        weights_credit="none",
    )


def tiny_weights(seed: int = 0) -> LayerWeights:
    """Seeded weights at a scale that keeps activations in range."""
    generator = np.random.default_rng(seed)
    architecture = tiny_architecture()
    weights: LayerWeights = {}
    for layer in architecture.conv_layers:
        shape = (layer.kernel, layer.kernel, architecture.channels(layer.inputs[0]), layer.filters)
        kernel = generator.normal(0, np.sqrt(2 / np.prod(shape[:3])), shape).astype(np.float32)
        weights[layer.name] = (kernel, generator.normal(0, 1, layer.filters).astype(np.float32))
    return weights
