"""Feature visualization against its peers: same machine, same run, same weights, layer and picture size.

    python -m benchmarks.visualization [--peers PYTHON] [--channels]

`--peers` names the interpreter of an environment with the peers; `make bench` makes one. `--channels` makes a picture
of every channel of VGG19 block3_conv2 and of every expand3x3 channel of SqueezeNet. Either part replaces its results
in benchmarks/results.json; benchmarks/README.md and the pictures beside it follow. VGG19's weights must be at hand.
"""

from __future__ import annotations

import argparse
import functools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks.plain import plain_loop
from benchmarks.tables import made, read_results, write_sheet, write_tables
from vizengine.cache import Cache
from vizengine.measures.extremes import photo_extremes
from vizengine.measures.photos import Photos
from vizengine.network import catalogue as zoo
from vizengine.network import weights
from vizengine.network.files import read_layers
from vizengine.network.model import Network, make_deterministic
from vizengine.network.probes import Probe
from vizengine.pictures import objectives
from vizengine.pictures.ascent import ascend, ascent_precision
from vizengine.pictures.result import PhotoBest, Settings
from vizengine.pictures.search import Job, measure, visualize
from vizengine.pictures.spectrum import noise

HERE = Path(__file__).resolve().parent
LAYER, SIZE = "block3_conv2", 128
GROUPS = {
    "seed circuit": [244, 113, 124, 169, 219, 104],
    "drawn at random": sorted(int(each) for each in np.random.default_rng(0).choice(256, 6, replace=False)),
}
PEERS = ("tf-keras-vis", "xplique", "keras recipe")
BUDGETS = (4, 6, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 72, 76, 80, 96, 112, 128, 160)
STEPS = 96
SEEDS, SAMPLE = (0, 1, 2), 16
REPEATS = 2
EXPAND3X3 = tuple(f"fire{number}/expand3x3" for number in range(2, 10))


def load(model: str, layer: str) -> Network:
    """The network with its real weights."""
    entry = zoo.catalogue_entry(model)
    with tempfile.TemporaryDirectory() as folder:
        cache = Cache(Path(folder))
        file = weights.locate(entry, None, None, HERE, entry.architecture.upto(layer), cache)
        return Network(entry.architecture, read_layers(file.path, entry.architecture.layers))


def peers_model(network: Network, path: Path) -> None:
    """The layers to LAYER as a Keras model from RGB pixels in [0, 255], which is what all peers can take."""
    image = keras.Input((SIZE, SIZE, 3))
    prepare = keras.layers.Conv2D(3, 1, name="prepare")
    below = network.model_upto(LAYER)
    model = keras.Model(image, below(prepare(image)))
    flat = keras.Sequential([keras.Input((SIZE, SIZE, 3)), prepare, *below.layers[1:]])
    prepare.set_weights([np.eye(3, dtype=np.float32)[::-1][None, None], -np.array(network.architecture.channel_mean)])
    assert model.count_params() == flat.count_params()
    flat.save(path)


def reached(network: Network, channels: list[int], images: np.ndarray) -> list[float]:
    """Each picture's mean pre-activation of its own channel, in float32 without transformations."""
    values = measure(network, LAYER, channels, images).mean(axis=(1, 2))
    return [float(value) for value in np.diagonal(values)]


def run_peer(python: str, name: str, model: Path, channels: list[int], out: Path) -> tuple[np.ndarray, float]:
    """A peer's pictures and the seconds of its quicker run, each in a process in its own environment."""
    numbers = ",".join(map(str, channels))
    command = [python, str(HERE / "peer.py"), name, str(model), LAYER, numbers, str(SIZE), str(out)]
    seconds = []
    for _ in range(REPEATS):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with np.load(out) as made:
            images = made["images"]
            seconds.append(float(made["seconds"]))
    return images, min(seconds)


def quickest(make: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    """What is made, which is the same each time, and the seconds of the quicker run: others may use the machine."""
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        made = make()
        seconds.append(time.perf_counter() - started)
    return made, min(seconds)


def run_ours(network: Network, channels: list[int], steps: int) -> np.ndarray:
    """Our pictures with a budget of `steps`."""
    probe = Probe(network, LAYER, channels, ascent_precision("auto"))
    start = noise([f"{LAYER}:{channel}" for channel in channels], 0, SIZE)
    return ascend(probe, start, objectives.channel(range(len(channels))), 0, steps).images


def run_plain(network: Network, channels: list[int]) -> np.ndarray:
    """The plain loop's pictures."""
    made = plain_loop(Probe(network, LAYER, channels), [f"{LAYER}:{channel}" for channel in channels], SIZE)
    return (made.numpy() * 255).round().astype(np.uint8)


def compare(network: Network, python: str, group: str, folder: Path) -> dict[str, Any]:
    """All contestants on one group of channels."""
    channels = GROUPS[group]
    peers_model(network, folder / "model.keras")
    run_ours(network, channels, 2)
    contestants: dict[str, Any] = {}
    pictures: dict[str, np.ndarray] = {}
    for name in PEERS:
        pictures[name], seconds = run_peer(python, name, folder / "model.keras", channels, folder / "peer.npz")
        contestants[name] = {"seconds": seconds, "reached": reached(network, channels, pictures[name])}
    pictures["plain loop"], seconds = quickest(lambda: run_plain(network, channels))
    contestants["plain loop"] = {"seconds": seconds, "reached": reached(network, channels, pictures["plain loop"])}
    budgets: dict[str, Any] = {}
    for steps in BUDGETS:
        pictures["this tool"], seconds = quickest(functools.partial(run_ours, network, channels, steps))
        budgets[str(steps)] = {"seconds": seconds, "reached": reached(network, channels, pictures["this tool"])}
        if steps == STEPS:
            shown = pictures["this tool"]
    pictures["this tool"] = shown
    return {"channels": channels, "contestants": contestants, "budgets": budgets, "pictures": pictures}


def step_rate(network: Network) -> dict[str, float]:
    """Floating-point rate of the ascent's convolutions as a share of the machine's matrix-multiply peak, in float32."""
    channels = GROUPS["seed circuit"]
    probe = Probe(network, LAYER, channels)
    start = noise([str(channel) for channel in channels], 0, SIZE)
    objective = objectives.channel(range(len(channels)))
    ascend(probe, start, objective, 0, 2)
    times = []
    for steps in (4, 24) * 3:
        started = time.perf_counter()
        ascend(probe, start, objective, 0, steps)
        times.append(time.perf_counter() - started)
    seconds = float(np.median([(long - short) / 20 for short, long in zip(times[::2], times[1::2], strict=True)]))
    architecture = network.architecture
    multiplications = 0
    for spec in architecture.upto(LAYER):
        if spec.kind == "conv":
            outputs = len(channels) if spec.name == LAYER else spec.filters
            side = architecture.side(spec.name, SIZE)
            multiplications += side**2 * spec.kernel**2 * architecture.channels(spec.inputs[0]) * outputs
    # Two operations a multiplication; once forward and once for the gradient of the input.
    operations = multiplications * 2 * 2 * len(channels)
    matrix = tf.random.stateless_normal((4096, 4096), (0, 0))
    multiply = tf.function(lambda value: tf.reduce_sum(tf.matmul(value, value)))
    multiply(matrix).numpy()
    peaks = []
    for _ in range(5):
        started = time.perf_counter()
        multiply(matrix).numpy()
        peaks.append(2 * 4096**3 / (time.perf_counter() - started))
    return {"seconds_per_step": seconds, "rate": operations / seconds, "peak": max(peaks)}


def share_of_channels(network: Network, layer: str, size: int) -> dict[str, Any]:
    """How many of all channels of a layer pass the best photo patch, by the tool's own verdict."""
    extremes = photo_extremes(network, layer, Photos("samples", HERE).found)
    channels = list(range(network.architecture.channels(layer)))
    best = {channel: PhotoBest(*extremes.best(channel)) for channel in channels}
    # The processor's: these runs are long, and others may use the machine.
    started = time.process_time()
    made = visualize(network, Job(layer, best, Settings(size, STEPS, 0, 4, "auto")))
    ratios = [made[channel].reached / best[channel].value for channel in channels if best[channel].value > 0]
    seconds = time.process_time() - started
    sample = np.random.default_rng(0).choice(channels, min(SAMPLE, len(channels)), replace=False)
    some = {int(channel): best[int(channel)] for channel in sample}
    seeds = [visualize(network, Job(layer, some, Settings(size, STEPS, seed, 1, "auto"))) for seed in SEEDS]
    spread = [
        np.std(each) / abs(np.mean(each))
        for each in zip(*([one[c].reached for c in some] for one in seeds), strict=True)
    ]
    return {
        "spread": [float(each) for each in np.quantile(spread, (0.5, 0.0, 1.0))],
        "channels": len(channels),
        "passed": sum(each.reached > each.photo_best for each in made.values()),
        "converged": sum(each.converged for each in made.values()),
        "median_ratio": float(np.median(ratios)),
        "seconds": seconds,
    }


def peak_memory(network_layer: str) -> float:
    """Largest resident memory, in megabytes, of a fresh build of the seed circuit in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.yaml"
        config.write_text(
            "site: {title: Memory}\ncircuits:\n  - name: seed\n    network: {model: vgg19}\n"
            f"    unit: {{layer: {network_layer}, index: 195}}\n    siblings: [8, 11]\n"
        )
        code = (
            "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, capture_output=True);"
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        )
        command = [sys.executable, "-c", code, sys.executable, str(HERE.parent / "generate.py"), str(config)]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout) / 1024


def main() -> None:
    """Run what was asked for and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", metavar="PYTHON")
    parser.add_argument("--channels", action="store_true")
    arguments = parser.parse_args()
    make_deterministic()
    kept = HERE / "results.json"
    results = read_results(kept)
    network = load("vgg19", "block3_conv3")
    if arguments.peers:
        results |= {"rate": step_rate(network), "memory": peak_memory("block3_conv3"), "groups": {}, "made": made()}
        pictures = {}
        for group in GROUPS:
            with tempfile.TemporaryDirectory() as folder:
                group_results = compare(network, arguments.peers, group, Path(folder))
            pictures[group] = group_results.pop("pictures")
            results["groups"][group] = group_results
        write_sheet(HERE / "pictures.jpg", pictures)
    kept.write_text(json.dumps(results, indent=1))
    if arguments.channels:
        squeezenet = load("squeezenet1.1", EXPAND3X3[-1])
        results["channels"] = {}
        for model, layer, size in (*((squeezenet, each, 96) for each in EXPAND3X3), (network, LAYER, SIZE)):
            name = f"{model.architecture.title} {layer}"
            results["channels"][name] = share_of_channels(model, layer, size)
            kept.write_text(json.dumps(results, indent=1))
            write_tables(HERE)
    write_tables(HERE)


if __name__ == "__main__":
    main()
