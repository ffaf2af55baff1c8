"""What a wheel and a sdist hold, and that they work far from the checkout."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.places import REPOSITORY
from tests.release.installed import environment, first_steps, make_distributions
from vizengine import __version__


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_distributions(tmp_path_factory.mktemp("distributions"))


@pytest.fixture(scope="module")
def installed(distributions: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's content, as an installer unpacks it."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(distributions[1]) as archive:
        archive.extractall(folder)
    return folder


def _files(folder: Path) -> set[str]:
    found = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix() for path in found}


def test_the_wheel_holds_the_whole_package_and_nothing_else(installed: Path) -> None:
    package = {f"vizengine/{name}" for name in _files(REPOSITORY / "vizengine")}
    templates = {f"vizengine/templates/{name}" for name in _files(REPOSITORY / "templates")}
    about = {name for name in _files(installed) if name.startswith(f"vizengine-{__version__}.dist-info/")}
    assert _files(installed) == package | templates | about


def test_the_sdist_holds_what_the_wheel_is_made_of_and_no_piece_of_the_tests(distributions: tuple[Path, Path]) -> None:
    with tarfile.open(distributions[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "requirements.txt", "requirements.lock", "README.md", "LICENSE", "CHANGELOG.md"} <= names
    assert {f"templates/{name}" for name in _files(REPOSITORY / "templates")} <= names
    assert not [name for name in names if name.startswith(("tests", "benchmarks", "site", "release"))]


def test_a_stranger_s_first_steps_without_a_checkout(installed: Path, tmp_path: Path) -> None:
    """The command as the wheel's entry point makes it, over this environment's packages."""
    command = tmp_path / "vizengine"
    entry = f"import sys; sys.path.insert(0, {str(installed)!r}); from vizengine.cli import main; sys.exit(main())"
    command.write_text(f"#!{sys.executable}\n{entry}\n", encoding="utf-8")
    command.chmod(0o755)
    where = subprocess.run([str(command), "--version"], env=environment(), capture_output=True, text=True)
    assert where.stdout == f"vizengine {__version__}\n"
    (tmp_path / "work").mkdir()
    first_steps(command, tmp_path / "work")
