"""Read a Keras model: its graph, what each layer or operation is as plain data, its folded kernels."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vizengine.network.architecture import Architecture
from vizengine.network.files import KernelAndBias
from vizengine.network.layers import INPUT, POOL_KINDS, LayerKind, LayerSpec, Margins
from vizengine.runtime import keras

# Sides of a map that no pooling, upsampling or reshaping gives by chance.
_UNLIKE = (61, 97)
Shapes = Mapping[str, tuple[int | None, ...]]
InputShape = tuple[int | None, int | None, int]


_IDENTITIES = (
    "Dropout SpatialDropout2D GaussianNoise GaussianDropout AlphaDropout ActivityRegularization Identity RandomFlip "
    "RandomRotation RandomZoom RandomTranslation RandomContrast RandomBrightness StochasticDepth".split()
)
# What layers compute, by the name of their class or of the one of Keras' that it extends.
_LAYERS: dict[str, LayerKind] = {
    "Conv2D": "conv",
    "DepthwiseConv2D": "depthwise",
    "SeparableConv2D": "separable",
    "Dense": "dense",
    "MaxPooling2D": "max_pool",
    "AveragePooling2D": "average_pool",
    "GlobalAveragePooling2D": "global_average_pool",
    "GlobalMaxPooling2D": "global_max_pool",
    "BatchNormalization": "batch_norm",
    "LayerNormalization": "layer_norm",
    "GroupNormalization": "group_norm",
    "ZeroPadding2D": "zero_padding",
    "Cropping2D": "cropping",
    "Add": "add",
    "CustomScaleLayer": "add",
    "Multiply": "multiply",
    "Concatenate": "concat",
    "Flatten": "flatten",
    "Reshape": "reshape",
    "Softmax": "softmax",
    **dict.fromkeys(("Rescaling", "Normalization", "LayerScale"), "scale"),
    **dict.fromkeys(("Activation", "ReLU", "LeakyReLU", "PReLU", "ELU"), "activation"),
    **dict.fromkeys(_IDENTITIES, "identity"),
}
# What operations of keras.ops compute, which are no layers.
_OPERATIONS: dict[str, LayerKind] = {
    "Add": "add",
    "Multiply": "multiply",
    "Concatenate": "concat",
    "Mean": "global_average_pool",
    "Max": "global_max_pool",
    **dict.fromkeys(
        "Relu Relu6 Sigmoid Silu Gelu Tanh Elu Selu Softplus HardSigmoid HardSilu LeakyRelu Mish".split(), "activation"
    ),
}
_ARITHMETIC = ("Add", "Multiply", "Subtract", "TrueDivide", "Divide")


def describe_operation(node: Node, shapes: Shapes) -> LayerSpec:
    """A node as plain data; `shapes` are those of the outputs of all nodes."""
    described = _describe(node.layer, node, shapes)
    gates: list[str] = []
    if described["kind"] in ("add", "multiply", "concat"):
        gates = [name for name in node.inputs if len(shapes[name]) != 4 or shapes[name][1:3] == (1, 1)]
    return LayerSpec(
        name=node.name,
        inputs=node.inputs,
        # Where no input has a map, none is a gate to one.
        gates=tuple(gates) if len(gates) < len(node.inputs) else (),
        operation=type(node.layer).__name__,
        weights=_trainable_weights(node.layer),
        sides=_sides(node, shapes) if described["kind"] == "other" else "kept",
        **described,
    )


def _describe(operation: Any, node: Node, shapes: Shapes) -> dict[str, Any]:
    """The kind of an operation, and what else a layer of that kind has."""
    kind, last = _kind(operation, node), len(node.shape) - 1
    other = {"kind": "other", "filters": int(node.shape[-1] or 0)}
    match kind:
        case "dense":
            # On a map, a dense layer is a convolution of one position.
            kind = "conv" if len(node.shape) == 4 else kind
            return {"kind": kind, "filters": operation.units, "activation": _activation(operation.activation)}
        case "conv" | "depthwise" | "separable" | "max_pool" | "average_pool":
            return _window(kind, operation, node, shapes) or other
        case "batch_norm" | "layer_norm" | "group_norm" | "concat":
            axes = [axis % len(node.shape) for axis in np.atleast_1d(operation.axis)]
            return {"kind": kind} if axes == [last] else other
        case "global_average_pool" | "global_max_pool" if not isinstance(operation, keras.Layer):
            return {"kind": kind} if tuple(np.atleast_1d(operation.axis)) in ((1, 2), (-3, -2)) else other
        case "activation":
            name = _activation(operation.activation if isinstance(operation, keras.layers.Activation) else operation)
            return {"kind": "softmax"} if name == "softmax" else {"kind": kind, "activation": name}
        case "zero_padding":
            return {"kind": kind, "margins": _margins(operation.padding)}
        case "cropping":
            return {"kind": kind, "margins": _margins(operation.cropping)}
        case "flatten" | "reshape" | "other":
            return {**other, "kind": kind}
    return {"kind": kind}


def _kind(operation: Any, node: Node) -> LayerKind:
    # A layer of the user's own may have any name, and a layer of Keras' may compute another thing in a subclass.
    if not type(operation).call.__module__.startswith("keras."):
        return "other"
    if isinstance(operation, keras.Layer):
        classes = [base.__name__ for base in type(operation).__mro__ if base.__module__.startswith("keras.")]
        return next((_LAYERS[name] for name in classes if name in _LAYERS), "other")
    name = type(operation).__name__
    return "scale" if name in _ARITHMETIC and len(node.inputs) == 1 else _OPERATIONS.get(name, "other")


def _window(kind: LayerKind, operation: Any, node: Node, shapes: Shapes) -> dict[str, Any] | None:
    """A convolution's or a pooling's window; None for one that moves or reaches unlike down and across."""
    is_pool = kind in POOL_KINDS
    rows, columns = operation.pool_size if is_pool else operation.kernel_size
    stride, dilation = set(operation.strides), {1} if is_pool else set(operation.dilation_rate)
    uneven = len(stride) > 1 or len(dilation) > 1
    if uneven or operation.data_format != "channels_last" or operation.padding not in ("same", "valid"):
        return None
    window: dict[str, Any] = {"kind": kind, "kernel": int(rows), "stride": int(*stride), "padding": operation.padding}
    window |= {"columns": None if rows == columns else int(columns), "dilation": int(*dilation)}
    if is_pool:
        return window
    groups = shapes[node.inputs[0]][-1] if kind == "depthwise" else getattr(operation, "groups", 1)
    return {**window, "filters": node.shape[-1], "groups": groups, "activation": _activation(operation.activation)}


def _activation(function: Any) -> str:
    if function is None:
        return "linear"
    return str(getattr(function, "__name__", type(function).__name__)).lower()


def _margins(margins: Any) -> Margins:
    (top, bottom), (left, right) = margins
    return (int(top), int(bottom)), (int(left), int(right))


def _trainable_weights(operation: keras.Operation) -> int:
    """Number of weights that training changes, whether or not the layer is frozen just now."""
    if not isinstance(operation, keras.Layer) or isinstance(operation, keras.layers.Normalization):
        return 0
    moving = [getattr(operation, name, None) for name in ("moving_mean", "moving_variance")]
    fixed = {id(variable.value) for variable in moving if variable is not None}
    return sum(variable.value.shape.num_elements() for variable in operation.weights if id(variable.value) not in fixed)


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


class FoldedWeights(Mapping[str, KernelAndBias]):
    """Kernel and bias by name of conv layer, read from the Keras model when they are asked for.

    A separable convolution is one kernel of its depthwise and pointwise ones; a dense layer on a map has a window of
    one position; a depthwise convolution has as many groups as channels. With a batch normalisation behind it,
    `γ (K ⋆ a + b − μ) ÷ √(σ² + ε) + β` is the convolution with `K γ ÷ √(σ² + ε)`.
    """

    def __init__(self, architecture: Architecture, nodes: Mapping[str, Node]) -> None:
        self._architecture = architecture
        self._nodes = nodes
        self._folded: dict[str, KernelAndBias] = {}

    def __getitem__(self, name: str) -> KernelAndBias:
        """(height, width, channels that one unit reads, units) kernel and (units,) bias, float32."""
        if name not in self._nodes or not self._architecture.layer(name).is_conv:
            raise KeyError(name)
        if name not in self._folded:
            operation: Any = self._nodes[name].layer
            kernel = _kernel(operation)
            bias = _array(operation.bias) if operation.bias is not None else np.zeros(kernel.shape[-1])
            if norm := self._architecture.norm_after(name):
                scale, shift = channel_scale(self._nodes[norm.name].layer)
                kernel, bias = kernel * scale, bias * scale + shift
            self._folded[name] = kernel.astype(np.float32), bias.astype(np.float32)
        return self._folded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(spec.name for spec in self._architecture.conv_layers)

    def __len__(self) -> int:
        return len(self._architecture.conv_layers)


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
        input_shape: (height, width, channels), a side None where it is free.
    """

    nodes: tuple[Node, ...]
    layers: tuple[LayerSpec, ...]
    input_shape: InputShape


def read_model(model: keras.Model, input_shape: InputShape | None = None) -> ModelGraph:
    """Take a functional, sequential or subclassed model of one image apart, models inside it too.

    `input_shape` is (height, width, channels) of that image, where the model doesn't say it.

    Raises:
        Unreadable: with what stands in the way.
    """
    shape = _input_shape(model, input_shape)
    source = keras.Input(shape)
    names = {id(source): INPUT}
    nodes: list[Node] = []
    # Tensors are held for as long as their identity names them.
    held: list[Any] = [source]
    output = _expand(model, (source,), {}, nodes, names, held)
    needed = {names[id(keras.tree.flatten(output)[0])]}
    for node in reversed(nodes):
        if node.name in needed:
            needed.update(node.inputs)
    nodes = _renamed([node for node in nodes if node.name in needed])
    shapes = {INPUT: tuple(source.shape), **{node.name: node.shape for node in nodes}}
    layers = (LayerSpec(INPUT, "input"), *(describe_operation(node, shapes) for node in nodes))
    return ModelGraph(tuple(nodes), layers, shape)


def _input_shape(model: keras.Model, stated: InputShape | None) -> InputShape:
    try:
        taken = model.input_shape
    except (AttributeError, ValueError):
        taken = None
    if isinstance(taken, (list, dict)) and len(taken) == 1:
        taken = next(iter(taken.values() if isinstance(taken, dict) else taken))
    if taken is not None and (not isinstance(taken, tuple) or len(taken) != 4 or isinstance(taken[0], tuple)):
        raise Unreadable(f"the model takes {taken}; expected one image: (batch, height, width, channels)")
    shape = stated if taken is None else taken[1:]
    if shape is None:
        raise Unreadable(
            f"{type(model).__name__} doesn't say what shape its input has; name `input` (colour or grey) and, where "
            "it is fixed, `input_size` beside the model"
        )
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
    inner = keras.tree.map_structure(
        lambda leaf: keras.Input(batch_shape=leaf.shape, dtype=leaf.dtype) if _is_tensor(leaf) else leaf,
        (arguments, dict(keywords)),
    )
    outer = _tensors((arguments, dict(keywords)))
    replaced = dict(zip(map(id, _tensors(inner)), outer, strict=True))
    held.append(inner)
    try:
        output = model.call(*inner[0], **inner[1])
    except Exception as error:
        # The first line, without the sentence at its end that announces an example.
        reason = re.sub(r"\.\s[^.]*:$", ".", str(error).strip().splitlines()[0])
        raise Unreadable(
            f"{model.name} ({type(model).__name__}) can't be called with a symbolic tensor, so its layers can't be "
            f"read ({type(error).__name__}: {reason}); expected a model made of Keras "
            "layers and `keras.ops` in place of TensorFlow's own operations"
        ) from error
    held.append(output)
    for operation, call, outputs in _calls(_tensors(output), set(replaced)):
        held.append(outputs)
        arguments, keywords = keras.tree.map_structure(
            lambda leaf: replaced.get(id(leaf), leaf), (tuple(call.args), dict(call.kwargs))
        )
        if type(operation).__name__ == "ConvertToTensor":
            # Models convert their input; a symbolic tensor stays what it is.
            result = _tensors(arguments)
        elif _is_composite(operation):
            result = _tensors(_expand(operation, arguments, keywords, nodes, names, held))
        else:
            result = outputs
            arguments, keywords = keras.tree.map_structure(
                lambda leaf: Reference(names[id(leaf)]) if _is_tensor(leaf) else leaf, (arguments, keywords)
            )
            if len(outputs) != 1:
                raise Unreadable(f"{operation.name} gives {len(outputs)} tensors; expected layers that give one")
            taken = {INPUT, *(node.name for node in nodes)}
            numbered = (f"{operation.name}:{number}" for number in range(2, len(taken) + 3))
            name = next(name for name in (operation.name, *numbered) if name not in taken)
            nodes.append(Node(name, operation, arguments, keywords, tuple(outputs[0].shape)))
            names[id(outputs[0])] = name
        replaced.update(zip(map(id, outputs), result, strict=True))
    return keras.tree.map_structure(lambda leaf: replaced.get(id(leaf), leaf), output)


def _calls(outputs: list[Any], known: set[int]) -> list[tuple[keras.Operation, Any, list[Any]]]:
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
    return order


def _is_composite(operation: keras.Operation) -> bool:
    """Whether an operation is made of other layers: a model, or a layer of the user's with layers in it."""
    if isinstance(operation, keras.Model):
        return True
    is_keras = type(operation).__module__.startswith("keras.") or not isinstance(operation, keras.Layer)
    return not is_keras and bool(operation._flatten_layers(include_self=False))


def _is_tensor(leaf: Any) -> bool:
    return isinstance(leaf, keras.KerasTensor)


def _tensors(structure: Any) -> list[Any]:
    return [leaf for leaf in keras.tree.flatten(structure) if _is_tensor(leaf)]


def _renamed(nodes: list[Node]) -> list[Node]:
    """The nodes with Keras' own numbering of layers without a name begun anew, as in a fresh process.

    Keras counts through all models that a process makes; a layer's name must not depend on those.
    """
    numbered: dict[str, list[tuple[int, str]]] = {}
    for node in nodes:
        base = keras.src.utils.naming.to_snake_case(type(node.operation).__name__)
        if automatic := re.fullmatch(rf"{re.escape(base)}(?:_(\d+))?", node.name):
            numbered.setdefault(base, []).append((int(automatic[1] or 0), node.name))
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
