"""The forward pass on which all measurements rest: from images to what each input channel contributes to the unit.

- *Pre-activation*: what the unit computes before its activation function, in float32. All activations on the pages are
  pre-activations.
- *Contribution* of an input at a position: `K_c ⋆ a_c` there. With the bias, the contributions add up to the
  pre-activation, so one pass to the layer's input gives the unit, every contribution, and every ablation of an input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vizengine.measures.inputs import Circuit
from vizengine.measures.statistics import Comoments
from vizengine.network.model import Network, canvas_for, nearest_position
from vizengine.network.probes import PreActivation
from vizengine.runtime import tensorflow as tf

# Bound on the values of one layer in one batch of canvases.
_BATCH_VALUES = 24_000_000


@dataclass(frozen=True)
class Addition:
    """One of the strongest inputs that is a sum, and where its terms are found.

    Attributes:
        place: of the input among the strongest.
        channel: its index among the channels of each map.
        maps: the layers whose outputs it adds.
        factors: by what each is multiplied.
        labels: of the terms, as `SourceChannel.branches` has them.
    """

    place: int
    channel: int
    maps: tuple[str, ...]
    factors: tuple[float, ...]
    labels: tuple[str, ...]


def _additions(network: Network, circuit: Circuit) -> tuple[Addition, ...]:
    sources = network.architecture.source_channels(circuit.layer, circuit.unit)
    additions = []
    for place, channel in enumerate(circuit.strongest):
        source = sources[channel.index]
        if source.branches:
            name, _, index = source.label.rpartition(":")
            spec = network.architecture.layer(name)
            factors = network.branch_factors(spec)
            additions.append(Addition(place, int(index), spec.maps, factors, source.branches))
    return tuple(additions)


@dataclass(frozen=True)
class Pass:
    """What one image gives.

    Attributes:
        below: (height, width, inputs) float32, activations that the unit reads.
        unit_map: the unit and its contributions.
        makers: pre-activation map of each strongest input's maker, in the circuit's order, (height, width) each;
            for a colour of the image the prepared pixels.
        terms: of each strongest input that is a sum, in the circuit's order, how its terms vary over the image.
    """

    below: NDArray[np.float32]
    unit_map: UnitMap
    makers: tuple[NDArray[np.float32], ...]
    terms: tuple[Comoments, ...]


class Forward:
    """Runs images through the network up to a unit and takes the unit apart.

    Args:
        network: one with all weights up to the unit.
        circuit: the unit; its strongest inputs are measured too.

    Attributes:
        additions: those of the strongest inputs that are sums.
    """

    def __init__(self, network: Network, circuit: Circuit) -> None:
        self.circuit = circuit
        self.architecture = network.architecture
        self.spec = network.architecture.layer(circuit.layer)
        kernel, bias = network.weights[circuit.layer]
        self.kernel: NDArray[np.float32] = np.ascontiguousarray(kernel[..., circuit.unit])
        self.bias = float(bias[circuit.unit])
        self.channels = circuit.strongest
        self.canvas = canvas_for(network.architecture, circuit.layer)
        self.additions = _additions(network, circuit)
        self._network = network
        self._unit = PreActivation(network, circuit.layer, [circuit.unit])
        by_maker: dict[str, list[int]] = {}
        for channel in self.channels:
            by_maker.setdefault(channel.source_layer, []).append(channel.source_channel)
        self._makers = {layer: PreActivation(network, layer, channels) for layer, channels in by_maker.items()}
        feeds = [maker.feed for maker in self._makers.values()]
        added = [name for addition in self.additions for name in addition.maps]
        self._read = [self.spec.inputs[0], *feeds, *added]
        self._model = network.model_upto(*self._read)

    def _run(self, images: NDArray[np.floating]) -> dict[str, tf.Tensor]:
        """Outputs of the layers that the unit and the makers read and that sums add, by name."""
        prepared = self._network.prepare(tf.constant(images, tf.float32), self.circuit.layer)
        return dict(zip(self._read, self._model(prepared, training=False), strict=True))

    def one(self, pixels: NDArray[np.floating], photo: int = 0) -> Pass:
        """One image of any size.

        Args:
            pixels: (height, width, 3), RGB in [0, 1].
            photo: its identity, for the map.
        """
        spec = self.spec
        outputs = self._run(pixels[None])
        read = outputs[spec.inputs[0]][..., self.architecture.reads(spec.name, self.circuit.unit)]
        parts = tf.nn.depthwise_conv2d(
            read,
            self.kernel[..., None],
            [1, spec.stride, spec.stride, 1],
            spec.padding.upper(),
            dilations=[spec.dilation, spec.dilation],
        )
        below, contributions = np.asarray(read)[0], np.asarray(parts)[0]
        pre = (contributions.sum(axis=-1, dtype=np.float64) + self.bias).astype(np.float32)
        rows, columns = (self._places(axis, below.shape[axis], pre.shape[axis]) for axis in (0, 1))
        strongest = below[..., [channel.index for channel in self.channels]]
        unit_map = UnitMap(photo, pre, contributions, rows, columns, strongest)
        makers = {layer: np.asarray(maker(outputs[maker.feed])[0]) for layer, maker in self._makers.items()}
        terms = []
        for addition in self.additions:
            maps = [np.asarray(outputs[name][0, ..., addition.channel]) for name in addition.maps]
            scaled = [values * factor for values, factor in zip(maps, addition.factors, strict=True)]
            terms.append(Comoments.of(scaled))
        return Pass(below, unit_map, self._in_order(makers), tuple(terms))

    def maps(self, below: NDArray[np.float32], kernels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Pre-activations, less the bias, of units with other kernels in this unit's place.

        Args:
            below: (height, width, inputs) activations that the unit reads.
            kernels: (units, height, width, inputs).

        Returns:
            (units, down, across) float32.
        """
        spec = self.spec
        filters = tf.constant(np.moveaxis(kernels, 0, -1))
        pre = tf.nn.convolution(below[None], filters, spec.stride, spec.padding.upper(), dilations=spec.dilation)
        return np.moveaxis(np.asarray(pre)[0], -1, 0)

    def holds_canvas(self, height: int, width: int) -> NDArray[np.bool_]:
        """(down, across) whether a photo of that size holds the canvas around a position wholly."""
        field = self.architecture.receptive_field(self.spec.name)
        inside = []
        for axis, side in enumerate((height, width)):
            first = round(self.architecture.receptive_field(self.spec.name, side, axis).start) - self.canvas.first
            start = first + np.arange(self.architecture.side(self.spec.name, side, axis)) * field.stride
            inside.append((start >= 0) & (start + self.canvas.side <= side))
        return inside[0][:, None] & inside[1]

    def _places(self, axis: int, side: int, positions: int) -> NDArray[np.int64]:
        """(positions, kernel) which places of an input of that side each coefficient reads, along one axis."""
        spec = self.spec
        first = np.arange(positions) * spec.stride - spec.padding_before(axis, side)
        return first[:, None] + np.arange(spec.window[axis]) * spec.dilation

    def _in_order(self, values: Mapping[str, NDArray[np.floating]]) -> tuple[NDArray[np.floating], ...]:
        """Of each strongest input its own among its maker's values, whose last axis has one for each in order."""
        of_makers = {layer: iter(np.moveaxis(array, -1, 0)) for layer, array in values.items()}
        return tuple(next(of_makers[channel.source_layer]) for channel in self.channels)

    def centres(self, images: NDArray[np.floating], kernels: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """Pre-activations at the middle of canvases: the unit's, then those of each strongest input.

        Args:
            images: (batch, side, side, 3) of `canvas.side`, RGB in [0, 1].
            kernels: (units, height, width, inputs) of units in this unit's place, whose pre-activations come last.

        Returns:
            (batch, 1 + strongest + units) float32.
        """
        values = self.canvas.side**2 * max(
            self.architecture.channels(spec.name) for spec in self.architecture.upto(self.spec.inputs[0])
        )
        width = max(1, _BATCH_VALUES // values)
        batches = [images[start : start + width] for start in range(0, len(images), width)]
        return np.concatenate([self._centres(batch, kernels) for batch in batches])

    def _centres(self, images: NDArray[np.floating], kernels: NDArray[np.float32] | None) -> NDArray[np.float32]:
        outputs = self._run(images)
        below = outputs[self._unit.feed]
        unit = self._unit.at(below, self.canvas.position)[:, 0]
        makers = {
            layer: maker.at(outputs[maker.feed], nearest_position(self.architecture, layer, self.canvas))
            for layer, maker in self._makers.items()
        }
        values = np.stack([unit, *self._in_order(makers)], axis=-1)
        if kernels is not None:
            read = below[..., self.architecture.reads(self.spec.name, self.circuit.unit)]
            window = self._unit.window(read, self.canvas.position)
            others = np.einsum("bhwc,uhwc->bu", window, kernels, optimize=True) + self.bias
            values = np.concatenate([values, others], axis=-1)
        return values.astype(np.float32)


# Most positions of a pooled map along one side; a page shows no more.
MAP_SIDE = 96


@dataclass(frozen=True)
class Positions:
    """Positions of one unit in photos.

    Attributes:
        photo: (n,) int, index of the photo, or before photos are put together its identity.
        row, column: (n,) int, position on the unit's map.
        pre: (n,) float32, the unit's pre-activation.
        contributions: (n, inputs) float32, what each input channel adds to `pre`; with the bias they sum to it.
        inside: (n, height, width) bool, the kernel's coefficients that read a position of the input's map; the
            others read the zeros that pad it.
        fields: (n, height, width, strongest) float32, activations of the strongest inputs that the kernel reads.
    """

    photo: NDArray[np.int64]
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    pre: NDArray[np.float32]
    contributions: NDArray[np.float32]
    inside: NDArray[np.bool_]
    fields: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.pre)

    def take(self, chosen: NDArray[np.integer]) -> Positions:
        """The positions at those indices, in that order."""
        return Positions(*(values[chosen] for values in vars(self).values()))

    def of_photo(self, index: int) -> Positions:
        """The same positions, being those of photo `index`."""
        return replace(self, photo=np.full(len(self), index, np.int64))

    @staticmethod
    def join(parts: Sequence[Positions]) -> Positions:
        """All positions of `parts`, of which there is at least one."""
        return Positions(
            *(np.concatenate(columns) for columns in zip(*(vars(part).values() for part in parts), strict=True))
        )


@dataclass(frozen=True)
class UnitMap:
    """The unit on one photo.

    Attributes:
        photo: identity of the photo, at least 0.
        pre: (down, across) float32, pre-activations.
        contributions: (down, across, inputs) float32.
        rows: (down, height) int, which rows of the input's map the kernel reads at each row of positions; those
            outside of it are zeros that pad it.
        columns: (across, width) int, the same for columns.
        below: (input's height, input's width, strongest) float32, activations of the strongest inputs.
    """

    photo: int
    pre: NDArray[np.float32]
    contributions: NDArray[np.float32]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    below: NDArray[np.float32]

    def at(self, flat: NDArray[np.integer]) -> Positions:
        """The positions at flat indices of `pre`."""
        row, column = np.divmod(np.asarray(flat, np.int64), self.pre.shape[1])
        fields, inside = self.read(self.below, flat)
        return Positions(
            photo=np.full(len(row), self.photo, np.int64),
            row=row,
            column=column,
            pre=self.pre[row, column],
            contributions=self.contributions[row, column],
            inside=inside,
            fields=fields,
        )

    def read(
        self, below: NDArray[np.float32], flat: NDArray[np.integer]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """What the kernel reads of a map of its layer's input at flat indices of `pre`.

        Args:
            below: (input's height, input's width, channels).
            flat: (n,) indices.

        Returns:
            (n, height, width, channels), zero outside the map, and (n, height, width), what lies inside.
        """
        row, column = np.divmod(np.asarray(flat, np.int64), self.pre.shape[1])
        down, across = self.rows[row], self.columns[column]
        height, width = below.shape[:2]
        inside = ((down >= 0) & (down < height))[:, :, None] & ((across >= 0) & (across < width))[:, None, :]
        read = below[down.clip(0, height - 1)[:, :, None], across.clip(0, width - 1)[:, None, :]]
        return read * inside[..., None], inside


@dataclass(frozen=True)
class PooledMap:
    """The unit on a whole photo, small enough to be kept of every photo.

    Attributes:
        height, width: of the photo in pixels as read.
        pre: (down, across) float32, highest pre-activation in each square of `step` by `step` positions.
        step: positions of the unit along the side of one entry of `pre`.
    """

    height: int
    width: int
    pre: NDArray[np.float32]
    step: int

    @staticmethod
    def of(pre: NDArray[np.float32], height: int, width: int) -> PooledMap:
        """From the map of a photo of that size; no side of it has over `MAP_SIDE` entries."""
        step = -(-max(pre.shape) // MAP_SIDE)
        down, across = (-(-side // step) * step - side for side in pre.shape)
        padded = np.pad(pre, ((0, down), (0, across)), constant_values=-np.inf)
        squares = padded.reshape(padded.shape[0] // step, step, padded.shape[1] // step, step)
        return PooledMap(height, width, squares.max(axis=(1, 3)), step)
