"""One layer of a network as plain data: what it computes, what feeds it, how its window moves."""

from __future__ import annotations

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
        name: name in the literature or in the Keras model, for example `block3_conv3` or `fire5/expand3x3`.
        kind: what it computes. `conv` may have groups; `scale` multiplies or shifts each channel by constants;
            `layer_norm` and `group_norm` measure each image anew, over the channels of a position and over all
            positions of a group of channels; `identity` does nothing outside of training; `other` is a layer that this
            package doesn't know.
        inputs: names of the layers that feed it, in the order in which it takes them.
        filters: channels that it gives, where it makes them (conv, dense), else 0.
        kernel: rows of its window in positions of its input (conv and pooling), else 1.
        stride: step of that window.
        padding: `same` or `valid`, as in Keras.
        activation: name of the function applied to the pre-activation; `linear` where there is none.
        columns: columns of its window, where not as many as rows.
        dilation: positions between two neighbouring coefficients of the window.
        groups: into how many groups the kernel splits its input channels; each output reads one group.
        margins: rows (before, after) and columns (before, after) that zero padding adds or cropping takes away.
        gates: those of `inputs` that have one value per image and channel, as in squeeze-and-excitation.
        operation: the Keras class, where the graph was read from a Keras model.
        weights: number of trainable weights, where the graph was read from a Keras model.
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
        """Positions of padding before its input along one axis.

        Args:
            axis: 0 (rows) or 1 (columns).
            side: of the input along that axis, in positions.
        """
        if self.padding == "valid":
            return 0
        return max((-(-side // self.stride) - 1) * self.stride + self.reach(axis) - side, 0) // 2


@dataclass(frozen=True)
class ReceptiveField:
    """The stretch of input pixels that one position of a layer can see, along one axis.

    Attributes:
        size: side in pixels.
        stride: pixels between the fields of two neighbouring positions.
        start: first pixel of the field of position 0; negative where padding reaches outside.
    """

    size: int
    stride: int
    start: float

    def window(self, position: int) -> tuple[int, int]:
        """First pixel and one past the last pixel that `position` can see, not clipped to the image."""
        first = round(self.start + position * self.stride)
        return first, first + self.size
