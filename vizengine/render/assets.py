"""Styles, script and icon: put inside every page, and the policy that admits nothing else."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from vizengine.locations import templates_folder


@dataclass(frozen=True)
class Assets:
    """What a page carries in its head.

    Attributes:
        style: CSS.
        script: JavaScript.
        icon: `data:` address of the SVG favicon.
        policy: Content-Security-Policy that admits this style, this script and embedded pictures.
    """

    style: str
    script: str
    icon: str
    policy: str


@cache
def load() -> Assets:
    """Read the assets from the templates' folder.

    Raises:
        ValueError: an asset holds a closing tag that would end its element early.
    """
    folder = templates_folder() / "assets"
    style, script = _read(folder / "page.css", "</style"), _read(folder / "page.js", "</script")
    icon = base64.b64encode((folder / "favicon.svg").read_bytes()).decode("ascii")
    policy = "; ".join(
        (
            "default-src 'none'",
            "img-src data:",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    return Assets(style, script, f"data:image/svg+xml;base64,{icon}", policy)


def _read(path: Path, closing: str) -> str:
    text = path.read_text(encoding="utf-8").replace("\r\n", "\n")
    if closing in text.lower():
        raise ValueError(f"{path.name} holds `{closing}`, which would end its element early; write it in two parts")
    return text


def _hash(text: str) -> str:
    """The hash of an inline element's text, as CSP writes it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
