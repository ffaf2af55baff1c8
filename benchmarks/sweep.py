"""Benchmarks of sweeps: cost per unit against their number, two workers against one, and a process for each unit.

The machine may be shared, so each figure is the processor time of all processes beside the wall-clock time; on an idle
machine with as many cores as busy threads the second is the first over the number of processes.

Run: python -m benchmarks.sweep [--whole] > benchmarks/sweep.json
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
import threading
import time
from pathlib import Path

import psutil

REPOSITORY = Path(__file__).resolve().parent.parent
CONFIG = """\
site: {{title: Benchmark}}
visualization: {{size: 64}}
{execution}
circuits:
  - name: units
    network: {{model: squeezenet1.1}}
    unit: {unit}
"""


def run(unit: str, execution: str = "", folder: Path | None = None) -> dict[str, object]:
    """One sweep in a process of its own and an empty cache: seconds, memory, size, and seconds by stage."""
    with tempfile.TemporaryDirectory() as temporary:
        place = folder or Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        (place / "config.yaml").write_text(CONFIG.format(unit=unit, execution=execution))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.monotonic()
        command = [sys.executable, str(REPOSITORY / "generate.py"), str(place / "config.yaml"), "-q"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        peak = _watch(process)
        wall = time.monotonic() - started
        assert process.returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        site = place / "site"
        files = [path for path in site.rglob("*") if path.is_file()]
        return {
            "wall": wall,
            "processor": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
            "peak_bytes": peak,
            "site_bytes": sum(path.stat().st_size for path in files),
            "pages": sum(path.suffix == ".html" for path in files) - 1,
            "stages": json.loads((site / "build.json").read_text())["seconds_by_stage"],
        }


def _watch(process: subprocess.Popen[bytes]) -> int:
    """The most memory that a process and all its children had at a time, in bytes; waits for its end."""
    ended, peak = threading.Event(), 0

    def look() -> None:
        nonlocal peak
        whole = psutil.Process(process.pid)
        while not ended.wait(0.5):
            total = 0
            try:
                for each in (whole, *whole.children(recursive=True)):
                    total += each.memory_info().rss
            except psutil.Error:
                continue
            peak = max(peak, total)

    watcher = threading.Thread(target=look)
    watcher.start()
    process.wait()
    ended.set()
    watcher.join()
    return peak


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--whole", action="store_true", help="all 2,944 units below conv10 as well")
    options = parser.parse_args()
    results: dict[str, object] = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    counts = {}
    for count in (1, 16, 64, 256):
        counts[count] = run(f"{{layer: fire9/expand3x3, index: [0-{count - 1}]}}")
        print(f"{count} units: {counts[count]}", file=sys.stderr, flush=True)
    results["counts"] = counts
    workers = {}
    for count in (1, 2):
        workers[count] = run("{layer: fire5/expand3x3, index: all}", f"execution: {{workers: {count}, threads: 1}}")
        print(f"{count} workers: {workers[count]}", file=sys.stderr, flush=True)
    results["workers"] = workers
    alone = [run(f"{{layer: fire9/expand3x3, index: [{unit}]}}") for unit in (0, 85, 170, 255)]
    results["a process for each"] = alone
    if options.whole:
        results["whole"] = run("{layer: [conv1, 'fire*'], index: all}", "execution: {workers: 2}")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
