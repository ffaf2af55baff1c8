"""Which units of a layer have a page on the site that stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from vizengine.config.schema import CircuitSection, Config
from vizengine.networks.architecture import Architecture
from vizengine.sweep.addresses import Addresses

_CIRCUIT = "circuit.json"


def site_pages(
    config: Config, sections: tuple[str, ...], layer: str, architecture: Architecture, site: Path
) -> dict[int, Path]:
    """Pages that are there, by unit; where a unit has several, that of a single circuit comes first.

    Args:
        config: the config.
        sections: names of the circuits whose network it is.
        layer: the layer.
        architecture: of the network.
        site: the site's folder.
    """
    found: dict[int, Path] = {}
    alone = len(config.circuits) == 1
    for section in config.circuits:
        if section.name not in sections:
            continue
        folder = site if alone else site / section.name
        if isinstance(section, CircuitSection):
            if section.unit.layer == layer and _is_of(folder / _CIRCUIT, layer, section.unit.index):
                found[section.unit.index] = folder / "index.html"
        else:
            for unit, page in _light_pages(architecture, layer, folder):
                found.setdefault(unit, page)
    return found


def _is_of(data: Path, layer: str, unit: int) -> bool:
    """Whether the page beside a `circuit.json` is that of the unit, and not of one that stood in the config before."""
    try:
        read = json.loads(data.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(read, dict) and (read.get("layer"), read.get("unit")) == (layer, unit)


def _light_pages(architecture: Architecture, layer: str, folder: Path) -> Iterator[tuple[int, Path]]:
    units = range(architecture.channels(layer))
    addresses = Addresses((each.name for each in architecture.layers), {layer: units}, {})
    for unit in units:
        page = folder / addresses.page(layer, unit)
        if page.is_file():
            yield unit, page
