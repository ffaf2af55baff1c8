"""Who may import whom, and what an installed package holds."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from vizengine.locations import templates_folder

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
    for module, line in (("circuit/strength.py", "import vizengine.report.model"), ("cache.py", "import tensorflow")):
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
        "above = loaded - {'vizengine.cache', 'vizengine.encoding'}\n"
        "sys.exit(f'loaded: {above}' if above else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_package_is_named_in_the_project_file() -> None:
    """setuptools is told the packages one by one, so a new one could be forgotten."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    found = {".".join(path.parent.relative_to(REPOSITORY).parts) for path in PACKAGE.rglob("__init__.py")}
    assert set(project["tool"]["setuptools"]["packages"]) == found | {"vizengine.templates"}


def test_templates_are_found_in_a_checkout() -> None:
    assert templates_folder() == REPOSITORY / "templates"
    assert (templates_folder() / "base.html").is_file()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel made from a copy of the checkout, so that no build files are left in it."""
    import shutil

    source = tmp_path_factory.mktemp("source")
    for name in ("vizengine", "templates"):
        shutil.copytree(REPOSITORY / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "requirements.txt", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, source)
    target = tmp_path_factory.mktemp("wheel")
    # setuptools is one of the tests' own packages, so nothing need be fetched.
    options = ["--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", str(target)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(source)], check=True)
    (made,) = target.glob("*.whl")
    return made


def test_an_installed_package_runs_with_its_templates(wheel: Path, tmp_path: Path) -> None:
    """The wheel, unpacked far from the checkout, renders from its own templates."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    committed = {str(path.relative_to(REPOSITORY / "templates")) for path in _files(REPOSITORY / "templates")}
    packed = {
        str(path.relative_to(tmp_path / "installed/vizengine/templates"))
        for path in _files(tmp_path / "installed/vizengine/templates")
    }
    assert packed == committed
    program = "import vizengine.cli, vizengine.locations; print(vizengine.locations.templates_folder())"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path / "installed", capture_output=True, text=True, check=True
    )
    assert Path(done.stdout.strip()) == tmp_path / "installed" / "vizengine" / "templates"


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]


def test_the_wheel_says_what_it_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        metadata = next(archive.read(name).decode() for name in names if name.endswith("/METADATA"))
        scripts = next(archive.read(name).decode() for name in names if name.endswith("/entry_points.txt"))
    assert "vizengine = vizengine.cli:main" in scripts
    said = {line.removeprefix("Requires-Dist: ") for line in metadata.splitlines() if line.startswith("Requires-Dist")}
    required = {each for each in said if "extra ==" not in each}
    assert {re.split("[<>=]", each)[0] for each in said - required} == {"distributed", "onnx", "onnx2keras"}
    lines = (REPOSITORY / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert {each.split("<")[0].split(">")[0].split("=")[0] for each in required} == {
        line.split("<")[0].split(">")[0].split("=")[0] for line in lines if line and not line.startswith("#")
    }
    assert not [name for name in names if name.startswith(("tests", "benchmarks", "site"))]
