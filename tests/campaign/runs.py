"""Real runs of the command for the campaigns: a small config, its process, and what its site holds."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
CONFIG = """\
site: {title: TITLE}
visualization: {size: 32, steps: 4, attempts: 1}
circuits:
  - name: squeeze
    network: {model: squeezenet1.1}
    unit: {layer: conv1, index: 3}
    inputs: 3
"""
# Wall-clock times, and the list of files, which is written last.
_SIDE_FILES = ("build.json", ".vizengine-site")


def environment(**more: str) -> dict[str, str]:
    """The tests' own, without what changes TensorFlow."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "GRPC_"))} | more


def command(*arguments: object) -> list[str]:
    """`python generate.py` with arguments."""
    return [sys.executable, str(REPOSITORY / "generate.py"), *map(str, arguments)]


def start(folder: Path, *arguments: object, **more: str) -> subprocess.Popen[str]:
    """Start the command in a folder."""
    return subprocess.Popen(
        command(*arguments),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(**more),
        # A shell that puts the tests in the background has SIGINT ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
    )


def run(folder: Path, *arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder to its end."""
    process = start(folder, *arguments, **more)
    stdout, stderr = process.communicate(timeout=600)
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def write_config(folder: Path, title: str) -> None:
    """A config whose pages differ by their title."""
    (folder / "config.yaml").write_text(CONFIG.replace("TITLE", title))


def contents(site: Path) -> dict[str, str]:
    """Hash of each file of a site by its path, but for those that may differ; nothing where there is no site."""
    return {
        path.relative_to(site).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(site.rglob("*"))
        if path.is_file() and path.name not in _SIDE_FILES
    }


def leftovers(folder: Path) -> list[str]:
    """What a run that ended may not leave behind beside its site."""
    return sorted(path.name for path in folder.glob(".site.*"))
