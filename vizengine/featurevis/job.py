"""What pictures are asked for: of channels of a layer, or of groups of the channels that a layer reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from vizengine.featurevis.model import Direction, PhotoBest, Settings
from vizengine.featurevis.starts import picture_key
from vizengine.networks.network import Network
from vizengine.networks.probe import GroupProbe, Probe


@dataclass(frozen=True)
class Job:
    """Which pictures to make.

    Attributes:
        layer: a conv layer, or `input`, whose channels have exact pictures.
        best: each channel that is asked for, and its photo-best; for the negative direction the lowest value.
        settings: how.
        direction: `positive` or `negative`.
        squares: where pictures start from photos, each photo's centred square by name: (size, size, 3) in [0, 1].
        groups: (inputs, groups); where it is given, `best` counts its columns instead, each a direction in what the
            layer reads, whose value at a position is `activations @ column`.
    """

    layer: str
    best: Mapping[int, PhotoBest]
    settings: Settings
    direction: Direction = "positive"
    squares: Mapping[str, NDArray[np.float32]] | None = None
    groups: NDArray[np.floating] | None = None

    @property
    def sign(self) -> float:
        """By which the objective is multiplied to be raised."""
        return 1.0 if self.direction == "positive" else -1.0

    def key(self, channel: int) -> str:
        """The name from which a picture's noise is drawn."""
        if self.groups is None:
            return picture_key(self.layer, channel, self.direction)
        return f"{self.layer}:group:{channel}"

    def probe(
        self, network: Network, channels: Sequence[int], precision: str = "float32"
    ) -> Callable[[tf.Tensor], tf.Tensor]:
        """What gives the values of some channels or groups, in that order."""
        if self.groups is None:
            return Probe(network, self.layer, channels, precision)
        return GroupProbe(network, self.layer, self.groups[:, list(channels)], precision)
