"""CHANGELOG.md in the form of keepachangelog.com: held against the version, and the notes of one release.

python -m tools.release.changelog v0.1.0      the notes of that release; fails where version, tag and changelog disagree
"""

from __future__ import annotations

import datetime
import re
import sys
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from vizengine import __version__

PATH = Path(__file__).resolve().parents[2] / "CHANGELOG.md"
KINDS = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
UNRELEASED = "Unreleased"

_HEADING = re.compile(r"^## \[(Unreleased|\d+\.\d+\.\d+)\](?: - (\d{4}-\d\d-\d\d))?$")


@dataclass(frozen=True)
class Section:
    """One version: its number or "Unreleased", the day of its release or "", and the Markdown beneath its heading."""

    version: str
    day: str
    body: str


def sections(text: str) -> list[Section]:
    """The versions of a changelog, as they stand.

    Raises:
        ValueError: a heading has another form.
    """
    versions = []
    for part in re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        match = _HEADING.match(heading)
        if not match or (match[1] == UNRELEASED) != (match[2] is None):
            raise ValueError(f"{heading!r}: expected `## [Unreleased]`, or `## [1.2.3] - 2026-12-31`")
        versions.append(Section(match[1], match[2] or "", body.strip()))
    return versions


def problems(text: str, version: str) -> list[str]:
    """What is wrong with a changelog beside a version; the version is that of the newest release, or a higher one.

    Raises:
        ValueError: a heading has another form.
    """
    versions = sections(text)
    wrong = []
    if not versions or versions[0].version != UNRELEASED:
        wrong.append("`## [Unreleased]` doesn't come first")
    released = versions[1:]
    if released and _number(version) < _number(released[0].version):
        wrong.append(f"the version is {version}, and the newest release is {released[0].version}")
    if not any(section.version == version for section in released) and not (versions and versions[0].body):
        wrong.append(f"nothing says what version {version} brings")
    for newer, older in pairwise(released):
        if _number(newer.version) <= _number(older.version) or newer.day < older.day:
            wrong.append(f"{older.version} of {older.day} stands below {newer.version} of {newer.day}")
    for section in versions:
        if section.day:
            datetime.date.fromisoformat(section.day)
        kinds = re.findall("^### (.+)$", section.body, re.MULTILINE)
        wrong += [
            f"{section.version}: `### {kind}`; expected one of {', '.join(KINDS)}" for kind in {*kinds} - {*KINDS}
        ]
        wrong += [f"{section.version}: `### {kind}` stands there twice" for kind in {*kinds} if kinds.count(kind) > 1]
    return wrong


def notes(text: str, tag: str, version: str) -> str:
    """The Markdown of one release.

    Args:
        text: the changelog.
        tag: as pushed, `v` and the version.
        version: the package's own.

    Raises:
        ValueError: tag, version and changelog don't name the same release.
    """
    wrong = problems(text, version)
    if tag != f"v{version}":
        wrong.append(f"the tag is {tag}, and the version is {version}; expected the tag v{version}")
    versions = {section.version: section for section in sections(text)}
    if version not in versions:
        wrong.append(f"there is no section `## [{version}] - DATE`; expected what was under Unreleased there")
    if wrong:
        raise ValueError("\n".join(wrong))
    return versions[version].body


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


if __name__ == "__main__":
    try:
        print(notes(PATH.read_text(encoding="utf-8"), sys.argv[1], __version__))
    except ValueError as error:
        sys.exit(str(error))
