"""What one process needs to do a sweep's jobs: the network, loaded once, and the cache that all processes share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from vizengine.cache import Cache
from vizengine.config.schema import Config, SweepSection
from vizengine.errors import BuildFailed
from vizengine.evidence.photos import Photo
from vizengine.evidence.survey_model import Selectivity, Survey, join
from vizengine.featurevis.model import PhotoBest, Visualization
from vizengine.networks.architecture import Architecture
from vizengine.picture_stage import CODE as PICTURE_CODE
from vizengine.picture_stage import STAGE as PICTURE_STAGE
from vizengine.picture_stage import picture_key, pictures
from vizengine.resources import Resources
from vizengine.sweep.jobs import PHOTOS_OF_A_JOB, Job
from vizengine.sweep.select import chosen_layers

_SURVEY_CODE = ("networks", "evidence.survey", "evidence.model", "evidence.photos", "evidence.survey_model")
_SELECTIVITY_CODE = (
    "networks",
    *(f"evidence.{name}" for name in ("selectivity", "survey_model", "canvas", "indices", "stimuli")),
)


@dataclass(frozen=True)
class Place:
    """Where a sweep is done; what a worker needs to know.

    Attributes:
        config: the whole config.
        name: the sweep's.
        folder: the config's folder, as an absolute path that all workers know.
        cache: the folder of results, likewise.
        fresh: whether every job is done anew.
        threads: threads of each process for TensorFlow, or None for its own choice.
    """

    config: Config
    name: str
    folder: Path
    cache: Path
    fresh: bool = False
    threads: int | None = None

    @property
    def section(self) -> SweepSection:
        """The sweep's section."""
        found = next(each for each in self.config.circuits if each.name == self.name)
        assert isinstance(found, SweepSection)
        return found


class Workshop:
    """Does jobs and reads their results.

    Args:
        place: where the sweep is done.
    """

    def __init__(self, place: Place) -> None:
        self.section = place.section
        self._made: set[Job] = set()
        self._fresh = place.fresh
        layers = chosen_layers(self.section.unit, self._architecture_of(place))
        self.have = Resources(self.section, layers, place.folder, Cache(place.cache), may_compute=True)
        # Results of other jobs are read as they are, even where this run does every job anew.
        self._anew = Resources(self.section, layers, place.folder, Cache(place.cache, fresh=place.fresh), True)
        self.survey = lru_cache(maxsize=6)(self._survey)
        self.selectivity = lru_cache(maxsize=6)(self._selectivity)
        self.pictures = lru_cache(maxsize=24)(self._pictures)

    @staticmethod
    def _architecture_of(place: Place) -> Architecture:
        from vizengine.networks import zoo

        return zoo.entry(place.section.network.model).architecture

    @property
    def architecture(self) -> Architecture:
        """The network's layers."""
        return self.have.zoo_entry.architecture

    @cached_property
    def photos(self) -> tuple[Photo, ...]:
        """The photos that can be read."""
        return self.have.photos

    @cached_property
    def _photo_hashes(self) -> list[str]:
        return self.have.hashes(self.photos)

    @property
    def parts(self) -> int:
        """How many survey jobs each layer has."""
        return -(-len(self.photos) // PHOTOS_OF_A_JOB)

    def is_done(self, job: Job) -> bool:
        """Whether the job's result is kept."""
        return not self._fresh and self.have.contains(*self._kept_as(job))

    def do(self, job: Job) -> None:
        """Do a job and keep its result; whatever goes wrong is raised."""
        self._result(self._anew, job)

    def _result(self, have: Resources, job: Job) -> Survey | Selectivity | tuple[Visualization, ...]:
        stage, code, key = self._kept_as(job)
        if job.kind == "survey":

            def survey_part() -> Survey:
                from vizengine.evidence.survey import survey

                return survey(have.network, job.layer, self.photos[self._part(job)])

            return have.stage(stage, code, key, Survey, survey_part)
        if job.kind == "selectivity":

            def measure() -> Selectivity:
                from vizengine.evidence.selectivity import selectivity

                return selectivity(have.network, job.layer)

            return have.stage(stage, code, key, Selectivity, measure)
        return pictures(have, self.section.visualization, job.layer, self._best(job)).visualizations

    def _part(self, job: Job) -> slice:
        return slice(job.part * PHOTOS_OF_A_JOB, (job.part + 1) * PHOTOS_OF_A_JOB)

    def _kept_as(self, job: Job) -> tuple[str, tuple[str, ...], dict[str, object]]:
        """Stage, code and key of a job's result."""
        if job.kind == "survey":
            return "survey", _SURVEY_CODE, {"layer": job.layer, "photos": self._photo_hashes[self._part(job)]}
        if job.kind == "selectivity":
            return "selectivity", _SELECTIVITY_CODE, {"layer": job.layer}
        return (
            PICTURE_STAGE,
            PICTURE_CODE,
            picture_key(self.section.visualization, job.layer, self._best(job)),
        )

    def _best(self, job: Job) -> dict[int, PhotoBest]:
        extremes = self.survey(job.layer).extremes
        best = {channel: PhotoBest(*extremes.best(channel)) for channel in job.channels}
        for channel, each in best.items():
            if not math.isfinite(each.value):
                raise BuildFailed(
                    f"Photos drive {job.layer}:{channel} to {each.value}; expected a number. The weights of its layer, "
                    "or of one before it, aren't all numbers: name another weights file."
                )
        return best

    def _survey(self, layer: str) -> Survey:
        """What all photos do to a layer."""
        whole: Survey | None = None
        for part in range(self.parts):
            found = self._result(self.have, Job("survey", layer, part=part))
            assert isinstance(found, Survey)
            whole = found if whole is None else join(whole, found, part * PHOTOS_OF_A_JOB)
        assert whole is not None
        return whole

    def _selectivity(self, layer: str) -> Selectivity:
        """How selective a layer's units are."""
        found = self._result(self.have, Job("selectivity", layer))
        assert isinstance(found, Selectivity)
        return found

    def _pictures(self, job: Job) -> dict[int, Visualization]:
        """The pictures of a job by channel."""
        found = self._result(self.have, job)
        assert isinstance(found, tuple)
        return {each.channel: each for each in found}
