"""Small sweeps of SqueezeNet in processes of their own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from tests import runs
from vizengine.network.model import Network

UNIT = "{layer: [conv1, fire2/squeeze1x1], index: all}"


def write_config(folder: Path, unit: str = UNIT, execution: str = "{}", more: str = "") -> Path:
    """The config of the shared sweep, with other units or ways to run it, and its photos."""
    runs.write_photos(folder)
    head, _, rest = runs.SWEEP.partition("circuits:")
    path = folder / "config.yaml"
    path.write_text(f"{head}execution: {execution}\ncircuits:{rest.replace(UNIT, unit)}{more}")
    return path


def run(config: Path, *options: str, code: int = 0, trace: bool = False) -> subprocess.CompletedProcess[str]:
    return runs.run(config.parent, str(config), *options, code=code, trace=trace)


def times(folder: Path) -> dict[str, int]:
    """When each picture was kept."""
    return {path.name: path.stat().st_mtime_ns for path in folder.glob(".vizengine-cache/pictures/*.json")}


def units(folder: Path) -> list[dict[str, Any]]:
    """What a page of units says of each."""
    (path,) = (*folder.glob("units.json"), *folder.glob("survey.json"))
    found = json.loads(path.read_text())
    return found["units"] if isinstance(found, dict) else found  # type: ignore[no-any-return]


def break_weights(network: Network, layer: str, place: tuple[int, ...], upto: str, config: Path) -> None:
    """Have a config use SqueezeNet's weights with one of a layer's kernel, or bias, that isn't a number."""
    kernel, bias = (array.copy() for array in network.weights[layer])
    (kernel if len(place) == 4 else bias)[place] = np.nan
    broken = Network(network.architecture, {**network.weights, layer: (kernel, bias)})
    broken.model_upto(upto).save_weights(config.parent / "broken.weights.h5")
    config.write_text(config.read_text().replace("squeezenet1.1}", "squeezenet1.1, weights: broken.weights.h5}"))
