"""Which networks of a config have the layer that a survey names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vizengine.cache import CACHE_FOLDER, Cache
from vizengine.config.schema import Config, SweepSection
from vizengine.config.units import ALL, UnitsSection
from vizengine.errors import VizengineError, WeightsUnavailable
from vizengine.networks.architecture import Architecture
from vizengine.networks.layer_names import expected_layers, nearest_layers, no_such_layer, readable_layers
from vizengine.networks.source import open_source
from vizengine.networks.sources import Untraceable
from vizengine.sweep.addresses import plain


class NoSuchLayer(VizengineError):
    """No network of the config has the layer."""


@dataclass(frozen=True)
class Surveyed:
    """A layer of one of the config's networks.

    Attributes:
        layer: its name.
        config: the config with one sweep in it, of all units of the layer.
        name: that sweep's, and the folder of its contact sheet.
        circuits: names of the circuits whose network it is; the first gave photos and settings.
        architecture: the network's layers.
    """

    layer: str
    config: Config
    name: str
    circuits: tuple[str, ...]
    architecture: Architecture


def surveyed(config: Config, layer: str, only: Sequence[str] = ()) -> tuple[Surveyed, ...]:
    """The networks that have a layer, each once, in the order of the config.

    Args:
        config: the config.
        layer: a conv layer.
        only: names of the circuits to look at; all where empty.

    Raises:
        NoSuchLayer: none has it; with the nearest names of each.
    """
    names: dict[str, list[str]] = {}
    for section in config.circuits:
        if not only or section.name in only:
            names.setdefault(_network_of(section.network.model_dump(mode="json")), []).append(section.name)
    found: list[Surveyed] = []
    without: list[str] = []
    for circuits in names.values():
        first = next(each for each in config.circuits if each.name == circuits[0])
        try:
            source = open_source(first.network, (), config.folder, Cache(config.folder / CACHE_FOLDER))
            architecture = source.structure
        except WeightsUnavailable as error:
            without.append(f"{first.name}: {error}")
            continue
        if problem := _problem(architecture, layer):
            without.append(problem)
            continue
        name = _name(first.network.model, layer, [each.name for each in found])
        section = SweepSection(
            name=name,
            network=first.network,
            unit=UnitsSection.model_validate({"layer": layer, "index": ALL}),
            inputs=1,
            photos=first.photos,
            visualization=first.visualization,
        )
        own = config.model_copy(update={"circuits": (section,)})
        found.append(Surveyed(layer, own, name, tuple(circuits), architecture))
    if not found:
        raise NoSuchLayer(f"--survey {layer}: {' '.join(without)}")
    return tuple(found)


def _network_of(section: dict[str, object]) -> str:
    """What makes two circuits' networks the same."""
    return repr({name: value for name, value in section.items() if name not in ("why", "labels")})


def _name(model: str, layer: str, taken: Sequence[str]) -> str:
    name = f"{plain(Path(model).name)}-{plain(layer)}".replace(".", "-").replace("_", "-")[:76]
    number = 1
    while (name if number == 1 else f"{name}-{number}") in taken:
        number += 1
    return name if number == 1 else f"{name}-{number}"


def _problem(architecture: Architecture, layer: str) -> str:
    """Why a layer can't be surveyed; empty where it can."""
    layers = [each.name for each in architecture.conv_layers]
    if layer in layers:
        try:
            architecture.source_channels(layer)
        except Untraceable as error:
            return str(error)
        return ""
    near = nearest_layers(layer, readable_layers(architecture), 3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"expected {expected_layers(architecture)}."
    return f"{no_such_layer(layer, architecture)}; {hint}"
