"""Reports for the tests of pages: the committed site's, without a network, and one that lacks what can be lacking."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from tests.places import REPOSITORY
from vizengine.measures.expanded import UntoldLayer
from vizengine.page.report import KeptNotice, Missing, Report, SiteReport, Version

NAME = "example-unit-195"
TITLE = "Spots on a light ground"


@cache
def _committed(model: str) -> Report:
    (path,) = (REPOSITORY / "site").glob(f"{model}-*/circuit.json")
    return Report.model_validate_json(path.read_bytes()).model_copy(update={"kept": None})


def report(**changes: object) -> Report:
    """The site's VGG19 circuit, with the effect on the classifier that its weights file can't give."""
    full, other = _committed("vgg19"), _committed("squeezenet")
    evidence = full.evidence.model_copy(update={"downstream": other.evidence.downstream})
    unread = (UntoldLayer(layer="block4_conv1", reason="its weights aren't here"),)
    parts = {
        "name": NAME,
        "title": TITLE,
        "classification": other.classification,
        "evidence": evidence,
        "outputs": full.outputs.model_copy(update={"unread": unread}),
        "expanded": full.expanded.model_copy(update={"untold": unread}),
    }
    return full.model_copy(update=parts | changes)


def bare_report() -> Report:
    """A report that lacks what can be lacking: training, classifier, siblings, texts, claims, readers, photos' best."""
    full = _committed("squeezenet")
    nothing = {"photo_best": None, "photo_best_name": "", "ratio": None}
    outputs = {"layers": (), "excited": (), "inhibited": ()}
    first = full.strongest[0]
    mixed = first.slice.model_copy(update={"sign": "mixed", "by_count": "excitatory", "by_mass": "inhibitory"})
    evidence = {"downstream": None, "claims": (), "tally": None, "faithfulness": None}
    missing = {"photos": (), "missing": "The weights file ends before the classifier."}
    return full.model_copy(
        update={
            "name": "bare",
            "title": "SqueezeNet 1.1 fire4/expand3x3 unit 23, random weights",
            **dict.fromkeys(("opening", "unit_hypothesis", "circuit_hypothesis", "why"), ""),
            "siblings": (),
            "strongest": (first.model_copy(update={"slice": mixed}), *full.strongest[1:]),
            "inputs": (mixed, *full.inputs[1:]),
            "feature": full.feature.model_copy(update=nothing),
            "outputs": full.outputs.model_copy(update=outputs),
            "expanded": full.expanded.model_copy(update={"layers": ()}),
            "evidence": full.evidence.model_copy(update=evidence),
            "classification": full.classification.model_copy(update=missing),
            "network": full.network.model_copy(update={"trained": False, "has_classifier": False, "microscope": ""}),
        }
    )


def kept_notice() -> KeptNotice:
    """Why a page was kept."""
    return KeptNotice(
        date="3 May 2026",
        reason="No weights of VGG19 were found in the folder, in Keras' cache or by download.",
        mend="Set VIZENGINE_WEIGHTS to a folder that has vgg19_weights.h5.",
        versions=(Version(name="tensorflow", version="2.21.0"),),
        weights_sha256="0123456789abcdef" * 4,
    )


def missing() -> Missing:
    """A circuit that couldn't be computed."""
    return Missing(
        name="absent",
        title="VGG19 block3_conv3 unit 195",
        reason="No weights of VGG19 were found in the folder, in Keras' cache or by download.",
        mend="Set VIZENGINE_WEIGHTS to a folder that has vgg19_weights.h5, and build again.",
    )


def site(*circuits: Report | Missing) -> SiteReport:
    """A site of the circuits given."""
    return SiteReport(
        title="Circuits, unit by unit",
        description="What single units of convolutional networks look for, and how their inputs make them do it.",
        author="A. Author",
        url="https://example.org/circuits/",
        circuits=circuits,
    )


def blobs(seed: int, size: int = 128) -> NDArray[np.uint8]:
    """A picture of smooth coloured waves, (size, size, 3) uint8."""
    random = np.random.default_rng(seed)
    down, across = np.mgrid[:size, :size] / 128.0
    picture = np.zeros((size, size, 3))
    for _ in range(10):
        angle, frequency = random.uniform(0, np.pi), random.uniform(10, 60)
        wave = np.cos(frequency * (across * np.cos(angle) + down * np.sin(angle)) + random.uniform(0, 6))
        picture += wave[..., None] * (0.8 * random.normal(size=1) + random.normal(size=3) * 0.5)
    return (255 / (1 + np.exp(-picture))).astype(np.uint8)
