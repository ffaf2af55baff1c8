"""Circuits, photos, pictures and measurements for the tests of the evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, count, zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from vizengine.measures.engine import Engine, Evidence, Sources
from vizengine.measures.inputs import Circuit, analyse
from vizengine.measures.photos import Photo
from vizengine.measures.stream import EvidenceSettings
from vizengine.network.model import Network
from vizengine.network.probes import has_classifier
from vizengine.pictures.result import Visualization

REAL = [("squeezenet", "fire4/expand3x3", 23), ("vgg19", "block3_conv3", 195)]
KINDS = [
    ("tiny_network", "first", 2),
    ("tiny_network", "left", 1),
    ("tiny_network", "last", 3),
    ("squeezenet", "conv1", 5),
    ("squeezenet", "fire3/squeeze1x1", 4),
    ("vgg19", "block3_conv1", 7),
]


def circuit_of(network: Network, layer: str, unit: int, top: int = 6) -> Circuit:
    kernel, bias = network.weights[layer]
    return analyse(layer, unit, kernel, bias, network.architecture.source_channels(layer, unit), top)


def measured(
    network: Network,
    circuit: Circuit,
    photos: Sequence[Photo],
    picture: np.ndarray,
    settings: EvidenceSettings,
    advance: Callable[[int], Any] = lambda count: None,
) -> Evidence:
    """All measurements of a unit, nothing kept."""
    missing = "" if has_classifier(network) else "The network has no classifier."
    sources = Sources(
        lambda: network,
        network.architecture,
        circuit,
        photos,
        picture,
        settings,
        missing_classifier=missing,
        advance=advance,
    )
    return Engine(sources).evidence()


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A cloudy picture, (height, width, 3) float32 in [0, 1]."""
    raw = np.random.default_rng(seed).normal(size=(height, width, 3))
    smooth = gaussian_filter(raw, (2, 2, 0))
    return ((smooth - smooth.min()) / np.ptp(smooth)).astype(np.float32)


def save_photos(folder: Path, sizes: list[tuple[int, int]]) -> tuple[Photo, ...]:
    photos = []
    for index, (height, width) in enumerate(sizes):
        path = folder / f"photo{index:04d}.png"
        Image.fromarray((noise(height, width, index) * 255).astype(np.uint8)).save(path)
        photos.append(Photo(path))
    return tuple(photos)


def save_split(folder: Path, shown: list[tuple[int, int]], held_out: list[tuple[int, int]]) -> tuple[Photo, ...]:
    """Photos of those sizes whose contents have them shown and held out, one after the other as far as they go."""
    wanted = [(size, False) for size in shown], [(size, True) for size in held_out]
    photos = []
    for index, ((height, width), outside) in enumerate(filter(None, chain(*zip_longest(*wanted)))):
        for seed in count(1000 * index):
            path = folder / f"photo{index:04d}.png"
            Image.fromarray((noise(height, width, seed) * 255).astype(np.uint8)).save(path)
            if Photo(path).held_out is outside:
                photos.append(Photo(path))
                break
    return tuple(photos)


def picture_of(channel: int) -> Visualization:
    """A picture that no search has made."""
    image, trace = np.full((32, 32, 3), 40 * channel, np.uint8), np.zeros(2, np.float32)
    return Visualization("group", channel, "positive", image, trace, 2.0, 1.0, 1.0, "a", "channel", (), True)


def without(network: Network, layer: str, channel: int) -> Network:
    """The same network with one input channel of a layer cut off."""
    kernel, bias = network.weights[layer]
    cut = kernel.copy()
    cut[:, :, channel] = 0
    return Network(network.architecture, {**network.weights, layer: (cut, bias)})
