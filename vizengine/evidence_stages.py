"""The stages of one circuit that send photos through its network, each taken from the cache where it is there."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from vizengine.circuit.model import Circuit
from vizengine.config.schema import CircuitSection
from vizengine.evidence.claim_model import read_claim
from vizengine.evidence.claims import Checked, check
from vizengine.evidence.expanded_model import Expanded, layers_to_expand
from vizengine.evidence.model import Bounds, Classification, ClassifiedPhoto, PhotoExtremes
from vizengine.evidence.photos import Photo
from vizengine.evidence.results import Evidence
from vizengine.evidence.settings import EvidenceSettings
from vizengine.featurevis.model import Visualization
from vizengine.progress import Progress
from vizengine.resources import Resources

if TYPE_CHECKING:
    from vizengine.evidence.photo_part import PhotoPart

NOT_NUMBERS = (
    "The network’s outputs aren’t all numbers (NaN or infinity), since weights of it aren’t, so this can’t be measured."
)
# What the part of one photo is made by.
_OF_ONE_PHOTO = (
    "networks",
    "circuit",
    *(f"evidence.{name}" for name in ("photo_part", "forward", "positions", "distribution", "photos", "sums")),
)


@dataclass(frozen=True)
class ClassifiedPhotos:
    """What the cache holds of the classification: all photos."""

    photos: tuple[ClassifiedPhoto, ...]


class EvidenceStages:
    """What photos say of one circuit.

    Args:
        section: the circuit's section.
        resources: its network, photos and cache.
        progress: shown to the user.
    """

    def __init__(self, section: CircuitSection, resources: Resources, progress: Progress) -> None:
        self._section = section
        self._have = resources
        self._progress = progress

    def classification(self, has_classifier: bool) -> Classification:
        """What the network calls the photos, or why that can't be known."""
        if not has_classifier:
            return Classification((), self._have.source.missing_classifier)

        def compute() -> ClassifiedPhotos:
            from vizengine.evidence.classify import classify

            with self._progress.stage(f"{self._section.name}: classifying photos", len(self._have.photos)) as task:
                photos = (_counted(photo, task.advance) for photo in self._have.photos)
                return ClassifiedPhotos(classify(self._have.network, photos, self._have.network.labels))

        key = {"photos": self._have.hashes(self._have.photos), "labels": list(self._have.labels)}
        code = ("networks", "evidence.classify", "evidence.model", "evidence.photos")
        done = self._have.stage("classification", code, key, ClassifiedPhotos, compute)
        if not all(math.isfinite(guess.probability) for photo in done.photos for guess in photo.guesses):
            return Classification((), NOT_NUMBERS)
        return Classification(done.photos)

    def extremes(self, layer: str) -> PhotoExtremes:
        """The photos that drive each channel of a layer furthest, up and down."""

        def compute() -> PhotoExtremes:
            from vizengine.evidence.photo_best import photo_extremes

            photos = self._have.photos
            with self._progress.stage(f"{self._section.name}: photos through {layer}", len(photos)) as task:
                counted = (_counted(photo, task.advance) for photo in photos)
                return photo_extremes(self._have.network, layer, counted, remember)

        def remember(photo: Photo, compute: Callable[[], Bounds]) -> Bounds:
            own = {"layer": layer, "photo": self._have.photo_hash(photo)}
            return self._have.kept("bounds", code, own, Bounds, compute)

        key = {"layer": layer, "photos": self._have.hashes(self._have.photos)}
        code = ("networks", "evidence.photos", "evidence.photo_best", "evidence.model")
        return self._have.stage("extremes", code, key, PhotoExtremes, compute)

    def measure(self, circuit: Circuit, shown: Visualization) -> Evidence:
        """All evidence of the unit.

        Args:
            circuit: the unit.
            shown: its feature visualization.
        """
        settings = EvidenceSettings(seed=self._section.visualization.seed)

        def compute() -> Evidence:
            from vizengine.evidence.measure import OTHER_STEPS, measure

            photos = self._have.photos
            title = f"{self._section.name}: what the unit does on photos"
            with self._progress.stage(title, len(photos) + OTHER_STEPS) as task:
                return measure(self._have.network, circuit, photos, shown.image, settings, task.advance, remember)

        def remember(photo: Photo, rate: float, compute: Callable[[], PhotoPart]) -> PhotoPart:
            from vizengine.evidence.photo_part import PhotoPart

            own = {**unit, "photo": self._have.photo_hash(photo), "settings": asdict(settings), "rate": rate}
            return self._have.kept("photo", _OF_ONE_PHOTO, own, PhotoPart, compute)

        unit = {"layer": circuit.layer, "unit": circuit.unit, "inputs": self._section.inputs}
        key = {
            **unit,
            "photos": self._have.hashes(self._have.photos),
            "shown": [shown.reached, shown.mean, self._section.visualization.model_dump(mode="json")],
            "settings": asdict(settings),
            "labels": list(self._have.labels),
        }
        return self._have.stage("evidence", ("evidence", "circuit", "networks"), key, Evidence, compute)

    def expanded(self, circuit: Circuit, evidence: Evidence) -> Expanded:
        """The unit's weights to earlier layers."""
        layers = layers_to_expand(self._have.source.architecture, circuit.layer, circuit.unit, self._section.earlier)
        top = evidence.examples.top

        def compute() -> Expanded:
            from vizengine.evidence.expanded import expand

            with self._progress.stage(f"{self._section.name}: its weights to earlier layers", 1) as task:
                made = expand(self._have.network, circuit, layers, self._have.photos, top)
                task.advance(1)
                return made

        key = {
            "layer": circuit.layer,
            "unit": circuit.unit,
            "layers": layers,
            "photos": self._have.hashes(self._have.photos),
            "places": [[each.photo_index, each.top, each.left] for each in top],
        }
        code = ("networks", *(f"evidence.{name}" for name in ("expanded", "expanded_model", "transforms", "photos")))
        return self._have.stage("expanded", code, key, Expanded, compute)

    def claims(self, circuit: Circuit, evidence: Evidence) -> tuple[Checked, ...]:
        """The author's claims held against the evidence; not cached, so that a claim can change at no cost."""
        claims = [read_claim(each.model_dump()) for each in self._section.hypothesis.claims]
        return check(claims, circuit, evidence)


def _counted(photo: Photo, advance: Callable[[int], None]) -> Photo:
    advance(1)
    return photo
