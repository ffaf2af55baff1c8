"""The kernel and bias of a conv layer as one plain convolution, with the batch normalisation behind it folded in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from vizengine.networks.architecture import Architecture
from vizengine.networks.graph import Node

Arrays = tuple[NDArray[np.float32], NDArray[np.float32]]


class FoldedWeights(Mapping[str, Arrays]):
    """Kernel and bias by name of conv layer, read from the Keras model when they are asked for.

    A separable convolution is one kernel of its depthwise and pointwise ones; a dense layer on a map has a window of
    one position; a depthwise convolution has as many groups as channels. With a batch normalisation behind it,
    `γ (K ⋆ a + b − μ) ÷ √(σ² + ε) + β` is the convolution with `K γ ÷ √(σ² + ε)`.

    Args:
        architecture: the layers.
        nodes: of the Keras model, by name.
    """

    def __init__(self, architecture: Architecture, nodes: Mapping[str, Node]) -> None:
        self._architecture = architecture
        self._nodes = nodes
        self._folded: dict[str, Arrays] = {}

    def __getitem__(self, name: str) -> Arrays:
        """(height, width, channels that one unit reads, units) kernel and (units,) bias, float32."""
        if name not in self._nodes or not self._architecture.layer(name).is_conv:
            raise KeyError(name)
        if name not in self._folded:
            self._folded[name] = self._fold(name)
        return self._folded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(spec.name for spec in self._architecture.conv_layers)

    def __len__(self) -> int:
        return len(self._architecture.conv_layers)

    def _fold(self, name: str) -> Arrays:
        operation: Any = self._nodes[name].layer
        kernel = _kernel(operation)
        bias = _array(operation.bias) if operation.bias is not None else np.zeros(kernel.shape[-1])
        norm = self._architecture.norm_after(name)
        if norm is not None:
            scale, shift = channel_scale(self._nodes[norm.name].layer)
            kernel, bias = kernel * scale, bias * scale + shift
        return kernel.astype(np.float32), bias.astype(np.float32)


def channel_scale(norm: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The factor and the summand by which a batch normalisation changes each channel, (channels,) each."""
    scale = 1.0 / np.sqrt(_array(norm.moving_variance) + norm.epsilon)
    if norm.gamma is not None:
        scale = scale * _array(norm.gamma)
    shift = -_array(norm.moving_mean) * scale
    return scale, shift + _array(norm.beta) if norm.beta is not None else shift


def _kernel(operation: Any) -> NDArray[np.float64]:
    if isinstance(operation, keras.layers.SeparableConv2D):
        depthwise, pointwise = _array(operation.depthwise_kernel), _array(operation.pointwise_kernel)
        rows, columns, channels, multiplier = depthwise.shape
        mixed = pointwise.reshape(channels, multiplier, -1)
        return np.asarray(np.einsum("hwcm,cmu->hwcu", depthwise, mixed, optimize=True))
    kernel = _array(operation.kernel)
    if isinstance(operation, keras.layers.DepthwiseConv2D):
        return kernel.reshape(*kernel.shape[:2], 1, -1)
    return kernel[None, None] if kernel.ndim == 2 else kernel


def _array(variable: Any) -> NDArray[np.float64]:
    return np.asarray(keras.ops.convert_to_numpy(variable), np.float64)
