"""Where a sweep's pages and pictures lie in its folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

ASSETS = "assets"


def plain(name: str) -> str:
    """A layer's name, or a network's, as that of a folder."""
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-.") or "layer"


class Addresses:
    """Addresses from the sweep's folder, with slashes.

    Args:
        layers: every layer that has pages or pictures.
        pages: units that have pages, by layer.
        pictures: channels that have pictures, by layer.
    """

    def __init__(
        self, layers: Iterable[str], pages: Mapping[str, Iterable[int]], pictures: Mapping[str, Iterable[int]]
    ) -> None:
        self._folders: dict[str, str] = {}
        for layer in layers:
            name, number = plain(layer), 1
            while name in self._folders.values() or name == ASSETS:
                number += 1
                name = f"{plain(layer)}-{number}"
            self._folders[layer] = name
        self._pages = {layer: frozenset(units) for layer, units in pages.items()}
        self._pictures = {layer: frozenset(channels) for layer, channels in pictures.items()}

    def folder(self, layer: str) -> str:
        """The folder of a layer."""
        return self._folders[layer]

    def page(self, layer: str, unit: int) -> str:
        """A unit's page, or empty where it has none."""
        return f"{self.folder(layer)}/{unit}.html" if unit in self._pages.get(layer, ()) else ""

    def picture(self, layer: str, channel: int) -> str:
        """A channel's picture, or empty where there is none."""
        return f"{self.folder(layer)}/{channel}.jpg" if channel in self._pictures.get(layer, ()) else ""
