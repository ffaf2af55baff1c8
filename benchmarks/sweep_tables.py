"""The results of the sweeps' benchmarks as a section of a page and a plot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def sweep_lines(folder: Path, results: dict[str, Any]) -> list[str]:
    """The section on sweeps; writes sweep.png into `folder`."""
    lines = [
        "## 5. Sweeps",
        "",
        "`python -m benchmarks.sweep --parts --whole` measures; `python -m benchmarks.sweep_scale` simulates larger",
        "ones ([docs/scale.md](../docs/scale.md)). SqueezeNet 1.1, pictures of 64 px, 96 steps, up to four attempts,",
        "the eight sample photos; each run is a process of its own with an empty cache.",
    ]
    if "counts" in results:
        counts, workers = _counts(results["counts"], results["alone"]), _workers(results["workers"])
        lines += [*counts, *workers, "", f"Both: {results['parts_made']}."]
        _plot(folder / "sweep.png", results["counts"], results["alone"])
    if "whole" in results:
        lines += [*_whole(results["whole"]), "", f"{results['whole_made']}."]
    return lines


def _mean_alone(alone: list[dict[str, Any]]) -> float:
    return sum(float(each["wall"]) for each in alone) / len(alone)


def _counts(counts: dict[str, Any], alone: list[dict[str, Any]]) -> list[str]:
    single = _mean_alone(alone)
    lines = [
        "",
        "### Cost per unit by number of units",
        "",
        "Units of `fire9/expand3x3` in one process, with the pictures of all inputs that their pages show. *A process",
        f"for each*: what {len(alone)} one-unit runs take on average, {single:.1f} s, times the number of units, as in",
        "a loop over them.",
        "",
        "| units | seconds | a unit | a process for each | times as fast | peak memory | site |",
        "|---|---|---|---|---|---|---|",
    ]
    for count, each in counts.items():
        seconds, units = float(each["wall"]), int(count)
        lines.append(
            f"| {units} | {seconds:.0f} | {seconds / units:.2f} | {single * units:.0f} "
            f"| {single * units / seconds:.1f} "
            f"| {each['peak_bytes'] / 1e9:.2f} GB | {each['site_bytes'] / 1e6:.1f} MB |"
        )
    return [*lines, "", "![Seconds a unit against the number of units](sweep.png)"]


def _workers(workers: dict[str, Any]) -> list[str]:
    one, two = workers["1"], workers["2"]
    return [
        "",
        "### Two workers against one",
        "",
        "All 128 units of `fire5/expand3x3`, Dask on this machine, one thread a worker. Memory is the sum of all",
        "processes, which counts what they share several times.",
        "",
        "| workers | seconds | times as fast | peak memory |",
        "|---|---|---|---|",
        f"| 1 | {one['wall']:.0f} | 1 | {one['peak_bytes'] / 1e9:.2f} GB |",
        f"| 2 | {two['wall']:.0f} | {one['wall'] / two['wall']:.2f} | {two['peak_bytes'] / 1e9:.2f} GB |",
    ]


def _whole(whole: dict[str, Any]) -> list[str]:
    lines = [
        "",
        "### A whole network",
        "",
        f"All 2,944 conv units of SqueezeNet below `conv10` in one process: {whole['wall'] / 60:.1f} minutes, "
        f"{whole['pages']} pages, peak memory {whole['peak_bytes'] / 1e9:.2f} GB, {whole['site_bytes'] / 1e6:.0f} MB",
        "of site.",
        "",
        "| stage | seconds |",
        "|---|---|",
    ]
    return lines + [f"| {stage} | {seconds:.0f} |" for stage, seconds in whole["stages"].items()]


def _plot(path: Path, counts: dict[str, Any], alone: list[dict[str, Any]]) -> None:
    units = [int(count) for count in counts]
    figure, axis = plt.subplots(figsize=(5.4, 3.4), layout="constrained")
    axis.plot(units, [each["wall"] / count for count, each in zip(units, counts.values(), strict=True)], "o-k")
    axis.axhline(_mean_alone(alone), color="0.6", linestyle="--")
    axis.annotate("a process for each unit", (units[-1], _mean_alone(alone)), ha="right", va="bottom", fontsize=8)
    axis.set(xscale="log", yscale="log", xlabel="units in one sweep", ylabel="seconds a unit")
    axis.set_xticks(units, [str(count) for count in units])
    axis.minorticks_off()
    figure.savefig(path, dpi=130)
    plt.close(figure)
