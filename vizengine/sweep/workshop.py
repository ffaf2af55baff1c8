"""What one process needs to do a sweep's jobs: the network, loaded once, and the cache that all processes share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from vizengine.cache import CACHE_FOLDER, Cache
from vizengine.config.schema import Config, SweepSection
from vizengine.evidence.layer_groups import Groups
from vizengine.evidence.model import PhotoExtremes
from vizengine.evidence.photos import Photo
from vizengine.evidence.survey_model import Selectivity, Survey, join
from vizengine.featurevis.model import Visualization
from vizengine.networks.architecture import Architecture
from vizengine.networks.source import open_source
from vizengine.picture_stages import PictureStages
from vizengine.progress import SILENT
from vizengine.resources import Resources
from vizengine.sweep.jobs import PHOTOS_OF_A_JOB, Job
from vizengine.sweep.select import chosen_layers

_SURVEY_CODE = (
    "networks",
    *(f"evidence.{name}" for name in ("survey", "survey_model", "top_places", "model", "photos")),
)
_SELECTIVITY_CODE = (
    "networks",
    *(f"evidence.{name}" for name in ("selectivity", "survey_model", "indices", "stimuli")),
)
_GROUPS_CODE = (
    *_SURVEY_CODE,
    *(f"evidence.{name}" for name in ("layer_groups", "polysemanticity", "intervals")),
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
        scheduler: address of the Dask scheduler whose workers do the jobs, from the command line; None for processes
            on this machine, as the config says.
    """

    config: Config
    name: str
    folder: Path
    cache: Path
    fresh: bool = False
    threads: int | None = None
    scheduler: str | None = None

    @classmethod
    def beside(cls, config: Config, name: str, fresh: bool = False, scheduler: str | None = None) -> Place:
        """One whose results are kept in the cache beside the config."""
        folder = config.folder.resolve()
        return cls(config, name, folder, folder / CACHE_FOLDER, fresh, scheduler=scheduler)

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
        self._fresh = place.fresh
        whole = open_source(self.section.network, (), place.folder, Cache(place.cache))
        source = whole.upto(chosen_layers(self.section.unit, whole.structure))
        self.have = Resources(self.section, source, place.folder, Cache(place.cache), may_compute=True)
        # Results of other jobs are read as they are, even where this run does every job anew.
        self._anew = Resources(self.section, source, place.folder, Cache(place.cache, fresh=place.fresh), True)
        self._stages = PictureStages(self.section, self.have, self, SILENT)
        self.survey = lru_cache(maxsize=6)(self._survey)
        self.selectivity = lru_cache(maxsize=6)(self._selectivity)
        self.pictures = lru_cache(maxsize=24)(self._pictures)

    @property
    def architecture(self) -> Architecture:
        """The network's layers."""
        return self.have.source.architecture

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
        if self._fresh:
            return False
        if job.kind == "pictures":
            return self._stages.are_kept(job.layer, job.channels)
        stage, code, key = self._kept_as(job)
        return self.have.contains(stage, code, {job: key})

    def do(self, job: Job) -> None:
        """Do a job and keep its result; whatever goes wrong is raised."""
        if job.kind == "pictures":
            PictureStages(self.section, self._anew, self, SILENT).of(job.layer, job.channels)
        else:
            self._measured(self._anew, job)

    def _measured(self, have: Resources, job: Job) -> Survey | Selectivity | Groups:
        stage, code, key = self._kept_as(job)
        if job.kind == "survey":

            def survey_part() -> Survey:
                from vizengine.evidence.survey import survey

                return survey(have.network, job.layer, self.photos[self._part(job)])

            return have.stage(stage, code, key, Survey, survey_part)

        if job.kind == "groups":

            def group() -> Groups:
                from vizengine.evidence.layer_groups import groups

                return groups(self.survey(job.layer), job.channels)

            return have.stage(stage, code, key, Groups, group)

        def measure() -> Selectivity:
            from vizengine.evidence.selectivity import selectivity

            return selectivity(have.network, job.layer)

        return have.stage(stage, code, key, Selectivity, measure)

    def _part(self, job: Job) -> slice:
        return slice(job.part * PHOTOS_OF_A_JOB, (job.part + 1) * PHOTOS_OF_A_JOB)

    def _kept_as(self, job: Job) -> tuple[str, tuple[str, ...], dict[str, object]]:
        """Stage, code and key of a measuring job's result."""
        if job.kind == "survey":
            return "survey", _SURVEY_CODE, {"layer": job.layer, "photos": self._photo_hashes[self._part(job)]}
        if job.kind == "groups":
            own: dict[str, object] = {"layer": job.layer, "units": list(job.channels), "photos": self._photo_hashes}
            return "unit-groups", _GROUPS_CODE, own
        return "selectivity", _SELECTIVITY_CODE, {"layer": job.layer}

    def extremes(self, layer: str) -> PhotoExtremes:
        """The photos that drive each channel of a layer furthest."""
        return self.survey(layer).extremes

    def _survey(self, layer: str) -> Survey:
        """What all photos do to a layer."""
        whole: Survey | None = None
        for part in range(self.parts):
            found = self._measured(self.have, Job("survey", layer, part=part))
            assert isinstance(found, Survey)
            whole = found if whole is None else join(whole, found, part * PHOTOS_OF_A_JOB)
        assert whole is not None
        return whole

    def _selectivity(self, layer: str) -> Selectivity:
        """How selective a layer's units are."""
        found = self._measured(self.have, Job("selectivity", layer))
        assert isinstance(found, Selectivity)
        return found

    def groups(self, job: Job) -> Groups:
        """The groups of a job's units."""
        found = self._measured(self.have, job)
        assert isinstance(found, Groups)
        return found

    def _pictures(self, job: Job) -> dict[int, Visualization]:
        """The pictures of a job by channel."""
        return self._stages.of(job.layer, job.channels)
