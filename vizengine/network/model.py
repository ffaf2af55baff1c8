"""A network that can compute: an architecture with weights, and the canvas of a unit's receptive field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from vizengine.network.architecture import Architecture
from vizengine.network.catalogue import numbered
from vizengine.network.files import KernelAndBias
from vizengine.network.layers import INPUT, LayerSpec
from vizengine.runtime import keras
from vizengine.runtime import tensorflow as tf

# Luma of ITU-R BT.601, as in Pillow's conversion to grey.
GREY = (0.299, 0.587, 0.114)


def seen(images: Any, channel_order: str) -> NDArray[np.float32]:
    """Images, (..., 3) RGB in [0, 1], as a page shows them: in grey where the network's input has no colour."""
    pixels = np.asarray(images, np.float32)
    if channel_order != "grey":
        return pixels
    return np.repeat(pixels @ np.array(GREY, np.float32)[:, None], 3, axis=-1)


# Receptive fields of deep layers are larger than any photo; beyond this side in pixels a field is cut.
LARGEST = 512


@dataclass(frozen=True)
class Canvas:
    """The smallest square image in which one position's receptive field lies whole.

    No padding of any layer reaches that position, so its value is the one that it has anywhere inside a photo. Where
    the field is wider than `LARGEST`, the canvas has that side, and the position is the one nearest to its middle.

    Attributes:
        side: of the image in pixels.
        position: of the unit on its map, the same down and across.
        first, size: first pixel and side of the receptive field as far as it lies on the canvas, likewise.
    """

    side: int
    position: int
    first: int
    size: int

    @property
    def centre(self) -> float:
        """The middle of the receptive field, in pixels from the image's edge."""
        return self.first + self.size / 2


def canvas_for(architecture: Architecture, layer: str) -> Canvas:
    """The canvas of a conv layer.

    With `same` padding and a stride over 1 the field's place depends on the image's size (see
    `Architecture.receptive_field`), so sizes are tried from the smallest on.

    Raises:
        ValueError: no size is found, which would be a mistake in the architecture.
    """
    field = architecture.receptive_field(layer, architecture.input_size)
    if field.size > LARGEST:
        side = architecture.fitting(LARGEST, layer)
        whole = Canvas(side, 0, 0, side)
        return replace(whole, position=nearest_position(architecture, layer, whole))
    for side in range(field.size, 4 * field.size + 4 * field.stride):
        field = architecture.receptive_field(layer, side)
        position = max(-(-round(-field.start) // field.stride), 0)
        first, end = field.window(position)
        if (
            architecture.fitting(side, layer) == side
            and first >= 0
            and end <= side
            and all(position < architecture.side(layer, side, axis) for axis in (0, 1))
        ):
            return Canvas(side, position, first, field.size)
    raise ValueError(f"no image size holds a receptive field of {layer} whole; expected one under {4 * field.size} px")


def nearest_position(architecture: Architecture, layer: str, canvas: Canvas) -> int:
    """The position of `layer` whose receptive field's middle is nearest to that of the canvas."""
    if layer == INPUT:
        return int(canvas.centre)
    field = architecture.receptive_field(layer, canvas.side)
    position = round((canvas.centre - field.size / 2 - field.start) / field.stride)
    last = min(architecture.side(layer, canvas.side, axis) for axis in (0, 1)) - 1
    return min(max(position, 0), last)


Precision = str
Prepare: TypeAlias = "Callable[[tf.Tensor], tf.Tensor]"


def make_deterministic() -> None:
    """Make every TensorFlow operation give the same result at each run on the same machine."""
    tf.config.experimental.enable_op_determinism()


def use_threads(count: int) -> None:
    """Have TensorFlow use so many threads for each operation; before it computes anything."""
    tf.config.threading.set_intra_op_parallelism_threads(count)
    tf.config.threading.set_inter_op_parallelism_threads(1)


class Network:
    """An architecture and its weights.

    Args:
        weights: of at least the layers up to the unit.
        prepare: the architecture's `preprocess`, where it names a function.
        labels: names of the classes, in the order of the outputs; numbers by default.

    Attributes:
        precisions: the arithmetic that `model_upto` offers.

    Raises:
        KeyError: a method needs a layer whose weights aren't there.
    """

    precisions: tuple[Precision, ...] = ("float32", "bfloat16")

    def __init__(
        self,
        architecture: Architecture,
        weights: Mapping[str, KernelAndBias],
        prepare: Prepare | None = None,
        labels: tuple[str, ...] = (),
    ) -> None:
        self.architecture = architecture
        self.weights = weights
        self._prepare = prepare
        self.labels = labels or numbered(architecture.channels(architecture.layers[-1].name))

    def prepare(self, images: tf.Tensor, *layers: str) -> tf.Tensor:
        """Images, (batch, height, width, 3) RGB in [0, 1], as the network's input, with the channels that it takes.

        Rows and columns beyond `Architecture.fitting` are cut off; `layers` are those up to which the images are sent,
        all by default.
        """
        architecture = self.architecture
        height, width = (architecture.fitting(side, *layers) for side in images.shape[1:3])
        if (height, width) != tuple(images.shape[1:3]):
            images = images[:, :height, :width]
        if architecture.channel_order == "grey":
            images = tf.reduce_sum(images * tf.constant(GREY, images.dtype), -1, keepdims=True)
        if self._prepare is not None:
            return self._prepare(images)
        if architecture.channel_order == "bgr":
            images = images[..., ::-1]
        shifted = images * architecture.scale - tf.constant(architecture.channel_mean, images.dtype)
        if not architecture.channel_deviation:
            return shifted
        return shifted / tf.constant(architecture.channel_deviation, images.dtype)

    def model_upto(self, *layers: str, size: int | None = None, precision: Precision = "float32") -> keras.Model:
        """A model from a prepared image to the activations of some layers, one output for each, its weights constant.

        The model has no layer beyond these. `size` is the image's side in pixels, any by default; `precision` that of
        weights and arithmetic.
        """
        tensors: dict[str, Any] = {}
        for spec in self.architecture.upto(*layers):
            if spec.kind == "input":
                tensors[INPUT] = keras.Input((size, size, 3), dtype=precision)
                continue
            layer = _keras_layer(spec, precision)
            feeds = [tensors[name] for name in spec.inputs]
            tensors[spec.name] = layer(feeds if spec.kind == "concat" else feeds[0])
            if spec.kind in ("conv", "dense"):
                layer.set_weights(list(self.weights[spec.name]))
        outputs = [tensors[name] for name in layers]
        model = keras.Model(tensors[INPUT], outputs if len(outputs) > 1 else outputs[0])
        model.trainable = False
        return model

    @cached_property
    def classifier(self) -> keras.Model:
        """A model from prepared images of the classifier's input size to class probabilities (batch, classes)."""
        return self.model_upto(self.architecture.layers[-1].name, size=self.architecture.input_size)

    def classify(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Class probabilities, (batch, classes), of images (batch, input_size, input_size, 3), RGB in [0, 1]."""
        prepared = self.prepare(tf.constant(images, tf.float32))
        raw = self.classifier(prepared, training=False)
        # A layer whose map has one position gives that map.
        flat = tf.reshape(raw, (len(images), -1))
        return np.asarray(tf.nn.softmax(flat) if self.architecture.gives_logits else flat)

    def has_weights(self, spec: LayerSpec) -> bool:
        """Whether a layer can be computed: it has no weights, or they are here."""
        return spec.name in self.weights or spec.kind not in ("conv", "dense")

    def apply(self, spec: LayerSpec, outputs: dict[str, Any]) -> Any:
        """One layer of the classifier on `outputs`: at least those of its inputs, by name."""
        feeds = [outputs[name] for name in spec.inputs]
        layer = self.classifier.get_layer(spec.keras_name)
        return layer(feeds if spec.kind == "concat" else feeds[0], training=False)

    def channel_factor(self, spec: LayerSpec) -> NDArray[np.float32]:
        """By what a normalisation or a fixed scaling multiplies each channel, (channels,) or ()."""
        raise ValueError(f"{spec.name} is of kind {spec.kind}; expected a normalisation or a scaling")

    def branch_factors(self, spec: LayerSpec) -> tuple[float, ...]:
        """By what a sum multiplies each of its maps, in their order."""
        return (1.0,) * len(spec.maps)

    def before_softmax(self, spec: LayerSpec, outputs: dict[str, Any]) -> Any:
        """The input of the softmax of layer `spec`; `outputs` as for `apply`."""
        (feed,) = (outputs[name] for name in spec.inputs)
        if spec.kind == "softmax":
            return feed
        layer = self.classifier.get_layer(spec.keras_name)
        return tf.matmul(feed, tf.constant(layer.kernel.value)) + tf.constant(layer.bias.value)


def _keras_layer(spec: LayerSpec, precision: Precision) -> keras.layers.Layer:
    common: dict[str, Any] = {"name": spec.keras_name, "dtype": precision}
    match spec.kind:
        case "conv":
            return keras.layers.Conv2D(
                spec.filters, spec.kernel, spec.stride, padding=spec.padding, activation=spec.activation, **common
            )
        case "max_pool":
            return keras.layers.MaxPooling2D(spec.kernel, spec.stride, padding=spec.padding, **common)
        case "concat":
            return keras.layers.Concatenate(**common)
        case "global_average_pool":
            return keras.layers.GlobalAveragePooling2D(**common)
        case "flatten":
            return keras.layers.Flatten(**common)
        case "dense":
            return keras.layers.Dense(spec.filters, activation=spec.activation, **common)
        case "softmax":
            return keras.layers.Softmax(**common)
    raise ValueError(f"layer {spec.name} is of kind {spec.kind}, which has no Keras layer")
