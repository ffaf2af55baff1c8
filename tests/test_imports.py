"""Who may import whom, and what the project file says of the packages."""

from __future__ import annotations

import subprocess
import sys
import tomllib

import pytest

from tests.conftest import REPOSITORY
from vizengine.page.render import templates_folder

PACKAGE = REPOSITORY / "vizengine"


@pytest.mark.parametrize(
    "module",
    ["cli", "cache", "check", "config.load", "errors", "output", "network.catalogue", "page.report"],
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
        "below = {'vizengine.cache', 'vizengine.encoding', 'vizengine.errors'}\n"
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
