"""The version stands in one place, and the changelog goes with it."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.places import REPOSITORY
from tools.release import changelog
from vizengine import __version__

TEXT = changelog.PATH.read_text(encoding="utf-8")
HEAD = "# Changelog\n\n"
NEW = "## [Unreleased]\n\n### Added\n- Something.\n\n"
OLD = "## [0.2.0] - 2026-03-01\n\n### Fixed\n- That.\n\n## [0.1.0] - 2026-02-01\n\n### Added\n- This.\n"


def test_the_changelog_goes_with_the_version() -> None:
    assert changelog.problems(TEXT, __version__) == []


def test_the_version_stands_in_one_place() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" in project["project"]["dynamic"] and "version" not in project["project"]
    said = f"[\"']{re.escape(__version__)}[\"']"
    found = [path for path in (REPOSITORY / "vizengine").rglob("*.py") if re.search(said, path.read_text("utf-8"))]
    assert found == [REPOSITORY / "vizengine" / "__init__.py"]


@pytest.mark.parametrize(
    ("text", "version", "words"),
    [
        (HEAD + NEW + OLD, "0.2.0", None),
        (HEAD + NEW + OLD, "0.3.0", None),
        (HEAD + NEW, "0.1.0", None),
        (HEAD + "## [Unreleased]\n\n" + OLD, "0.2.0", None),
        (HEAD + NEW + OLD, "0.1.0", "the newest release is 0.2.0"),
        (HEAD + "## [Unreleased]\n\n" + OLD, "0.3.0", "nothing says what version 0.3.0 brings"),
        (HEAD + OLD, "0.2.0", "doesn't come first"),
        (HEAD + NEW + OLD.replace("0.1.0", "0.2.1"), "0.2.0", "stands below"),
        (HEAD + NEW + OLD.replace("02-01", "04-01"), "0.2.0", "stands below"),
        (HEAD + NEW.replace("Added", "New"), "0.1.0", "expected one of Added"),
        (HEAD + NEW + "### Added\n- More.\n", "0.1.0", "stands there twice"),
    ],
)
def test_what_is_wrong_is_told(text: str, version: str, words: str | None) -> None:
    wrong = changelog.problems(text, version)
    assert wrong == [] if words is None else len(wrong) == 1 and words in wrong[0], wrong


@pytest.mark.parametrize("heading", ["## 0.1.0", "## [0.1.0]", "## [Unreleased] - 2026-01-01", "## [0.1] - 2026-01-01"])
def test_headings_have_one_form(heading: str) -> None:
    with pytest.raises(ValueError, match="expected `## \\[Unreleased\\]`"):
        changelog.sections(f"{HEAD}{heading}\n")


def test_a_release_has_notes_and_a_tag_of_its_version() -> None:
    assert changelog.notes(HEAD + NEW + OLD, "v0.2.0", "0.2.0") == "### Fixed\n- That."
    with pytest.raises(ValueError, match=r"the tag is v0\.3\.0"):
        changelog.notes(HEAD + NEW + OLD, "v0.3.0", "0.2.0")
    with pytest.raises(ValueError, match=r"no section `## \[0\.3\.0\] - DATE`"):
        changelog.notes(HEAD + NEW + OLD, "v0.3.0", "0.3.0")
