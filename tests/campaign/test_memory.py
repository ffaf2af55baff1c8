"""Memory that runs short: one batch that is halved, one run that is told, and the warning beforehand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.campaign.memory import halved, limited, prepared
from tests.campaign.runs import command, environment

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to its address space")


def test_a_batch_that_finds_no_memory_is_halved() -> None:
    assert halved(512, 70) == "halved"


def test_a_run_without_memory_says_so_and_the_site_stands(tmp_path: Path) -> None:
    """TensorFlow's library alone takes more."""
    assert limited(tmp_path, 700, prepared(tmp_path)) == "a message"


def test_the_estimate_warns_before(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        "site: {title: Many}\nvisualization: {size: 64, steps: 4, attempts: 1}\nexecution: {workers: 64}\n"
        "circuits:\n  - name: sweep\n    network: {model: squeezenet1.1}\n"
        "    unit: {layer: fire2/squeeze1x1, index: [0, 1]}\n"
    )
    done = subprocess.run(
        ["sh", "-c", 'ulimit -v 6000000; exec "$@"', "sh", *command("config.yaml", "--estimate")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (memory,) = (line for line in done.stdout.splitlines() if "memory:" in line)
    assert "GB are free: name fewer `workers`, or smaller pictures" in memory
