"""Read requirements.lock."""

from __future__ import annotations

import re
from pathlib import Path

PATH = Path(__file__).resolve().parents[2] / "requirements.lock"
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==([^ \\]+)(?: ; (.+?))? \\?$", re.MULTILINE)


def locked() -> dict[str, dict[str, str]]:
    """By package, each of its versions in `requirements.lock` with the marker that says where; "" for everywhere."""
    versions: dict[str, dict[str, str]] = {}
    for name, version, marker in _LOCKED.findall(PATH.read_text(encoding="utf-8")):
        versions.setdefault(name, {})[version] = marker
    return versions
