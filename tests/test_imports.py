"""Who may import whom, and what the project file says of the packages."""

from __future__ import annotations

import tomllib

from tests.places import REPOSITORY
from vizengine.page.render import templates_folder

PACKAGE = REPOSITORY / "vizengine"


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
