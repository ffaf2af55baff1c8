"""The benchmark's results as a page, a plot and a sheet of pictures."""

from __future__ import annotations

import datetime
import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from benchmarks.sweep_tables import sweep_lines

ROWS = ("keras recipe", "xplique", "tf-keras-vis", "plain loop", "this tool")


def seconds_to(budgets: dict[str, Any], targets: list[float]) -> tuple[float, int] | None:
    """Seconds and steps of the smallest budget with which every channel reaches its target, or None."""
    for steps, made in sorted(budgets.items(), key=lambda item: int(item[0])):
        if all(value >= target for value, target in zip(made["reached"], targets, strict=True)):
            return made["seconds"], int(steps)
    return None


def read_results(path: Path) -> dict[str, Any]:
    """What earlier runs left in a file, or nothing."""
    return json.loads(path.read_text()) if path.is_file() else {}


def write_tables(folder: Path) -> None:
    """Write README.md and its plots into `folder`, from the results that are kept there."""
    results = read_results(folder / "results.json")
    lines = [
        "# Benchmarks",
        "",
        "`make bench` remakes all of this; photos by the thousand are in [photos.md](photos.md). Peers run at their",
        "own defaults, in an environment and processes of their own, in the same run on the same machine; each time is",
        "the shorter of two runs; the columns to read are the ratios.",
        "",
        f"{results['made']}, tf-keras-vis 0.8.7, xplique 2.0.2; sweeps as said there.",
        "",
        "## 1. Time to reach what others reach",
        "",
        "VGG19 `block3_conv2`, 128 px, six channels at once. *Reached*: the channel's mean pre-activation on the",
        "finished picture, without transformations, in float32, as a share of what the plain loop (512 steps",
        "of Adam at 0.05, all transformations, float32) reaches. *Ours*: the seconds of the smallest number",
        "of steps with which every one of the six channels is at least as far, tracing included. For the plain loop",
        "the target is 90 % of what it reaches.",
        "",
        "| channels | contestant | its seconds | reached, median (range) | ours, seconds (steps) | times as fast |",
        "|---|---|---|---|---|---|",
    ]
    for group, made in results["groups"].items():
        plain = np.array(made["contestants"]["plain loop"]["reached"])
        for name, each in made["contestants"].items():
            share = np.array(each["reached"]) / plain
            goal = 0.9 if name == "plain loop" else 1.0
            ours = seconds_to(made["budgets"], [goal * value for value in each["reached"]])
            cells = f"{ours[0]:.1f} ({ours[1]})" if ours else "not within 160 steps"
            times = f"{each['seconds'] / ours[0]:.0f}" if ours else "–"
            spread = f"{np.median(share):.2f} ({share.min():.2f} to {share.max():.2f})"
            lines.append(f"| {group} | {name} | {each['seconds']:.1f} | {spread} | {cells} | {times} |")
        ours = made["budgets"]["96"]
        share = np.array(ours["reached"]) / plain
        spread = f"{np.median(share):.2f} ({share.min():.2f} to {share.max():.2f})"
        lines.append(f"| {group} | this tool, 96 steps | {ours['seconds']:.1f} | {spread} | | |")
    rate = results["rate"]
    lines += [
        "",
        "![Mean pre-activation against seconds](curves.png)",
        "",
        "How far it goes isn't all that counts. The same channels, from the top: " + ", ".join(ROWS) + ".",
        "",
        "![Pictures](pictures.jpg)",
        "",
        "## 2. Channels that pass the best photo patch",
        "",
    ]
    if "channels" in results:
        lines += [
            "Highest pre-activation on the picture against the highest at any position of the eight sample photos; at",
            "most four attempts of 96 steps; VGG19 at 128 px, SqueezeNet at 96 px. *Converged* also asks for a flat",
            "trace. *Spread*: standard deviation over mean of what three seeds reach, one attempt each, for sixteen",
            "channels of the layer drawn at random: median (range).",
            "",
            "| layer | channels | passed | converged | median ratio | spread | processor seconds |",
            "|---|---|---|---|---|---|---|",
        ]
        for name, each in results["channels"].items():
            middle, low, high = each["spread"]
            lines.append(
                f"| {name} | {each['channels']} | {each['passed']} | {each['converged']} | {each['median_ratio']:.1f} "
                f"| {middle:.0%} ({low:.0%} to {high:.0%}) | {each['seconds']:.0f} |"
            )
    else:
        lines.append("Not part of this run; `make bench` adds it.")
    lines += [
        "",
        "## 3. Time per step",
        "",
        f"{rate['seconds_per_step'] * 1000:.0f} ms in float32 for six pictures of 128 px: its convolutions run at "
        f"{rate['rate'] / 1e9:.0f} GFLOP/s, {rate['rate'] / rate['peak']:.0%} of the {rate['peak'] / 1e9:.0f} GFLOP/s "
        "that a matrix multiplication of 4096 × 4096 reaches in the same process.",
        "",
        "## 4. Peak memory",
        "",
        f"{results['memory']:.0f} MB resident for a fresh build of the seed circuit's whole page.",
        "",
        *sweep_lines(folder, read_results(folder / "sweep.json")),
        "",
    ]
    (folder / "README.md").write_text("\n".join(lines), encoding="utf-8")
    _curves(folder / "curves.png", results)


def made() -> str:
    """Day, machine and versions of this run."""
    libraries = f"Python {platform.python_version()}, TensorFlow {version('tensorflow')}"
    return f"{datetime.date.today()}, {processor()}, {libraries}"


def processor() -> str:
    """The machine's processor and its number of cores."""
    information = Path("/proc/cpuinfo")
    if not information.is_file():
        return platform.processor()
    lines = information.read_text().splitlines()
    name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    return f"{name}, {sum(line.startswith('processor') for line in lines)} cores"


def _curves(path: Path, results: dict[str, Any]) -> None:
    figure, axes = plt.subplots(1, len(results["groups"]), figsize=(9, 3.4), sharey=True, layout="constrained")
    for axis, (group, made) in zip(axes, results["groups"].items(), strict=True):
        plain = np.array(made["contestants"]["plain loop"]["reached"])
        ours = [(each["seconds"], np.median(np.array(each["reached"]) / plain)) for each in made["budgets"].values()]
        axis.plot(*zip(*ours, strict=True), marker="o", markersize=3, color="black", label="this tool, by steps")
        for name, each in made["contestants"].items():
            axis.plot(each["seconds"], np.median(np.array(each["reached"]) / plain), "s", label=name)
        axis.set(title=group, xlabel="seconds, six channels", xscale="log")
        axis.axhline(0, color="0.8", linewidth=0.8)
    axes[0].set_ylabel("reached, of the plain loop")
    axes[0].legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=130)


def write_sheet(path: Path, pictures: dict[str, dict[str, np.ndarray]]) -> None:
    """The pictures of all contestants, a row each."""
    rows = [np.concatenate([np.concatenate(list(made[name]), 1) for made in pictures.values()], 1) for name in ROWS]
    Image.fromarray(np.concatenate(rows, 0)).save(path, quality=85, subsampling=0)
