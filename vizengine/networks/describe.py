"""Describe a network and the chain of layers to the unit for the page, and check a config against it."""

from __future__ import annotations

from vizengine.networks.architecture import Architecture, LayerSpec
from vizengine.networks.model import LayerDescription, NetworkDescription
from vizengine.networks.weights import WeightsFile, has_layers
from vizengine.networks.zoo import ZooEntry


def describe(zoo_entry: ZooEntry, weights: WeightsFile, layer: str, unit: int) -> NetworkDescription:
    """What the page says of the network, its weights and the way from the image to the unit."""
    architecture = zoo_entry.architecture
    return NetworkDescription(
        name=architecture.name,
        title=architecture.title,
        citation=architecture.citation,
        weights_file=weights.path.name,
        weights_origin=weights.origin,
        weights_sha256=weights.sha256,
        weights_credit=architecture.weights_credit,
        parameters=architecture.total_parameters(),
        loaded_layers=sum(
            has_layers(weights, architecture, (spec,))
            for spec in architecture.layers
            if architecture.parameters(spec.name)
        ),
        has_classifier=has_layers(weights, architecture, architecture.layers),
        input_size=architecture.input_size,
        chain=tuple(_describe_layer(architecture, spec) for spec in architecture.upto(layer)),
        receptive_field=architecture.receptive_field(layer).size,
        microscope=architecture.microscope_page(layer, unit) or "",
    )


def _describe_layer(architecture: Architecture, spec: LayerSpec) -> LayerDescription:
    side = architecture.side(spec.name, architecture.input_size)
    return LayerDescription(
        name=spec.name,
        kind=spec.kind,
        shape=(side, side, architecture.channels(spec.name)),
        kernel=spec.kernel,
        stride=spec.stride,
        receptive_field=architecture.receptive_field(spec.name).size,
        parameters=architecture.parameters(spec.name),
    )
