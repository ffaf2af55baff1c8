"""Compares a conv layer's sums, ablations, kernels and receptive fields with the Keras model itself.

Each is computed a second time with the model's own layers.
"""

from __future__ import annotations

import gc
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vizengine.config.applications import APPLICATIONS
from vizengine.config.network import NetworkSection
from vizengine.measures.expanded import earlier_layers
from vizengine.measures.inputs import Circuit, analyse
from vizengine.measures.unit import Forward
from vizengine.network.architecture import Untraceable
from vizengine.network.catalogue import RANDOM
from vizengine.network.layers import INPUT, LayerSpec
from vizengine.network.linear import LinearNetwork
from vizengine.network.live import LiveNetwork
from vizengine.network.open import describe_keras, open_keras
from vizengine.runtime import keras
from vizengine.runtime import tensorflow as tf

TOLERANCE = 1e-4
# Least side of the images that are sent through; some networks leave nothing of smaller ones.
_SIDE = 160
# How many conv layers back the expanded weights reach; nearer for a layer that hasn't so many before it.
_BACK = 3
# By what a gradient is multiplied before it goes back. One way alone leads to the edge of a deep network's field,
# through a hundred kernels' edges, and what comes there is less than float32's smallest number. What overflows in the
# middle at the second factor isn't zero either, and goes nowhere else.
_FACTORS = (1.0, 2.0**127)


@dataclass(frozen=True)
class Audit:
    """What the checks of one conv layer gave.

    Attributes:
        layer: its name.
        kind: `conv`, `depthwise`, `separable`, or `grouped conv`.
        inputs: channels that one unit reads.
        sites: names of the layers that make them.
        contributions: largest difference between bias plus contributions and the model's own pre-activation, as a
            share of the largest pre-activation.
        ablation: the same between the pre-activation less one channel's contribution and the model's own with that
            channel at zero.
        earlier: the layer to which the expanded weights reach back.
        expanded: largest difference between the expanded weights and autodiff through the model's own layers,
            linearized, as a share of the largest weight.
        field: (rows, columns) of the receptive field, in pixels.
        field_as_measured: whether the gradient's support begins and ends just there on both axes.
    """

    layer: str
    kind: str
    inputs: int
    sites: tuple[str, ...]
    contributions: float
    ablation: float
    earlier: str
    expanded: float
    field: tuple[int, ...]
    field_as_measured: bool

    @property
    def passed(self) -> bool:
        """Whether all four checks hold."""
        return max(self.contributions, self.ablation, self.expanded) <= TOLERANCE and self.field_as_measured


def audit(network: LiveNetwork, layer: str, unit: int) -> Audit:
    """Check one unit of a conv layer of a network whose layers are a Keras model's.

    Raises:
        Untraceable: the layer's inputs can't be traced.
    """
    architecture = network.architecture
    sources = architecture.source_channels(layer, unit)
    circuit = analyse(layer, unit, *network.weights[layer], sources, 6)
    spec = architecture.layer(layer)
    contributions, ablation = _sums(network, circuit)
    before = earlier_layers(architecture, layer)
    reaching = [name for name in before if name == INPUT or layer in architecture.behind(name)]
    earlier = reaching[min(_BACK, len(reaching)) - 1]
    return Audit(
        layer=layer,
        kind="grouped conv" if spec.kind == "conv" and spec.groups > 1 else spec.kind,
        inputs=len(sources),
        sites=tuple(dict.fromkeys(source.layer for source in sources)),
        contributions=contributions,
        ablation=ablation,
        earlier=earlier,
        expanded=_expanded(network, earlier, layer, unit),
        field=tuple(architecture.receptive_field(layer, axis=axis).size for axis in (0, 1)),
        field_as_measured=all(_field_holds(network, layer, axis) for axis in (0, 1)),
    )


def _sums(network: LiveNetwork, circuit: Circuit) -> tuple[float, float]:
    """Errors of the contributions' sum and of an ablation, on noise."""
    architecture, layer = network.architecture, circuit.layer
    forward = Forward(network, circuit)
    pixels = np.random.default_rng(0).uniform(0, 1, (_SIDE, _SIDE + 32, 3)).astype(np.float32)
    unit_map = forward.one(pixels).unit_map
    spec = architecture.layer(layer)
    feed = network.model_upto(spec.inputs[0])(network.prepare(tf.constant(pixels[None]), layer), training=False)
    expected = _pre_activation(network, layer, feed)[0, ..., circuit.unit]
    scale = float(np.abs(expected).max())
    channel = circuit.strongest[0].index
    without = np.array(feed)
    without[..., architecture.reads(layer, circuit.unit).start + channel] = 0
    ablated = _pre_activation(network, layer, tf.constant(without))[0, ..., circuit.unit]
    remaining = unit_map.pre - unit_map.contributions[..., channel]
    return float(np.abs(unit_map.pre - expected).max()) / scale, float(np.abs(remaining - ablated).max()) / scale


def _pre_activation(network: LiveNetwork, layer: str, feed: tf.Tensor) -> NDArray[np.float32]:
    """By the model's own layers: the conv layer without its activation, and the normalisation folded into it."""
    spec, normalized = network.architecture.layer(layer), network.architecture.pre_activation(layer)
    with _without_activation(network, spec):
        pre = network.apply(spec, {spec.inputs[0]: feed})
    if normalized != layer:
        pre = network.apply(network.architecture.layer(normalized), {layer: pre})
    return np.asarray(pre)


@contextmanager
def _without_activation(network: LiveNetwork, spec: LayerSpec) -> Iterator[None]:
    operation: Any = network.nodes[spec.name].layer
    activation = getattr(operation, "activation", None)
    if activation is not None:
        operation.activation = keras.activations.linear
    try:
        yield
    finally:
        if activation is not None:
            operation.activation = activation


def _expanded(network: LiveNetwork, first: str, layer: str, unit: int) -> float:
    linear = LinearNetwork(network, first, layer, unit)
    canvas, weights = linear.canvas, linear.weights()
    shape = (1, canvas.side, canvas.side, network.architecture.channels(first))
    gradient = _gradient(
        lambda tensor: _linearized(network, first, layer, tensor)[0, canvas.position, canvas.position, unit], shape
    )
    end = canvas.first + canvas.size
    expected = gradient[canvas.first : end, canvas.first : end]
    return float(np.abs(weights - expected).max() / np.abs(expected).max())


def _gradient(value: Callable[[tf.Tensor], tf.Tensor], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """At zero, without the batch axis."""
    # The kernels' own gradients aren't wanted, and cost most.
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tensor = tf.zeros(shape)
        tape.watch(tensor)
        result = value(tensor)
    return np.asarray(tape.gradient(result, tensor)[0])


def _linearized(network: LiveNetwork, first: str, layer: str, tensor: tf.Tensor) -> Any:
    """All pre-activations of `layer` by the model's own layers, linearized."""
    architecture = network.architecture
    last = architecture.pre_activation(layer)
    # A normalisation that is folded into the first layer belongs to it.
    start = first if first == INPUT else architecture.pre_activation(first)
    tensors: dict[str, Any] = {start: tensor}
    for spec in architecture.upto(last):
        if spec.name != start and set(tensors).intersection(spec.maps):
            tensors[spec.name] = _linearized_layer(network, spec, tensors)
    return tensors[last]


def _linearized_layer(network: LiveNetwork, spec: LayerSpec, tensors: Mapping[str, Any]) -> Any:
    like = next(tensors[name] for name in spec.maps if name in tensors)
    match spec.kind:
        case "activation" | "identity" | "multiply":
            return like
        case "max_pool":
            return keras.layers.AveragePooling2D(spec.window, spec.stride, padding=spec.padding)(like)
        case "layer_norm" | "group_norm":
            gamma = network.nodes[spec.name].layer.gamma
            return like if gamma is None else like * tf.convert_to_tensor(gamma)
        case "add" | "concat":
            shapes = {name: (*like.shape[:-1], network.architecture.channels(name)) for name in spec.maps}
            filled = {name: tensors[name] if name in tensors else tf.zeros(shapes[name]) for name in spec.maps}
            return network.apply(spec, {**filled, **{name: tf.zeros((1, 1, 1, 1)) for name in spec.gates}})
    with _without_activation(network, spec):
        return network.apply(spec, dict(tensors))


def _field_holds(network: LiveNetwork, layer: str, axis: int) -> bool:
    """Whether the gradient of the linearized model begins and ends where the field does, along one axis."""
    architecture = network.architecture
    field = architecture.receptive_field(layer, axis=axis)
    long = architecture.fitting(max(field.size + 2 * field.stride, _SIDE), layer)
    short = architecture.fitting(_SIDE, layer)
    sides = (long, short) if axis == 0 else (short, long)
    place = [architecture.side(layer, side, which) // 2 for which, side in enumerate(sides)]
    shape = (1, *sides, architecture.channels(INPUT))
    first, end = architecture.receptive_field(layer, long, axis).window(place[axis])
    for factor in _FACTORS:
        gradient = _gradient(
            lambda tensor, factor=factor: (
                factor  # type: ignore[misc]
                * tf.reduce_sum(_linearized(network, INPUT, layer, tensor)[0, place[0], place[1]])
            ),
            shape,
        )
        touched = np.flatnonzero((gradient != 0).any(axis=(1 - axis, 2)))
        if (int(touched[0]), int(touched[-1]) + 1) == (max(first, 0), min(end, long)):
            return True
    return False


UNIT = 3
_BEGIN, _END = "<!-- table -->", "<!-- end of table -->"
_HEAD = (
    "| network | layer | kind | inputs of a unit | sum | ablation | expanded, from | receptive field | result |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


def opened(name: str) -> LiveNetwork:
    """A network of keras.applications with seeded random weights."""
    section = NetworkSection(model=name, weights=RANDOM)
    graph = open_keras(section, RANDOM, None, Path())
    return LiveNetwork(describe_keras(section, graph, ""), graph)


def rows(name: str) -> Iterator[str]:
    """The rows of one network: its second conv layer, the middle one and the last."""
    network = opened(name)
    layers = [spec.name for spec in network.architecture.conv_layers]
    for layer in (layers[1], layers[len(layers) // 2], layers[-1]):
        try:
            yield row(name, audit(network, layer, UNIT))
        except Untraceable as error:
            yield f"| {name} | `{layer}` | | | | | | | not supported: {error} |"


def row(name: str, checks: Audit) -> str:
    """What the checks of one layer of a network gave."""
    field = f"{checks.field[0]} × {checks.field[1]} px{'' if checks.field_as_measured else ', not as measured'}"
    result = "holds" if checks.passed else "**fails**"
    return (
        f"| {name} | `{checks.layer}` | {checks.kind} | {checks.inputs} | {checks.contributions:.0e} | "
        f"{checks.ablation:.0e} | {checks.expanded:.0e}, `{checks.earlier}` | {field} | {result} |"
    )


def by_network(text: str) -> dict[str, list[str]]:
    """The rows of a table by the network that they are of."""
    table: dict[str, list[str]] = {}
    for line in text.splitlines():
        name = re.match(r"\| (\w+) \|", line)
        if name and name[1] in APPLICATIONS:
            table.setdefault(name[1], []).append(line)
    return table


def merged(text: str, fresh: dict[str, list[str]]) -> str:
    """The page with the rows of some networks made anew, in the order of `APPLICATIONS`."""
    before, _, rest = text.partition(_BEGIN)
    table, _, after = rest.partition(_END)
    whole = {**by_network(table), **fresh}
    lines = "\n".join([_HEAD, *(line for name in APPLICATIONS for line in whole.get(name, ()))])
    return f"{before}{_BEGIN}\n\n{lines}\n\n{_END}{after}"


def main(names: Sequence[str]) -> int:
    """Check the networks named, all by default, and write their rows as they come; 1 where a check fails, else 0."""
    page = Path(__file__).resolve().parent.parent / "docs" / "networks.md"
    failed = False
    for name in names or tuple(APPLICATIONS):
        lines = list(rows(name))
        failed |= any("**fails**" in row for row in lines)
        page.write_text(merged(page.read_text(encoding="utf-8"), {name: lines}), encoding="utf-8", newline="\n")
        sys.stderr.write("\n".join(lines) + "\n")
        gc.collect()
    sys.stderr.write(f"tolerance {TOLERANCE}; {'some checks fail' if failed else 'all checks hold'}\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
