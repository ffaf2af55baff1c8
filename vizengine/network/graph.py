"""Read a Keras model: its graph, what each layer or operation is as plain data, its folded kernels."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vizengine.network.architecture import Architecture
from vizengine.network.files import KernelAndBias, LayerWeights
from vizengine.network.layers import INPUT, LayerSpec, Margins
from vizengine.runtime import keras

# Sides of a map that no pooling, upsampling or reshaping gives by chance.
_UNLIKE = (61, 97)
Shapes = Mapping[str, tuple[int | None, ...]]


_ACTIVATIONS = "ReLU LeakyReLU PReLU ELU".split()
_IDENTITIES = (
    "Dropout SpatialDropout2D GaussianNoise GaussianDropout AlphaDropout ActivityRegularization Identity RandomFlip "
    "RandomRotation RandomZoom RandomTranslation RandomContrast RandomBrightness".split()
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
    """A node as plain data; `shapes` are those of the outputs of all nodes."""
    operation = node.layer
    described = _other(operation, node)
    if type(operation).call.__module__.startswith("keras."):
        described = _window(operation, node, shapes) or _reading(operation, node) or described
    weights = sum(variable.shape.num_elements() for variable in _trainable(operation))
    return LayerSpec(
        name=node.name,
        inputs=node.inputs,
        gates=_gates(node, shapes) if described["kind"] in ("add", "multiply", "concat") else (),
        operation=type(operation).__name__,
        weights=weights,
        sides=_sides(node, shapes) if described["kind"] == "other" else "kept",
        **described,
    )


def _sides(node: Node, shapes: Shapes) -> Literal["kept", "one", "unknown"]:
    """How the sides of a map change in a layer that this package doesn't know, from its output for unusual sides."""
    if len(node.shape) == 2:
        return "one"
    if len(node.shape) != 4:
        return "unknown"
    inputs = {
        name: keras.KerasTensor((1, *_UNLIKE, shapes[name][3]) if len(shapes[name]) == 4 else (1, *shapes[name][1:]))
        for name in node.inputs
    }
    try:
        output = node.on(inputs, node.operation.compute_output_spec)
    # A layer of the user's may raise anything.
    except Exception:
        return "unknown"
    return "kept" if tuple(output.shape[1:3]) == _UNLIKE else "unknown"


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
    window = _moving("conv", operation.kernel_size, operation.strides, operation.padding, operation)
    if window["kind"] == "other":
        return window
    rates = operation.dilation_rate
    if rates[0] != rates[1]:
        return {"kind": "other"}
    window.update(filters=node.shape[-1], dilation=int(rates[0]), activation=_activation(operation.activation))
    if isinstance(operation, layers.SeparableConv2D):
        return {**window, "kind": "separable"}
    if isinstance(operation, layers.DepthwiseConv2D):
        return {**window, "kind": "depthwise", "groups": shapes[node.inputs[0]][-1]}
    return {**window, "groups": operation.groups}


def _moving(kind: str, window: Any, strides: Any, padding: str, operation: Any) -> dict[str, Any]:
    if strides[0] != strides[1] or operation.data_format != "channels_last" or padding not in ("same", "valid"):
        return {"kind": "other"}
    rows, columns = (int(side) for side in window)
    described = {"kind": kind, "kernel": rows, "stride": int(strides[0]), "padding": padding}
    return described if rows == columns else {**described, "columns": columns}


def _reading(operation: keras.Operation, node: Node) -> dict[str, Any] | None:
    """Layers that keep the channels, add, multiply or join them."""
    layers = keras.layers
    last = len(node.shape) - 1
    simple: tuple[tuple[Any, Callable[[], dict[str, Any]]], ...] = (
        (layers.BatchNormalization, lambda: _along(operation, "batch_norm", last)),
        (layers.LayerNormalization, lambda: _along(operation, "layer_norm", last)),
        (layers.GroupNormalization, lambda: _along(operation, "group_norm", last)),
        (layers.Activation, lambda: _function(_activation(operation.activation))),
        (layers.Softmax, lambda: {"kind": "softmax"}),
        (_classes(_ACTIVATIONS), lambda: _function(type(operation).__name__.lower())),
        (_classes(_IDENTITIES), lambda: {"kind": "identity"}),
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


def _other(operation: Any, node: Node) -> dict[str, Any]:
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


def _classes(names: Iterable[str]) -> tuple[type, ...]:
    return tuple(getattr(keras.layers, name) for name in names)


def _function(name: str) -> dict[str, Any]:
    return {"kind": "softmax"} if name == "softmax" else {"kind": "activation", "activation": name}


def _along(operation: Any, kind: str, last: int) -> dict[str, Any]:
    axis = operation.axis
    axes = [axis] if isinstance(axis, int) else list(axis)
    return {"kind": kind} if [axis % (last + 1) for axis in axes] == [last] else {"kind": "other"}


def _margins(margins: Any) -> Margins:
    (top, bottom), (left, right) = margins
    return (int(top), int(bottom)), (int(left), int(right))


def _last(node: Node) -> int:
    return int(node.shape[-1] or 0)


def _activation(function: Any) -> str:
    if function is None:
        return "linear"
    return str(getattr(function, "__name__", type(function).__name__)).lower()


class FoldedWeights(Mapping[str, KernelAndBias]):
    """Kernel and bias by name of conv layer, read from the Keras model when they are asked for.

    A separable convolution is one kernel of its depthwise and pointwise ones; a dense layer on a map has a window of
    one position; a depthwise convolution has as many groups as channels. With a batch normalisation behind it,
    `γ (K ⋆ a + b − μ) ÷ √(σ² + ε) + β` is the convolution with `K γ ÷ √(σ² + ε)`.
    """

    def __init__(self, architecture: Architecture, nodes: Mapping[str, Node]) -> None:
        self._architecture = architecture
        self._nodes = nodes
        self._folded: LayerWeights = {}

    def __getitem__(self, name: str) -> KernelAndBias:
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

    def _fold(self, name: str) -> KernelAndBias:
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


class Unreadable(ValueError):
    """A model whose graph can't be read."""


@dataclass(frozen=True)
class Reference:
    """Stands for the output of the node `name` among the arguments of another."""

    name: str


@dataclass(frozen=True)
class Node:
    """One call of one operation.

    Attributes:
        name: of the layer, unique in the graph.
        operation: a Keras layer or operation.
        arguments, keywords: of the call, with a `Reference` in the place of each tensor.
        shape: of its output, (batch, height, width, channels) or (batch, channels), None where it is free.
    """

    name: str
    operation: keras.Operation
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any]
    shape: tuple[int | None, ...]

    @property
    def layer(self) -> keras.Operation:
        """What computes outside of training: the operation, or the layer that a spectral normalisation wraps.

        Such a wrapper scales the kernel while it trains, and keeps what it scaled.
        """
        wrapped = isinstance(self.operation, keras.layers.SpectralNormalization)
        return self.operation.layer if wrapped else self.operation

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the nodes that feed it, in the order of its arguments."""
        leaves = keras.tree.flatten((self.arguments, dict(self.keywords)))
        return tuple(leaf.name for leaf in leaves if isinstance(leaf, Reference))

    def __call__(self, tensors: Mapping[str, Any]) -> Any:
        """The operation on other tensors: one for each node in `inputs`."""
        return self.on(tensors, self.operation)

    def on(self, tensors: Mapping[str, Any], function: Callable[..., Any]) -> Any:
        """Call `function` with the node's arguments, in which `tensors` stand for the outputs of `inputs`."""

        def fill(leaf: Any) -> Any:
            return tensors[leaf.name] if isinstance(leaf, Reference) else leaf

        arguments, keywords = keras.tree.map_structure(fill, (self.arguments, dict(self.keywords)))
        return function(*arguments, **keywords)


@dataclass(frozen=True)
class ModelGraph:
    """A Keras model, taken apart.

    Attributes:
        nodes: in order of computation, without the input.
        layers: the same as plain data, with the input first.
        input_shape: (height, width, channels), None where a side is free.
    """

    nodes: tuple[Node, ...]
    layers: tuple[LayerSpec, ...]
    input_shape: tuple[int | None, int | None, int]


def read_model(model: keras.Model, input_shape: tuple[int | None, int | None, int] | None = None) -> ModelGraph:
    """Take a model apart, models inside it too.

    Args:
        model: functional, sequential or subclassed, with one image as input.
        input_shape: (height, width, channels) of that image, where the model doesn't say it itself.

    Raises:
        Unreadable: with what stands in the way.
    """
    shape = _input_shape(model, input_shape)
    source = keras.Input(shape)
    names = {id(source): INPUT}
    # Tensors are held for as long as their identity names them.
    nodes: list[Node] = []
    held: list[Any] = [source]
    output = _expand(model, (source,), {}, nodes, names, held)
    last = keras.tree.flatten(output)[0]
    wanted = {names[id(last)]}
    for node in reversed(nodes):
        if node.name in wanted:
            wanted.update(node.inputs)
    kept = _renamed([node for node in nodes if node.name in wanted])
    shapes = {INPUT: tuple(source.shape), **{node.name: node.shape for node in kept}}
    layers = (LayerSpec(INPUT, "input"), *(describe_operation(node, shapes) for node in kept))
    return ModelGraph(tuple(kept), layers, shape)


def _input_shape(
    model: keras.Model, stated: tuple[int | None, int | None, int] | None
) -> tuple[int | None, int | None, int]:
    try:
        own = model.input_shape
    except (AttributeError, ValueError):
        own = None
    if isinstance(own, (list, dict)) and len(own) == 1:
        own = next(iter(own.values() if isinstance(own, dict) else own))
    if own is None and stated is None:
        raise Unreadable(
            f"{type(model).__name__} doesn't say what shape its input has; name `input` (colour or grey) and, where "
            "it is fixed, `input_size` beside the model"
        )
    if own is not None and (not isinstance(own, tuple) or len(own) != 4 or isinstance(own[0], tuple)):
        raise Unreadable(f"the model takes {own}; expected one image: (batch, height, width, channels)")
    shape = stated if own is None else own[1:]
    assert shape is not None
    if shape[2] not in (1, 3):
        raise Unreadable(
            f"the model takes images with {shape[2]} channels; expected 3 (colour) or 1 (grey), channels last"
        )
    return shape[0], shape[1], shape[2]


def _expand(
    model: keras.Operation,
    arguments: tuple[Any, ...],
    keywords: Mapping[str, Any],
    nodes: list[Node],
    names: dict[int, str],
    held: list[Any],
) -> Any:
    """Call a model on symbolic tensors and append the nodes that this takes; its output, in tensors of `names`."""
    # Not the caller's tensors: between those and the output all other nodes of the graph would lie.
    inner = keras.tree.map_structure(_like, (arguments, dict(keywords)))
    outer = _tensors((arguments, dict(keywords)))
    replaced = {id(a): b for a, b in zip(_tensors(inner), outer, strict=True)}
    held.append(inner)
    try:
        output = model.call(*inner[0], **inner[1])
    except Exception as error:
        raise Unreadable(
            f"{model.name} ({type(model).__name__}) can't be called with a symbolic tensor, so its layers can't be "
            f"read ({type(error).__name__}: {_first_words(error)}); expected a model made of Keras "
            "layers and `keras.ops` in place of TensorFlow's own operations"
        ) from error
    held.append(output)
    for operation, call, outputs in _calls(_tensors(output), set(replaced)):
        held.append(outputs)
        own_arguments, own_keywords = keras.tree.map_structure(
            lambda leaf: replaced.get(id(leaf), leaf), (tuple(call.args), dict(call.kwargs))
        )
        if type(operation).__name__ == "ConvertToTensor":
            # Models convert what they are given; a symbolic tensor stays what it is.
            result = _tensors(own_arguments)
        elif _is_composite(operation):
            result = _tensors(_expand(operation, own_arguments, own_keywords, nodes, names, held))
        else:
            result = outputs
            referring = keras.tree.map_structure(
                lambda leaf: Reference(names[id(leaf)]) if _is_tensor(leaf) else leaf, (own_arguments, own_keywords)
            )
            if len(outputs) != 1:
                raise Unreadable(f"{operation.name} gives {len(outputs)} tensors; expected layers that give one")
            name = _unique(operation.name, {node.name for node in nodes} | {INPUT})
            nodes.append(Node(name, operation, referring[0], referring[1], tuple(outputs[0].shape)))
            names[id(outputs[0])] = name
        replaced.update({id(a): b for a, b in zip(outputs, result, strict=True)})
    return keras.tree.map_structure(lambda leaf: replaced.get(id(leaf), leaf), output)


def _first_words(error: Exception) -> str:
    """The first line of an error, without the sentence at its end that announces an example."""
    return re.sub(r"\.\s[^.]*:$", ".", str(error).strip().splitlines()[0])


def _calls(outputs: list[Any], known: set[int]) -> Iterator[tuple[keras.Operation, Any, list[Any]]]:
    """The calls between tensors in `known` and `outputs`, each after those that it needs."""
    done: set[int] = set()
    order: list[tuple[keras.Operation, Any, list[Any]]] = []
    stack = [(tensor, False) for tensor in reversed(outputs)]
    while stack:
        tensor, ready = stack.pop()
        if id(tensor) in known:
            continue
        operation, index, _ = tensor._keras_history
        call = operation._inbound_nodes[index]
        if id(call) in done:
            continue
        if ready:
            done.add(id(call))
            order.append((operation, call.arguments, list(call.outputs)))
            continue
        stack.append((tensor, True))
        stack.extend((feed, False) for feed in reversed(call.input_tensors))
    return iter(order)


def _is_composite(operation: keras.Operation) -> bool:
    """Whether an operation is made of other layers: a model, or a layer of the user's with layers in it."""
    if isinstance(operation, keras.Model):
        return True
    own = not type(operation).__module__.startswith("keras.")
    return own and isinstance(operation, keras.Layer) and len(operation._flatten_layers(include_self=False)) > 0


def _is_tensor(leaf: Any) -> bool:
    return isinstance(leaf, keras.KerasTensor)


def _tensors(structure: Any) -> list[Any]:
    return [leaf for leaf in keras.tree.flatten(structure) if _is_tensor(leaf)]


def _like(leaf: Any) -> Any:
    return keras.Input(batch_shape=leaf.shape, dtype=leaf.dtype) if _is_tensor(leaf) else leaf


def _unique(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    return next(f"{name}:{call}" for call in range(2, len(taken) + 3) if f"{name}:{call}" not in taken)


def _renamed(nodes: list[Node]) -> list[Node]:
    """The nodes with Keras' own numbering of layers without a name begun anew, as in a fresh process.

    Keras counts through all models that a process makes; a layer's name must not depend on those.
    """
    numbered: dict[str, list[tuple[int, str]]] = {}
    for node in nodes:
        automatic = re.fullmatch(rf"{re.escape(_automatic(node.operation))}(?:_(\d+))?", node.name)
        if automatic:
            numbered.setdefault(_automatic(node.operation), []).append((int(automatic[1] or 0), node.name))
    fresh: dict[str, str] = {}
    for base, pairs in numbered.items():
        fresh.update({name: f"{base}_{place}" if place else base for place, (_, name) in enumerate(sorted(pairs))})
    # A layer that the user named as Keras would name another keeps its name, and so do those of its class.
    if len({fresh.get(node.name, node.name) for node in nodes}) < len(nodes):
        return nodes

    def rename(leaf: Any) -> Any:
        return Reference(fresh.get(leaf.name, leaf.name)) if isinstance(leaf, Reference) else leaf

    renamed = []
    for node in nodes:
        arguments, keywords = keras.tree.map_structure(rename, (node.arguments, dict(node.keywords)))
        renamed.append(Node(fresh.get(node.name, node.name), node.operation, arguments, keywords, node.shape))
    return renamed


def _automatic(operation: keras.Operation) -> str:
    """The name that Keras gives an operation of this class."""
    spaced = re.sub(r"\W+", "", type(operation).__name__)
    spaced = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", spaced)
    return re.sub("([a-z])([A-Z])", r"\1_\2", spaced).lower()
