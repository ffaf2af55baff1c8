"""Ranges, lock and what is installed agree with each other."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.places import REPOSITORY
from tools.release.lock import locked

FILES = ("requirements.txt", "requirements-docs.txt", "requirements-dev.txt")
# Tools of the tests that break nothing: stubs of types, and the builder of wheels.
OPEN = {"setuptools", "types-psutil", "types-pyyaml", "types-requests"}


def _ranges(path: Path) -> dict[str, Requirement]:
    lines = (line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    requirements = [Requirement(line) for line in lines if line and not line.startswith("-r ")]
    return {canonicalize_name(requirement.name): requirement for requirement in requirements}


def _extras() -> dict[str, Requirement]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements = [Requirement(line) for lines in project["optional-dependencies"].values() for line in lines]
    return {canonicalize_name(requirement.name): requirement for requirement in requirements}


@pytest.mark.parametrize("name", FILES)
def test_every_range_has_both_ends(name: str) -> None:
    for package, requirement in _ranges(REPOSITORY / name).items():
        operators = {end.operator for end in requirement.specifier}
        assert operators == {"=="} or operators == {">=", "<"} or package in OPEN, requirement


def test_a_package_has_one_range() -> None:
    dev, extras = _ranges(REPOSITORY / "requirements-dev.txt"), _extras()
    assert set(extras) <= set(dev), "what an extra brings is tested"
    assert all(dev[name].specifier == requirement.specifier for name, requirement in extras.items())
    assert not set(dev) & set(_ranges(REPOSITORY / "requirements.txt"))


def test_the_lock_is_inside_the_ranges() -> None:
    versions = locked()
    for name, requirement in _ranges(REPOSITORY / "requirements.txt").items():
        assert versions[name] and all(map(requirement.specifier.contains, versions[name])), f"{requirement}: make lock"


def test_the_lock_names_no_host_and_no_folder() -> None:
    text = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
    assert not re.search(r"https?:|file:|--(extra-)?index|--find-links|/(tmp|home|root)/", text)


@pytest.mark.parametrize("name", FILES)
def test_this_environment_is_inside_the_ranges(name: str) -> None:
    for package, requirement in _ranges(REPOSITORY / name).items():
        version = metadata.version(package)
        assert requirement.specifier.contains(version), f"{requirement}: installed is {version}"
