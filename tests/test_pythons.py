"""Every supported Python writes the same pages; which of them a machine has, and which not, is told."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.page import default_site
from tests.places import REPOSITORY

SUPPORTED = ("3.11", "3.12", "3.13")
OTHERS = [version for version in SUPPORTED if version != f"{sys.version_info.major}.{sys.version_info.minor}"]


@pytest.mark.parametrize("version", OTHERS)
def test_the_default_site_has_the_same_text_under_every_python(version: str) -> None:
    python = REPOSITORY / f".venv-{version}" / "bin" / "python"
    if not python.exists():
        pytest.skip(f"{python.parent.parent.name} isn't here: `make pythons` makes it where Python {version} is found")
    command = [str(python), "-m", "tests.page.default_site"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == default_site.texts()


def test_a_python_that_is_not_found_is_told(tmp_path: Path) -> None:
    """On PATH are the script's tools, and a name of a Python that runs nothing, as version managers have."""
    for tool in ("bash", "dirname", "mktemp", "rm"):
        (tmp_path / tool).symlink_to(shutil.which(tool) or tool)
    shim = tmp_path / f"python{OTHERS[0]}"
    shim.write_text("#!/usr/bin/env bash\nexit 127\n")
    shim.chmod(0o755)
    environment = {"PATH": str(tmp_path), "PYENV_ROOT": str(tmp_path / "none"), "PYTHON": sys.executable}
    script = str(REPOSITORY / "tests" / "pythons.sh")
    done = subprocess.run([str(tmp_path / "bash"), script], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"Python {version}: not found, so no page was written under it" for version in OTHERS
    ]


def test_the_versions_are_those_that_the_project_supports() -> None:
    assert f"SUPPORTED=({' '.join(SUPPORTED)})" in (REPOSITORY / "tests" / "pythons.sh").read_text()
    project = (REPOSITORY / "pyproject.toml").read_text()
    assert [version for version in SUPPORTED if f"Python :: {version}" in project] == list(SUPPORTED)
