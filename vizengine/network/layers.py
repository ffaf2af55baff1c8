"""One layer of a network as plain data: what it computes, what feeds it, how its window moves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

LayerKind = Literal[
    "input",
    "conv",
    "depthwise",
    "separable",
    "batch_norm",
    "layer_norm",
    "group_norm",
    "scale",
    "activation",
    "identity",
    "max_pool",
    "average_pool",
    "global_average_pool",
    "global_max_pool",
    "zero_padding",
    "cropping",
    "add",
    "multiply",
    "concat",
    "reshape",
    "flatten",
    "dense",
    "softmax",
    "other",
]
INPUT = "input"
CONV_KINDS = ("conv", "depthwise", "separable")
POOL_KINDS = ("max_pool", "average_pool")
GLOBAL_KINDS = ("global_average_pool", "global_max_pool")
Margins = tuple[tuple[int, int], tuple[int, int]]
NO_MARGINS: Margins = ((0, 0), (0, 0))


@dataclass(frozen=True)
class LayerSpec:
    """One layer.

    Attributes:
        name: in the literature or in the Keras model, for example `block3_conv3` or `fire5/expand3x3`.
        kind: what it computes. `conv` may have groups; `scale` multiplies or shifts each channel by constants;
            `layer_norm` and `group_norm` measure each image anew, over the channels of a position and over all
            positions of a group of channels; `identity` does nothing outside of training; `other` is a layer that this
            package doesn't know.
        inputs: the layers that feed it, in the order in which it takes them.
        filters: channels that it gives, where it makes them (conv, dense), else 0.
        kernel, columns: rows and columns of its window in positions of its input; as many columns where None.
        activation: the function applied to the pre-activation.
        dilation: positions between two neighbouring coefficients of the window.
        groups: into how many the kernel splits its input channels; each output reads one group.
        margins: rows (before, after) and columns (before, after) that zero padding adds or cropping takes away.
        gates: those of `inputs` that have one value per image and channel, as in squeeze-and-excitation.
        operation, weights: the Keras class and the number of trainable weights, where read from a Keras model.
        sides: of the map that a layer of kind `other` gives: `kept` from its input, `one` value for the whole image, or
            `unknown`, as behind upsampling and transposed convolutions.
    """

    name: str
    kind: LayerKind
    inputs: tuple[str, ...] = ()
    filters: int = 0
    kernel: int = 1
    stride: int = 1
    padding: Literal["same", "valid"] = "same"
    activation: str = "linear"
    columns: int | None = None
    dilation: int = 1
    groups: int = 1
    margins: Margins = NO_MARGINS
    gates: tuple[str, ...] = ()
    operation: str = ""
    weights: int | None = None
    sides: Literal["kept", "one", "unknown"] = "kept"

    @property
    def keras_name(self) -> str:
        """The name inside the Keras model, where a slash isn't allowed."""
        return self.name.replace("/", "_")

    @property
    def is_conv(self) -> bool:
        """Whether its outputs are weighted sums over a window: plain, grouped, depthwise or separable."""
        return self.kind in CONV_KINDS

    @property
    def gives_softmax(self) -> bool:
        """Whether its output has gone through a softmax."""
        return "softmax" in (self.kind, self.activation)

    @property
    def window(self) -> tuple[int, int]:
        """Rows and columns of its window."""
        return self.kernel, self.kernel if self.columns is None else self.columns

    @property
    def maps(self) -> tuple[str, ...]:
        """Those of `inputs` that have a map of positions."""
        return tuple(name for name in self.inputs if name not in self.gates)

    def reach(self, axis: int) -> int:
        """Positions from the first to the last that its window reads, both included, on axis 0 (rows) or 1."""
        return (self.window[axis] - 1) * self.dilation + 1

    def padding_before(self, axis: int, side: int) -> int:
        """Positions of padding before its input along one axis, whose side is `side` positions."""
        if self.padding == "valid":
            return 0
        return max((-(-side // self.stride) - 1) * self.stride + self.reach(axis) - side, 0) // 2


@dataclass(frozen=True)
class ReceptiveField:
    """The stretch of input pixels on which one position of a layer depends, along one axis.

    Attributes:
        stride: pixels between the fields of two neighbouring positions.
        start: first pixel of the field of position 0; negative where padding reaches outside.
    """

    size: int
    stride: int
    start: float

    def window(self, position: int) -> tuple[int, int]:
        """First pixel and one past the last pixel on which `position` depends, not clipped to the image."""
        first = round(self.start + position * self.stride)
        return first, first + self.size


class Vanished(ValueError):
    """An image size that leaves nothing of a layer's map."""


class Misfit(ValueError):
    """An image size at which the network's branches don't fit together."""


class Unmeasurable(ValueError):
    """A layer whose map has sides that aren't known, or one behind it."""


@dataclass(frozen=True)
class Extent:
    """The side of a layer's map in positions, and one position's receptive field, along one axis."""

    side: int
    field: ReceptiveField


def extents(layers: Iterable[LayerSpec], size: int, axis: int) -> dict[str, Extent]:
    """Every layer's extent, after Araujo et al., Computing Receptive Fields, Distill 2019.

    Where branches meet, the field is the smallest that holds both. Gates depend on the whole image and are left out.
    The layers come in order of computation, from the input on; on the image's `size` along the axis, in pixels, depends
    the split of `same` padding.

    Raises:
        Misfit: branches of different sides meet.
        Unmeasurable: a layer gives a map of unknown sides.
        Vanished: nothing is left of a map.
    """
    known: dict[str, Extent] = {}
    for layer in layers:
        known[layer.name] = _extent(layer, [known[name] for name in layer.maps], size, axis)
    return known


def fitting(layers: Iterable[LayerSpec], size: int) -> int:
    """The largest image side up to `size` pixels at which all branches of layers as for `extents` fit together.

    Raises:
        Misfit: there is none.
    """
    layers = tuple(layers)
    first: Misfit | None = None
    for side in range(size, 0, -1):
        try:
            for axis in (0, 1):
                extents(layers, side, axis)
            return side
        except Vanished:
            break
        except Misfit as misfit:
            first = first or misfit
    if first:
        raise first
    # Too small for the network's end, yet perhaps not for the layers that are asked for.
    return size


def _extent(layer: LayerSpec, feeds: list[Extent], size: int, axis: int) -> Extent:
    if not feeds:
        return Extent(size, ReceptiveField(1, 1, 0.0))
    if layer.sides == "unknown":
        raise Unmeasurable(f"the sides of the map that {layer.name} gives aren't known")
    if layer.sides == "kept" and len({feed.side for feed in feeds}) > 1:
        sides = " and ".join(str(feed.side) for feed in feeds)
        raise Misfit(f"an image side of {size} px gives {layer.name} branches of {sides} positions")
    side, field = feeds[0].side, union([feed.field for feed in feeds])
    before, after = layer.margins[axis]
    if layer.is_conv or layer.kind in POOL_KINDS:
        reach, padding = layer.reach(axis), layer.padding_before(axis, side)
        rest = -(-side // layer.stride) if layer.padding == "same" else (side - reach) // layer.stride + 1
        start = field.start - padding * field.stride
        field = ReceptiveField(field.size + (reach - 1) * field.stride, field.stride * layer.stride, start)
    elif layer.kind == "zero_padding":
        rest = side + before + after
        field = ReceptiveField(field.size, field.stride, field.start - before * field.stride)
    elif layer.kind == "cropping":
        rest = side - before - after
        field = ReceptiveField(field.size, field.stride, field.start + before * field.stride)
    elif layer.kind in GLOBAL_KINDS or layer.kind in ("flatten", "dense") or layer.sides == "one":
        rest, field = 1, ReceptiveField(size, 1, 0.0)
    else:
        rest = side
    if rest < 1:
        raise Vanished(f"an image side of {size} px leaves nothing of {layer.name}")
    return Extent(rest, field)


def union(fields: list[ReceptiveField]) -> ReceptiveField:
    """The smallest field that holds all; their strides agree where their sides do."""
    start = min(field.start for field in fields)
    end = max(field.start + field.size for field in fields)
    return ReceptiveField(round(end - start), max(field.stride for field in fields), start)
