"""Who may import whom, and what the project file says of the packages."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from vizengine.page.render import templates_folder

PACKAGE = REPOSITORY / "vizengine"


def test_the_import_contracts_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([str(linter), "--no-logo", "--no-cache"], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_the_contracts_can_fail(tmp_path: Path) -> None:
    """A copy in which a low room imports a high one, and another TensorFlow, breaks both."""
    import shutil

    shutil.copytree(PACKAGE, tmp_path / "vizengine", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    for module, line in (("circuit/strength.py", "import vizengine.page.report"), ("cache.py", "import tensorflow")):
        with (tmp_path / "vizengine" / module).open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([str(linter), "--no-logo", "--no-cache"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "2 broken" in done.stdout, done.stdout


@pytest.mark.parametrize(
    "module",
    [
        "cli",
        "cache",
        "config.load",
        "config.document",
        "errors",
        "init",
        "progress",
        "locations",
        "networks.zoo",
        "report.model",
    ],
)
def test_modules_that_load_without_tensorflow(module: str) -> None:
    program = (
        f"import sys, vizengine.{module}\n"
        "heavy = {'tensorflow', 'keras', 'matplotlib', 'skimage', 'sklearn', 'h5py'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_cache_knows_nothing_above_it() -> None:
    program = (
        "import sys, vizengine.cache, vizengine.encoding\n"
        "loaded = {name for name in sys.modules if name.startswith('vizengine.')}\n"
        "below = {'vizengine.cache', 'vizengine.cache_key', 'vizengine.encoding', 'vizengine.errors'}\n"
        "above = loaded - below\n"
        "sys.exit(f'loaded: {above}' if above else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_package_is_named_in_the_project_file() -> None:
    """setuptools is told the packages one by one, so a new one could be forgotten."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    found = {".".join(path.parent.relative_to(REPOSITORY).parts) for path in PACKAGE.rglob("__init__.py")}
    assert set(project["tool"]["setuptools"]["packages"]) == found | _templates()


def _templates() -> set[str]:
    folders = [path for path in (REPOSITORY / "templates").rglob("*") if path.is_dir() and path.name != "__pycache__"]
    inside = {".".join(("vizengine.templates", *path.relative_to(REPOSITORY / "templates").parts)) for path in folders}
    return {"vizengine.templates"} | inside


def test_templates_are_found_in_a_checkout() -> None:
    assert templates_folder() == REPOSITORY / "templates"
    assert (templates_folder() / "base.html").is_file()
