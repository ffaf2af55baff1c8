"""Describe a network and the chain of layers to the unit for the page, and check a config against it."""

from __future__ import annotations

from vizengine.networks.architecture import Architecture, LayerSpec
from vizengine.networks.model import LayerDescription, NetworkDescription
from vizengine.networks.source import Source

# Layers without a row of their own in the chain: they belong to their neighbours.
_SILENT = ("batch_norm", "activation", "identity", "zero_padding", "cropping", "scale", "layer_norm")


def describe(source: Source, layer: str, unit: int) -> NetworkDescription:
    """What the page says of the network, its weights and the way from the image to the unit."""
    architecture, identity = source.architecture, source.identity
    chain = [spec for spec in architecture.upto(layer) if spec.kind not in _SILENT and architecture.has_map(spec.name)]
    return NetworkDescription(
        name=architecture.name,
        title=architecture.title,
        citation=architecture.citation,
        weights_file=identity.name,
        weights_origin=identity.origin,
        weights_sha256=identity.sha256,
        weights_credit=architecture.weights_credit,
        trained=identity.trained,
        parameters=architecture.total_parameters(),
        loaded_layers=source.loaded_layers,
        has_classifier=not source.missing_classifier,
        input_size=architecture.input_size,
        chain=tuple(_describe_layer(architecture, spec) for spec in chain),
        receptive_field=architecture.receptive_field(layer).size,
        microscope=architecture.microscope_page(layer, unit) or "",
    )


def _describe_layer(architecture: Architecture, spec: LayerSpec) -> LayerDescription:
    sides = [architecture.side(spec.name, architecture.input_size, axis) for axis in (0, 1)]
    return LayerDescription(
        name=spec.name,
        kind=spec.kind,
        shape=(sides[0], sides[1], architecture.channels(spec.name)),
        kernel=spec.kernel,
        stride=spec.stride,
        receptive_field=architecture.receptive_field(spec.name).size,
        parameters=architecture.parameters(spec.name),
    )
