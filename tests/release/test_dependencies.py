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

PYTHONS = ("3.11", "3.12", "3.13")
FILES = ("requirements.txt", "requirements-docs.txt", "requirements-dev.txt")
# Tools of the tests that break nothing: stubs of types, and the builder of wheels.
OPEN = {"setuptools", "types-psutil", "types-pyyaml", "types-requests"}


def _ranges(path: Path) -> dict[str, Requirement]:
    lines = (line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    found = [Requirement(line) for line in lines if line and not line.startswith("-r ")]
    return {canonicalize_name(each.name): each for each in found}


def _extras() -> dict[str, Requirement]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = [Requirement(line) for lines in project["optional-dependencies"].values() for line in lines]
    return {canonicalize_name(each.name): each for each in found}


def _locked(python: str) -> dict[str, str]:
    """Versions by package that the lock gives on one version of Python on Linux."""
    text = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
    pinned = [Requirement(line) for line in re.findall(r"^([a-z].*==.*?) \\$", text, re.MULTILINE)]
    where = {"python_version": python, "python_full_version": f"{python}.9", "sys_platform": "linux"}
    here = [each for each in pinned if each.marker is None or each.marker.evaluate(where)]
    names = [canonicalize_name(each.name) for each in here]
    assert len(set(names)) == len(names), "two versions of a package for one Python"
    return {name: str(each.specifier).removeprefix("==") for name, each in zip(names, here, strict=True)}


@pytest.mark.parametrize("name", FILES)
def test_every_range_has_both_ends(name: str) -> None:
    for package, requirement in _ranges(REPOSITORY / name).items():
        operators = {each.operator for each in requirement.specifier}
        assert operators == {"=="} or operators == {">=", "<"} or package in OPEN, requirement


def test_a_package_has_one_range() -> None:
    dev, extras = _ranges(REPOSITORY / "requirements-dev.txt"), _extras()
    assert set(extras) <= set(dev), "what an extra brings is tested"
    assert {name: dev[name].specifier for name in extras} == {name: each.specifier for name, each in extras.items()}
    assert not set(dev) & set(_ranges(REPOSITORY / "requirements.txt"))


@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_is_inside_the_ranges(python: str) -> None:
    locked = _locked(python)
    for name, requirement in _ranges(REPOSITORY / "requirements.txt").items():
        assert requirement.specifier.contains(locked[name]), f"{requirement}: locked is {locked[name]}; run: make lock"


def test_every_line_of_the_lock_has_hashes_and_none_a_host() -> None:
    text = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
    parts = re.split(r"^(?=[a-z])", text, flags=re.MULTILINE)[1:]
    assert len(parts) > 50
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", part) for part in parts)
    assert not re.search(r"https?:|file:|--(extra-)?index|--find-links|/(tmp|home|root)/", text)


@pytest.mark.parametrize("name", FILES)
def test_this_environment_is_inside_the_ranges(name: str) -> None:
    for package, requirement in _ranges(REPOSITORY / name).items():
        version = metadata.version(package)
        assert requirement.specifier.contains(version), f"{requirement}: installed is {version}"
