"""What each Keras layer or operation is in this package's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import keras
import numpy as np

from vizengine.networks.layer import LayerSpec, Margins

if TYPE_CHECKING:
    from vizengine.networks.graph import Node

# Sides of a map that no pooling, upsampling or reshaping gives by chance.
_UNLIKE = (61, 97)
Shapes = Mapping[str, tuple[int | None, ...]]
_ACTIVATION_LAYERS = (
    keras.layers.ReLU,
    keras.layers.LeakyReLU,
    keras.layers.PReLU,
    keras.layers.ELU,
)
_SILENT_LAYERS = (
    keras.layers.Dropout,
    keras.layers.SpatialDropout2D,
    keras.layers.GaussianNoise,
    keras.layers.GaussianDropout,
    keras.layers.AlphaDropout,
    keras.layers.ActivityRegularization,
    keras.layers.Identity,
    keras.layers.RandomFlip,
    keras.layers.RandomRotation,
    keras.layers.RandomZoom,
    keras.layers.RandomTranslation,
    keras.layers.RandomContrast,
    keras.layers.RandomBrightness,
)
# Layers of keras.applications' own, and operations of keras.ops, which are no layers, by the name of their class.
_BY_NAME: dict[str, dict[str, Any]] = {
    "CustomScaleLayer": {"kind": "add"},
    "LayerScale": {"kind": "scale"},
    "StochasticDepth": {"kind": "identity"},
    **{
        name: {"kind": "activation", "activation": name.lower()}
        for name in "Relu Relu6 Sigmoid Silu Gelu Tanh Elu Selu Softplus HardSigmoid HardSilu LeakyRelu Mish".split()
    },
}
_ARITHMETIC = ("Add", "Multiply", "Subtract", "TrueDivide", "Divide")


def describe_operation(node: Node, shapes: Shapes) -> LayerSpec:
    """A node as plain data.

    Args:
        node: one call of an operation.
        shapes: of the outputs of all nodes.
    """
    operation = node.layer
    found = _other(operation, node, shapes)
    if type(operation).call.__module__.startswith("keras."):
        found = _window(operation, node, shapes) or _reading(operation, node, shapes) or found
    weights = sum(variable.shape.num_elements() for variable in _trainable(operation))
    return LayerSpec(
        name=node.name,
        inputs=node.inputs,
        gates=_gates(node, shapes) if found["kind"] in ("add", "multiply", "concat") else (),
        operation=type(operation).__name__,
        weights=weights,
        sides=_sides(node, shapes) if found["kind"] == "other" else "kept",
        **found,
    )


def _sides(node: Node, shapes: Shapes) -> Literal["kept", "one", "unknown"]:
    """What becomes of a map's sides in a layer that this package doesn't know, by asking it with sides unlike any."""
    if len(node.shape) == 2:
        return "one"
    if len(node.shape) != 4:
        return "unknown"
    asked = {
        name: keras.KerasTensor((1, *_UNLIKE, shapes[name][3]) if len(shapes[name]) == 4 else (1, *shapes[name][1:]))
        for name in node.inputs
    }
    try:
        given = node.on(asked, node.operation.compute_output_spec)
    # Whatever a layer of the user's raises when it is asked: then it isn't known.
    except Exception:
        return "unknown"
    return "kept" if tuple(given.shape[1:3]) == _UNLIKE else "unknown"


def _trainable(operation: keras.Operation) -> list[Any]:
    """Variables that training changes, whether or not the layer is frozen just now."""
    if not isinstance(operation, keras.Layer):
        return []
    moving = [getattr(operation, name, None) for name in ("moving_mean", "moving_variance")]
    fixed = {id(variable.value) for variable in moving if variable is not None}
    if isinstance(operation, keras.layers.Normalization):
        return []
    return [variable.value for variable in operation.weights if id(variable.value) not in fixed]


def _gates(node: Node, shapes: Shapes) -> tuple[str, ...]:
    """The inputs with one value per image and channel, where others have a map."""
    whole = [name for name in node.inputs if len(shapes[name]) != 4 or shapes[name][1:3] == (1, 1)]
    return tuple(whole) if len(whole) < len(node.inputs) else ()


def _window(operation: keras.Operation, node: Node, shapes: Shapes) -> dict[str, Any] | None:
    """Convolutions and pooling."""
    layers = keras.layers
    is_map = len(node.shape) == 4
    if isinstance(operation, layers.Dense):
        # On a map, a dense layer is a convolution of one position.
        common = {"filters": operation.units, "activation": _activation(operation.activation)}
        return {"kind": "conv" if is_map else "dense", **common}
    pools: tuple[tuple[Any, str], ...] = ((layers.MaxPooling2D, "max_pool"), (layers.AveragePooling2D, "average_pool"))
    for kind_of_pool, kind in pools:
        if isinstance(operation, kind_of_pool):
            return _moving(kind, operation.pool_size, operation.strides, operation.padding, operation)
    if isinstance(operation, layers.Conv2DTranspose) or not isinstance(
        operation, (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D)
    ):
        return None
    found = _moving("conv", operation.kernel_size, operation.strides, operation.padding, operation)
    if found["kind"] == "other":
        return found
    rates = operation.dilation_rate
    if rates[0] != rates[1]:
        return {"kind": "other"}
    found.update(filters=node.shape[-1], dilation=int(rates[0]), activation=_activation(operation.activation))
    if isinstance(operation, layers.SeparableConv2D):
        return {**found, "kind": "separable"}
    if isinstance(operation, layers.DepthwiseConv2D):
        return {**found, "kind": "depthwise", "groups": shapes[node.inputs[0]][-1]}
    return {**found, "groups": operation.groups}


def _moving(kind: str, window: Any, strides: Any, padding: str, operation: Any) -> dict[str, Any]:
    if strides[0] != strides[1] or operation.data_format != "channels_last" or padding not in ("same", "valid"):
        return {"kind": "other"}
    rows, columns = (int(each) for each in window)
    found = {"kind": kind, "kernel": rows, "stride": int(strides[0]), "padding": padding}
    return found if rows == columns else {**found, "columns": columns}


def _reading(operation: keras.Operation, node: Node, shapes: Shapes) -> dict[str, Any] | None:
    """Layers that keep the channels, add, multiply or join them."""
    layers = keras.layers
    last = len(node.shape) - 1
    simple: tuple[tuple[Any, Callable[[], dict[str, Any]]], ...] = (
        (layers.BatchNormalization, lambda: _along(operation, "batch_norm", last)),
        (layers.LayerNormalization, lambda: _along(operation, "layer_norm", last)),
        (layers.GroupNormalization, lambda: _along(operation, "group_norm", last)),
        (layers.Activation, lambda: _function(_activation(operation.activation))),
        (layers.Softmax, lambda: {"kind": "softmax"}),
        (_ACTIVATION_LAYERS, lambda: _function(type(operation).__name__.lower())),
        (_SILENT_LAYERS, lambda: {"kind": "identity"}),
        ((layers.Rescaling, layers.Normalization), lambda: {"kind": "scale"}),
        (layers.GlobalAveragePooling2D, lambda: {"kind": "global_average_pool"}),
        (layers.GlobalMaxPooling2D, lambda: {"kind": "global_max_pool"}),
        (layers.ZeroPadding2D, lambda: {"kind": "zero_padding", "margins": _margins(operation.padding)}),
        (layers.Cropping2D, lambda: {"kind": "cropping", "margins": _margins(operation.cropping)}),
        (layers.Add, lambda: {"kind": "add"}),
        (layers.Multiply, lambda: {"kind": "multiply"}),
        (layers.Concatenate, lambda: {"kind": "concat" if operation.axis in (-1, last) else "other"}),
        (layers.Flatten, lambda: {"kind": "flatten", "filters": _last(node)}),
        (layers.Reshape, lambda: {"kind": "reshape", "filters": _last(node)}),
    )
    return next((make() for kind, make in simple if isinstance(operation, kind)), None)


def _other(operation: Any, node: Node, shapes: Shapes) -> dict[str, Any]:
    """Operations that are no layers, layers of keras.applications' own, and the rest."""
    name = type(operation).__name__
    # A layer of the user's own may have any name, and a layer of Keras' may compute another thing in a subclass.
    if not type(operation).call.__module__.startswith("keras."):
        return {"kind": "other", "filters": _last(node)}
    if name in _ARITHMETIC and len(node.inputs) == 1:
        return {"kind": "scale"}
    if name in ("Add", "Multiply"):
        return {"kind": name.lower()}
    last = len(node.shape) - 1
    if name == "Concatenate" and operation.axis in (-1, last):
        return {"kind": "concat"}
    if name in ("Mean", "Max") and tuple(np.atleast_1d(operation.axis)) in ((1, 2), (-3, -2)):
        return {"kind": "global_average_pool" if name == "Mean" else "global_max_pool"}
    return dict(_BY_NAME.get(name, {"kind": "other", "filters": _last(node)}))


def _function(name: str) -> dict[str, Any]:
    return {"kind": "softmax"} if name == "softmax" else {"kind": "activation", "activation": name}


def _along(operation: Any, kind: str, last: int) -> dict[str, Any]:
    axis = operation.axis
    axes = [axis] if isinstance(axis, int) else list(axis)
    return {"kind": kind} if [each % (last + 1) for each in axes] == [last] else {"kind": "other"}


def _margins(given: Any) -> Margins:
    (top, bottom), (left, right) = given
    return (int(top), int(bottom)), (int(left), int(right))


def _last(node: Node) -> int:
    return int(node.shape[-1] or 0)


def _activation(function: Any) -> str:
    if function is None:
        return "linear"
    return str(getattr(function, "__name__", type(function).__name__)).lower()
