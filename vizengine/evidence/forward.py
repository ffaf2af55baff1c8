"""The forward pass on which all evidence rests: from images to what each input channel adds to the unit.

For a conv unit, `pre = bias + Σ_c K_c ⋆ a_c` exactly, so one pass to the layer's input gives the unit, every
contribution, and every ablation of a single input. The same pass gives the pre-activations of the inputs' makers.
"""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from vizengine.circuit.model import Circuit, InputChannel
from vizengine.evidence.positions import UnitMap
from vizengine.evidence.sums import Comoments, additions
from vizengine.networks.architecture import INPUT
from vizengine.networks.canvas import Canvas, canvas_for, nearest_position
from vizengine.networks.network import Network
from vizengine.networks.pre_activation import PreActivation

# Bound on the values of one layer in one batch of canvases.
_BATCH_VALUES = 24_000_000


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
        self._network = network
        self.architecture = network.architecture
        self.spec = network.architecture.layer(circuit.layer)
        kernel, bias = network.weights[circuit.layer]
        self.kernel: NDArray[np.float32] = np.ascontiguousarray(kernel[..., circuit.unit])
        self.bias = float(bias[circuit.unit])
        self.channels: tuple[InputChannel, ...] = circuit.strongest
        self.canvas: Canvas = canvas_for(network.architecture, circuit.layer)
        self._reads = network.architecture.reads(circuit.layer, circuit.unit)
        self._makers = tuple(dict.fromkeys(channel.source_layer for channel in self.channels))
        self._maker_parts = {name: self._chosen(name) for name in self._makers if name != INPUT}
        self.additions = additions(network, circuit.layer, circuit.unit, self.channels)
        self._added = tuple(dict.fromkeys(name for addition in self.additions for name in addition.maps))
        self._unit = PreActivation(network, circuit.layer, [circuit.unit])
        self._model = self._cut()

    def _chosen(self, layer: str) -> PreActivation:
        chosen = [channel.source_channel for channel in self.channels if channel.source_layer == layer]
        return PreActivation(self._network, layer, chosen)

    def _cut(self) -> keras.Model:
        """A model from prepared images to the unit's input, to the input of each maker and to all that sums add."""
        feeds = [INPUT if maker == INPUT else self._maker_parts[maker].feed for maker in self._makers]
        return self._network.model_upto_each([self.spec.inputs[0], *feeds, *self._added])

    def _run(self, images: NDArray[np.floating]) -> tuple[tf.Tensor, list[tf.Tensor], list[tf.Tensor]]:
        """What the unit reads, what each maker reads, and what sums add."""
        prepared = self._network.prepare(tf.constant(images, tf.float32), self.circuit.layer)
        below, *others = self._model(prepared, training=False)
        return below, others[: len(self._makers)], others[len(self._makers) :]

    def contributions(self, below: tf.Tensor) -> NDArray[np.float32]:
        """What each input channel adds: K_c ⋆ a_c for each c.

        Args:
            below: (batch, height, width, inputs) activations that the unit reads.

        Returns:
            (batch, down, across, inputs) float32.
        """
        stride, dilations = self.spec.stride, [self.spec.dilation] * 2
        return np.asarray(
            tf.nn.depthwise_conv2d(
                below, self.kernel[..., None], [1, stride, stride, 1], self.spec.padding.upper(), dilations=dilations
            )
        )

    def one(self, pixels: NDArray[np.floating], photo: int = 0) -> Pass:
        """One image of any size.

        Args:
            pixels: (height, width, 3), RGB in [0, 1].
            photo: its index among the photos.
        """
        whole, feeds, added = self._run(pixels[None])
        below = whole[..., self._reads]
        contributions = self.contributions(below)[0]
        pre = (contributions.sum(axis=-1, dtype=np.float64) + self.bias).astype(np.float32)
        unit_map = UnitMap(
            photo,
            pre,
            contributions,
            self._read(0, int(below.shape[1]), pre.shape[0]),
            self._read(1, int(below.shape[2]), pre.shape[1]),
            np.asarray(below)[0][..., [channel.index for channel in self.channels]],
        )
        makers = [self._maker(name, feed) for name, feed in zip(self._makers, feeds, strict=True)]
        return Pass(np.asarray(below)[0], unit_map, self._in_order(makers), self._terms(added))

    def _terms(self, added: list[tf.Tensor]) -> tuple[Comoments, ...]:
        maps = {name: np.asarray(each)[0] for name, each in zip(self._added, added, strict=True)}
        return tuple(
            Comoments.of(
                [maps[name][..., each.channel] * factor for name, factor in zip(each.maps, each.factors, strict=True)]
            )
            for each in self.additions
        )

    def _maker(self, name: str, feed: tf.Tensor) -> NDArray[np.float32]:
        if name == INPUT:
            chosen = [channel.source_channel for channel in self.channels]
            return np.asarray(np.asarray(feed)[0][..., chosen], np.float32)
        return np.asarray(self._maker_parts[name](feed)[0], np.float32)

    def _in_order(self, groups: list[NDArray[np.float32]]) -> tuple[NDArray[np.float32], ...]:
        """The makers' last axes, channel by channel, in the circuit's order."""
        columns = {name: iter(np.moveaxis(group, -1, 0)) for name, group in zip(self._makers, groups, strict=True)}
        return tuple(next(columns[channel.source_layer]) for channel in self.channels)

    def _read(self, axis: int, below: int, positions: int) -> NDArray[np.int64]:
        """(positions, kernel) which places of a map of `below` positions each coefficient reads, along one axis."""
        spec, before = self.spec, 0
        if spec.padding == "same":
            before = max((positions - 1) * spec.stride + spec.reach(axis) - below, 0) // 2
        read = np.arange(positions)[:, None] * spec.stride - before + np.arange(spec.window[axis]) * spec.dilation
        return np.asarray(read, np.int64)

    def centres(self, images: NDArray[np.floating]) -> NDArray[np.float32]:
        """Pre-activations at the middle of canvases: the unit's, then those of each strongest input.

        Args:
            images: (batch, side, side, 3) of `canvas.side`, RGB in [0, 1].

        Returns:
            (batch, 1 + strongest) float32.
        """
        values = self.canvas.side**2 * max(
            self.architecture.channels(spec.name) for spec in self.architecture.upto(self.spec.inputs[0])
        )
        width = max(1, _BATCH_VALUES // values)
        return np.concatenate([self._centres(images[start : start + width]) for start in range(0, len(images), width)])

    def _centres(self, images: NDArray[np.floating]) -> NDArray[np.float32]:
        below, feeds, _ = self._run(images)
        unit = self._unit.at(below, self.canvas.position)
        groups = []
        for name, feed in zip(self._makers, feeds, strict=True):
            position = nearest_position(self.architecture, name, self.canvas)
            if name == INPUT:
                groups.append(
                    np.asarray(feed)[:, position, position][:, [each.source_channel for each in self.channels]]
                )
            else:
                groups.append(self._maker_parts[name].at(feed, position))
        return np.concatenate([unit, np.stack(self._in_order(groups), axis=-1)], axis=-1).astype(np.float32)
