"""docs/licences.md names all that is shipped."""

from __future__ import annotations

import re
from importlib import metadata

import pytest

from tests.places import REPOSITORY
from tools.release import licences
from tools.release.lock import locked

TEXT = (REPOSITORY / "docs" / "licences.md").read_text(encoding="utf-8")
MEDIA = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".ico", ".woff", ".woff2", ".ttf", ".otf"}
DATA = {".h5", ".keras", ".onnx", ".npy", ".npz", ".pkl", ".pt", ".pb", ".zip", ".gz", ".whl"}
OURS = ("benchmarks", "docs", "examples", "hypotheses", "site", "templates", "tests", "tools", "vizengine")


def test_every_locked_package_stands_there() -> None:
    rows = dict(re.findall(r"^\| `([^`]+)` \| ([^|]+) \| \S.*\|$", TEXT, re.MULTILINE))
    for name, versions in locked().items():
        assert all(version in rows[name] for version in versions), f"{name}: run make lock"


def test_what_is_said_of_photos_weights_and_pictures_is_what_the_code_says() -> None:
    """All but the packages' rows, which depend on what is installed."""
    fresh = licences.page_text(licences.packages_of(TEXT))
    assert fresh == TEXT, "run: make lock"


@pytest.mark.parametrize("name", sorted(licences.READ))
def test_a_licence_that_was_read_is_the_one_in_the_package(name: str) -> None:
    files = [file for file in metadata.files(name) or () if "LICENSE" in file.name]
    assert any(licences.READ[name] in file.read_text()[:200] for file in files)


def test_every_picture_font_and_weights_file_of_the_repository_is_accounted_for() -> None:
    paths = [path for folder in OURS for path in (REPOSITORY / folder).rglob("*")]
    known = [REPOSITORY / place for place in licences.MEDIA]
    media = [path for path in paths if path.suffix.lower() in MEDIA]
    assert len(media) > 5
    assert [path for path in media if not any(path.is_relative_to(place) for place in known)] == []
    assert [path for path in paths if path.suffix.lower() in DATA] == []


def test_pages_bring_no_font_and_no_script_of_others() -> None:
    for path in (REPOSITORY / "templates").rglob("*"):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"@font-face|@import|copyright|\(c\)|licen[cs]e:", text, re.IGNORECASE), path
