"""Benchmarks of sweeps: cost per unit against their number, two workers against one, a whole network.

    python -m benchmarks.sweep [--whole] [--parts]

`--parts` measures all but the whole, `--whole` all 2,944 units below conv10; each replaces its results in
benchmarks/sweep.json, and benchmarks/README.md with its plots follows.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

from benchmarks.tables import made, read_results, write_tables

HERE = Path(__file__).resolve().parent
COUNTS = (1, 16, 64, 256)
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
        command = [sys.executable, str(HERE.parent / "generate.py"), str(place / "config.yaml"), "-q"]
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


def parts() -> dict[str, object]:
    """Sweeps of more and more units, of one worker and two, and processes of one unit each."""
    counts = {str(count): run(f"{{layer: fire9/expand3x3, index: [0-{count - 1}]}}") for count in COUNTS}
    layer = "{layer: fire5/expand3x3, index: all}"
    workers = {str(count): run(layer, f"execution: {{workers: {count}, threads: 1}}") for count in (1, 2)}
    alone = [run(f"{{layer: fire9/expand3x3, index: [{unit}]}}") for unit in (0, 85, 170, 255)]
    return {"counts": counts, "workers": workers, "alone": alone}


def main() -> None:
    """Run what was asked for and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--parts", action="store_true")
    options = parser.parse_args()
    kept = HERE / "sweep.json"
    results = read_results(kept)
    if options.parts:
        results |= parts() | {"parts_made": made()}
        kept.write_text(json.dumps(results, indent=1))
    if options.whole:
        results |= {"whole": run("{layer: [conv1, 'fire*'], index: all}"), "whole_made": made()}
        kept.write_text(json.dumps(results, indent=1))
    write_tables(HERE)


if __name__ == "__main__":
    main()
