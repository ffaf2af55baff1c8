"""Describe a network and the chain of layers to the unit for the page, and check a config against it."""

from __future__ import annotations

from collections.abc import Iterator

from vizengine.networks.architecture import Architecture, LayerSpec
from vizengine.networks.model import LayerDescription, NetworkDescription
from vizengine.networks.source import Source

# Layers without a row of their own in the chain: they belong to their neighbours.
_MEASURING = {"group_norm": "a group normalisation", "layer_norm": "a layer normalisation"}
_SILENT = ("batch_norm", "activation", "identity", "zero_padding", "cropping", "scale", "layer_norm", "group_norm")


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
        remarks=tuple(_remarks(architecture, layer)),
    )


def _remarks(architecture: Architecture, layer: str) -> Iterator[str]:
    """What normalisations that measure each image anew mean for the unit's figures."""
    before = [spec.name for spec in architecture.upto(layer) if spec.kind == "group_norm"]
    if before:
        yield (
            f"What the unit reads has gone through group normalisation ({', '.join(before)}), which measures each "
            "image as a whole. So through it the unit sees the whole image, not only the field named here, and what "
            "drives it on a small drawn image or on its picture can differ from what the same would do inside a photo."
        )
    for name in architecture.readers[layer]:
        kind = architecture.layer(name).kind
        if kind in _MEASURING:
            yield (
                f"Behind the unit lies {_MEASURING[kind]} ({name}), which measures each image anew and so is no part "
                "of the unit: all values are those of its conv layer alone, before it. Where the unit is said to fire, "
                "that value is above zero; what the activation function gets is the normalised one."
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
