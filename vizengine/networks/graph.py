"""Read any Keras model into a graph of nodes, each an operation with what it is called with, and into plain data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import keras

from vizengine.networks.kinds import describe_operation
from vizengine.networks.layer import INPUT, LayerSpec


class Unreadable(ValueError):
    """A model whose graph can't be read."""


@dataclass(frozen=True)
class Reference:
    """Stands for a node's output among the arguments of another.

    Attributes:
        name: of the node.
    """

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
        """The operation on other tensors.

        Args:
            tensors: output of each node in `inputs`.
        """
        return self.on(tensors, self.operation)

    def on(self, tensors: Mapping[str, Any], function: Callable[..., Any]) -> Any:
        """What a function makes of the call's arguments, with other tensors in them; `tensors` as for a call."""

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
    model: keras.Model, given: tuple[int | None, int | None, int] | None
) -> tuple[int | None, int | None, int]:
    try:
        found = model.input_shape
    except (AttributeError, ValueError):
        found = None
    if isinstance(found, (list, dict)) and len(found) == 1:
        found = next(iter(found.values() if isinstance(found, dict) else found))
    if found is None and given is None:
        raise Unreadable(
            f"{type(model).__name__} doesn't say what shape its input has; name `input` (colour or grey) and, where "
            "it is fixed, `input_size` beside the model"
        )
    if found is not None and (not isinstance(found, tuple) or len(found) != 4 or isinstance(found[0], tuple)):
        raise Unreadable(f"the model takes {found}; expected one image: (batch, height, width, channels)")
    shape = given if found is None else found[1:]
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
        found = re.fullmatch(rf"{re.escape(_automatic(node.operation))}(?:_(\d+))?", node.name)
        if found:
            numbered.setdefault(_automatic(node.operation), []).append((int(found[1] or 0), node.name))
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
