"""A sweep of VGG19 on many workers, simulated from measured task times, message sizes and Dask's own pace.

Run: python -m benchmarks.sweep_scale
"""

from __future__ import annotations

import heapq
import math
import pickle
import time
from collections.abc import Sequence
from pathlib import Path

from vizengine.config.load import load
from vizengine.layers.estimate import STEPS_OF_ALL_ATTEMPTS, STIMULI, multiplications
from vizengine.layers.jobs import PHOTOS_OF_A_JOB, Done, Job, chosen_layers, source_layers
from vizengine.layers.workers import SweepContext
from vizengine.network import catalogue as zoo
from vizengine.network.layers import INPUT
from vizengine.pictures.ascent import batches

CONFIG = """\
site: {title: Scale}
visualization: {size: 64}
circuits:
  - {name: vgg, network: {model: vgg19}, unit: all}
"""
# Processor seconds of one thread for a thousand million multiplications, from the measurements in scale.md.
FORWARD, STEP = 0.0094, 0.0105
BEFORE_A_BATCH = 0.6
STEPS, ATTEMPTS, PHOTOS = 96, 4, 1000
# A worker loads TensorFlow and the network.
START = 10.0


def tasks() -> tuple[list[tuple[Job, float]], list[tuple[Job, float]]]:
    """Measuring jobs and picture jobs of all of VGG19's conv units, each with its seconds."""
    architecture = zoo.catalogue_entry("vgg19").architecture
    layers = [layer.name for layer in architecture.conv_layers]
    first, second = [], []
    for layer in (INPUT, *layers):
        per_photo = 0.05 if layer == INPUT else FORWARD * multiplications(architecture, layer, 512) * 0.6 / 1e9
        for part in range(math.ceil(PHOTOS / PHOTOS_OF_A_JOB)):
            count = min(PHOTOS_OF_A_JOB, PHOTOS - part * PHOTOS_OF_A_JOB)
            first.append((Job("survey", layer, part=part), count * per_photo))
    for layer in layers:
        side = architecture.receptive_field(layer).size + 8
        first.append((Job("selectivity", layer), STIMULI * FORWARD * multiplications(architecture, layer, side) / 1e9))
        for batch in batches(architecture, layer, range(architecture.channels(layer)), 64):
            steps = STEPS * STEPS_OF_ALL_ATTEMPTS[ATTEMPTS - 1]
            seconds = len(batch) * steps * STEP * multiplications(architecture, layer, 64) / 1e9
            second.append((Job("pictures", layer, tuple(batch)), seconds + BEFORE_A_BATCH * ATTEMPTS))
    return first, second


def simulate(phases: Sequence[Sequence[tuple[Job, float]]], workers: int, overhead: float) -> float:
    """Seconds until all phases are through; each begins when the one before has ended."""
    clock = 0.0
    free = [START] * workers
    for phase in phases:
        heapq.heapify(free)
        handed = clock
        for _, seconds in phase:
            # The scheduler hands out one task after the other.
            handed += overhead
            begin = max(heapq.heappop(free), handed)
            heapq.heappush(free, begin + seconds)
        clock = max(free)
        free = [clock] * workers
    return clock


def pace(count: int = 2000) -> float:
    """Seconds of Dask's scheduler and client for one task that does nothing, on a local cluster."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        client.gather(client.map(abs, range(10), pure=False))
        started = time.process_time()
        client.gather(client.map(abs, range(count), pure=False))
        return (time.process_time() - started) / count


def main() -> None:
    folder = Path(__file__).parent
    path = folder / "scale.yaml.tmp"
    path.write_text(CONFIG)
    try:
        config = load(path)
    finally:
        path.unlink()
    architecture = zoo.catalogue_entry("vgg19").architecture
    layers = chosen_layers(config.circuits[0].unit, architecture)  # type: ignore[union-attr, arg-type]
    assert {source for layer in layers for source in source_layers(architecture, layer)} <= {INPUT, *layers}
    first, second = tasks()
    overhead = pace()
    sent = len(pickle.dumps((SweepContext(config, "vgg", folder, folder), second[0][0])))
    returned = len(pickle.dumps(Done(second[0][0], 1.0, 1.0, "tcp://10.0.0.1:40000 (process 10000)")))
    every = [*first, *second]
    work = sum(seconds for _, seconds in every)
    print(
        f"units {sum(map(architecture.channels, layers))}, tasks {len(first)} + {len(second)}, work {work / 3600:.2f} h"
    )
    print(f"a task: {sent} bytes to it, {returned} back, {overhead * 1000:.2f} ms of Dask")
    print("| workers | hours | times as fast | busy | through the scheduler | scheduler |\n|---|---|---|---|---|---|")
    for workers in (1, 8, 64, 512):
        seconds = simulate((first, second), workers, overhead)
        moved = len(every) * (sent + returned) / 1e6
        print(
            f"| {workers} | {seconds / 3600:.2f} | {(work + START) / seconds:.1f} | {work / seconds / workers:.0%} "
            f"| {moved:.1f} MB | {len(every) * overhead:.1f} s |"
        )


if __name__ == "__main__":
    main()
