"""The pictures of one circuit, each kept by itself: what is made for one page, or before Ctrl-C, isn't made again."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vizengine.config.schema import CircuitSection, SweepSection
from vizengine.errors import BuildFailed
from vizengine.evidence.model import PhotoExtremes
from vizengine.featurevis.model import Direction, Film, PhotoBest, Settings, Stability, UnitStudy, Variants
from vizengine.featurevis.model import Visualization as Picture
from vizengine.progress import Progress
from vizengine.resources import Resources

_CODE = ("featurevis", "networks")


class KnowsExtremes(Protocol):
    """Knows how far photos drive channels."""

    def extremes(self, layer: str) -> PhotoExtremes:
        """The photos that drive each channel of a layer furthest, up and down."""


class PictureStages:
    """The pictures of one circuit.

    Args:
        section: the circuit's section, or the sweep's.
        resources: its network, photos and cache.
        evidence: knows the photos that drive a channel furthest.
        progress: shown to the user.
    """

    def __init__(
        self,
        section: CircuitSection | SweepSection,
        resources: Resources,
        evidence: KnowsExtremes,
        progress: Progress,
    ) -> None:
        self._section = section
        self._have = resources
        self._evidence = evidence
        self._progress = progress
        self._settings = Settings(**section.visualization.model_dump(exclude={"film"}))
        self._settings_key = section.visualization.model_dump(mode="json", exclude={"film"})

    def of(self, layer: str, channels: Iterable[int], direction: Direction = "positive") -> dict[int, Picture]:
        """The pictures of some channels of a layer.

        Nothing in a picture's key says which others are asked for or for which page: each is found wherever the
        same network, photos and settings want it.
        """
        best = self._best(layer, channels, direction)

        def compute(missing: list[int], keep: Callable[[int, Picture], None]) -> None:
            from vizengine.featurevis.job import Job
            from vizengine.featurevis.visualize import visualize

            title = f"pictures of {layer}" if direction == "positive" else f"what a unit of {layer} is against"
            with self._progress.stage(f"{self._section.name}: {title}", None) as task:
                wanted = {channel: best[channel] for channel in missing}
                job = Job(layer, wanted, self._settings, direction, self._squares())
                visualize(self._have.network, job, lambda picture: keep(picture.channel, picture), task)

        return self._have.each("pictures", _CODE, self._keys(layer, best, direction), Picture, compute)

    def are_kept(self, layer: str, channels: Iterable[int]) -> bool:
        """Whether `of` would find the pictures of all these channels."""
        return self._have.contains("pictures", _CODE, self._keys(layer, self._best(layer, channels), "positive"))

    def _best(self, layer: str, channels: Iterable[int], direction: Direction = "positive") -> dict[int, PhotoBest]:
        extremes = self._evidence.extremes(layer)
        find = extremes.best if direction == "positive" else extremes.worst
        best = {channel: PhotoBest(*find(channel)) for channel in channels}
        for channel, each in best.items():
            if not math.isfinite(each.value):
                raise BuildFailed(
                    f"Photos drive {layer}:{channel} to {each.value}; expected a number. The weights of its layer, or "
                    "of one before it, aren't all numbers: name another weights file."
                )
        return best

    def _keys(self, layer: str, best: Mapping[int, PhotoBest], direction: Direction) -> dict[int, dict[str, object]]:
        """What each picture depends on."""
        return {
            channel: {
                "layer": layer,
                "channel": channel,
                "direction": direction,
                "best": [each.value, each.photo],
                "settings": self._settings_key,
            }
            for channel, each in best.items()
        }

    def of_groups(
        self, layer: str, groups: Sequence[NDArray[np.floating]], best: Sequence[tuple[float, str]]
    ) -> tuple[Picture, ...]:
        """The pictures of groups of the channels that a layer reads.

        Args:
            layer: the layer.
            groups: each group's weight of every channel.
            best: each group's highest value at any position of any photo, and that photo's name.
        """

        def compute(missing: list[int], keep: Callable[[int, Picture], None]) -> None:
            from vizengine.featurevis.job import Job
            from vizengine.featurevis.visualize import visualize

            with self._progress.stage(f"{self._section.name}: pictures of groups of inputs", None) as task:
                wanted = {group: PhotoBest(*best[group]) for group in missing}
                job = Job(layer, wanted, self._settings, squares=self._squares(), groups=np.stack(groups, axis=1))
                visualize(self._have.network, job, lambda picture: keep(picture.channel, picture), task)

        keys = {
            number: {
                "layer": layer,
                "group": number,
                "weights": group.tolist(),
                "best": list(best[number]),
                "settings": self._settings_key,
            }
            for number, group in enumerate(groups)
        }
        return tuple(self._have.each("groups", _CODE, keys, Picture, compute).values())

    def study(self, shown: Picture, others: Sequence[Picture]) -> UnitStudy:
        """More pictures of the unit.

        Args:
            shown: its picture.
            others: pictures of other units of its layer.
        """
        from_photo = self._settings.start == "photo"
        key = {
            "layer": shown.layer,
            "unit": shown.channel,
            "photo": shown.photo_best_name if from_photo else None,
            "settings": self._settings_key,
        }
        return UnitStudy(
            negative=self.of(shown.layer, [shown.channel], "negative")[shown.channel],
            stability=self._stability(shown, others, key),
            variants=self._variants(shown, key),
            film=self._film(shown, key) if self._section.visualization.film else None,
        )

    def _stability(self, shown: Picture, others: Sequence[Picture], key: Mapping[str, object]) -> Stability:
        def compute() -> Stability:
            from vizengine.featurevis.study import Subject, stability

            with self._progress.stage(f"{self._section.name}: the unit's picture from other seeds", None) as task:
                subject = Subject(shown, self._settings, self._squares())
                return stability(self._have.network, subject, tuple(others), task)

        # A picture is known by what it reached, since all else that it depends on is in this key.
        known = {"shown": shown.reached, "others": [[each.channel, each.reached] for each in others]}
        return self._have.stage("stability", _CODE, {**key, **known}, Stability, compute)

    def _variants(self, shown: Picture, key: Mapping[str, object]) -> Variants:
        def compute() -> Variants:
            from vizengine.featurevis.study import Subject, variants

            with self._progress.stage(f"{self._section.name}: other pictures that excite the unit", None) as task:
                return variants(self._have.network, Subject(shown, self._settings, self._squares()), task)

        return self._have.stage("variants", _CODE, key, Variants, compute)

    def _film(self, shown: Picture, key: Mapping[str, object]) -> Film:
        def compute() -> Film:
            from vizengine.featurevis.study import Subject, film

            with self._progress.stage(f"{self._section.name}: the unit's picture forming", None) as task:
                return film(self._have.network, Subject(shown, self._settings, self._squares()), task)

        return self._have.stage("film", _CODE, key, Film, compute)

    def _squares(self) -> dict[str, NDArray[np.float32]] | None:
        """Each photo's centred square, where pictures begin as photos."""
        if self._settings.start == "noise":
            return None
        return {photo.name: photo.square(self._settings.size) for photo in self._have.photos}
