"""Small sweeps of SqueezeNet in processes of their own."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import REPOSITORY

CONFIG = """\
site: {{title: Test}}
visualization: {{size: 32, steps: 4, attempts: 1}}
{execution}
circuits:
  - name: small
    network: {{model: squeezenet1.1}}
    unit: {unit}
    inputs: 3
"""
UNIT = "{layer: [conv1, fire2/squeeze1x1], index: all}"


def write_config(folder: Path, unit: str = UNIT, execution: str = "", more: str = "") -> Path:
    path = folder / "config.yaml"
    path.write_text(CONFIG.format(unit=unit, execution=execution) + more)
    return path


def command(config: Path, *options: str, trace: bool = False) -> list[str]:
    python = [sys.executable, *(["-X", "importtime"] if trace else [])]
    return [*python, str(REPOSITORY / "generate.py"), str(config), *options]


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "VIZENGINE_"))}


def run(config: Path, *options: str, code: int = 0, trace: bool = False) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command(config, *options, trace=trace), env=environment(), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == code, done.stderr[-3000:]
    return done


def digests(folder: Path) -> dict[str, str]:
    """Hash of every file but those that hold the wall-clock times and the config."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in ("build.json", "config.yaml")]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
