"""Time and memory of the evidence against the number of photos, and its top examples against a brute-force pass.

`python -m benchmarks.photos` writes photos.md beside this file. Each run is a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
LAYER, UNIT = "fire4/expand3x3", 23
SIZE = (384, 512)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--photos", type=int, nargs="+", default=[500, 1000, 2000])
    arguments.add_argument("--measure", help=argparse.SUPPRESS)
    arguments.add_argument("--brute", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.measure:
        print(json.dumps(_measure(Path(given.measure), given.photos[0])))
    elif given.brute:
        print(json.dumps(_brute(Path(given.brute), given.photos[0])))
    else:
        _compare(given.photos)


def _compare(counts: list[int]) -> None:
    rows = []
    with tempfile.TemporaryDirectory() as name:
        _generate(Path(name), max(counts))
        for count in counts:
            own, brute = (_child(option, name, count) for option in ("--measure", "--brute"))
            rows.append((count, own, brute, own["top"] == brute["top"]))
            print(f"{count} photos: {own['seconds']:.1f} s, {own['megabytes']} MB, same top examples: {rows[-1][3]}")
    lines = [
        "# Evidence over many photos",
        "",
        "`python -m benchmarks.photos` remakes this. Generated photos of "
        f"{SIZE[1]} × {SIZE[0]} px; SqueezeNet 1.1 `{LAYER}` unit {UNIT}; the whole evidence of the unit but for",
        "the stages that don't depend on photos is in the seconds, loading the network isn't. *Same*: its 24 top",
        "examples, photo, row and column of each, are those of a pass that keeps every position of every photo.",
        "",
        f"{date.today()}, Python {platform.python_version()}, TensorFlow {version('tensorflow')}, "
        f"{os.cpu_count()} cores.",
        "",
        "| photos | seconds | ms per photo | peak memory | brute force: seconds | its memory | same |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {count} | {own['seconds']:.1f} | {own['seconds'] / count * 1000:.1f} | {own['megabytes']} MB "
            f"| {brute['seconds']:.1f} | {brute['megabytes']} MB | {'yes' if same else 'no'} |"
            for count, own, brute, same in rows
        ),
    ]
    (HERE / "photos.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _child(option: str, folder: str, count: int) -> dict[str, object]:
    command = [sys.executable, "-m", "benchmarks.photos", option, folder, "--photos", str(count)]
    made = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(made.stdout.splitlines()[-1])


def _generate(folder: Path, count: int) -> None:
    """Clouds of three scales in random colours, with edges."""
    from PIL import Image

    for index in range(count):
        random = np.random.default_rng(index)
        image = np.zeros((*SIZE, 3))
        for side in (4, 24, 96):
            coarse = random.random((side, side, 3), np.float32)
            layer = Image.fromarray((coarse * 255).astype(np.uint8)).resize(SIZE[::-1], int(random.integers(0, 4)))
            image += np.asarray(layer, float) / side**0.3
        image *= 255 / image.max()
        Image.fromarray(image.astype(np.uint8)).save(folder / f"{index:05d}.jpg", quality=85)


def _setup(folder: Path, count: int):
    from vizengine.cache import Cache
    from vizengine.measures.inputs import analyse
    from vizengine.measures.photos import Photos
    from vizengine.network import weights
    from vizengine.network.catalogue import catalogue_entry
    from vizengine.network.files import read_layers
    from vizengine.network.model import Network

    entry = catalogue_entry("squeezenet1.1")
    file = weights.locate(entry, None, None, folder, entry.architecture.layers, Cache(folder / "cache"))
    network = Network(entry.architecture, read_layers(file.path, entry.architecture.layers))
    kernel, bias = network.weights[LAYER]
    circuit = analyse(LAYER, UNIT, kernel, bias, entry.architecture.source_channels(LAYER), 6)
    return network, circuit, Photos(str(folder), folder).found[:count]


def _measure(folder: Path, count: int) -> dict[str, object]:
    from vizengine.measures.engine import Engine, Sources
    from vizengine.measures.stream import EvidenceSettings

    network, circuit, photos = _setup(folder, count)
    picture = (np.random.default_rng(0).random((128, 128, 3)) * 255).astype(np.uint8)
    started = time.perf_counter()
    sources = Sources(lambda: network, network.architecture, circuit, photos, picture, EvidenceSettings())
    top = Engine(sources).evidence().examples.top
    return _result(started, [(example.photo_index, example.row, example.column) for example in top])


def _brute(folder: Path, count: int) -> dict[str, object]:
    """Keep all, sort all, take each position that no better one of its photo overlaps."""
    from vizengine.measures.stream import EvidenceSettings
    from vizengine.network.probes import Probe

    network, _, photos = _setup(folder, count)
    settings = EvidenceSettings()
    probe = Probe(network, LAYER, [UNIT])
    started = time.perf_counter()
    maps = np.stack([probe.numpy(photo.pixels()[None])[0, ..., 0] for photo in photos])
    field = network.architecture.receptive_field(LAYER)
    reach = -(-field.size // field.stride)
    top: list[tuple[int, int, int]] = []
    for flat in np.argsort(-maps, axis=None, kind="stable"):
        photo, row, column = (int(place) for place in np.unravel_index(flat, maps.shape))
        same = [each for each in top if each[0] == photo]
        if len(same) < settings.per_photo and all(
            max(abs(row - each[1]), abs(column - each[2])) >= reach for each in same
        ):
            top.append((photo, row, column))
        if len(top) == settings.examples:
            break
    return _result(started, top)


def _result(started: float, top: list[tuple[int, int, int]]) -> dict[str, object]:
    seconds = time.perf_counter() - started
    return {
        "seconds": seconds,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "top": [list(each) for each in top],
    }


if __name__ == "__main__":
    main()
