"""What one process needs to do a sweep's jobs: the network, loaded once, and the cache that all processes share."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vizengine.cache import CACHE_FOLDER, Cache, Stage
from vizengine.circuit import CircuitPictures
from vizengine.config.schema import Config, SweepSection
from vizengine.errors import VizengineError
from vizengine.layers.figures import LayerResults
from vizengine.layers.jobs import PHOTOS_OF_A_JOB, Done, Failed, Job, chosen_layers
from vizengine.layers.population import UNIT_GROUPS, Groups, groups
from vizengine.layers.selectivity import SELECTIVITY, selectivity
from vizengine.layers.survey import SURVEY, Selectivity, Survey, join, survey
from vizengine.measures.examples import Example, cut_example
from vizengine.measures.extremes import PhotoExtremes
from vizengine.measures.photos import Photo
from vizengine.measures.readings import Slices
from vizengine.measures.stream import Split
from vizengine.network.architecture import Architecture
from vizengine.network.model import seen, use_threads
from vizengine.network.source import open_source
from vizengine.output import SILENT
from vizengine.pictures.result import Visualization
from vizengine.runtime import quiet_tensorflow
from vizengine.stages import Resources

if TYPE_CHECKING:
    from vizengine.network.model import Network

logger = logging.getLogger(__name__)
# Decoded photos that are kept at a time.
_PHOTOS = 16


@dataclass(frozen=True)
class SweepContext:
    """What a worker needs to know of a sweep; it is sent to other processes.

    Attributes:
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
    def beside(cls, config: Config, name: str, fresh: bool = False, scheduler: str | None = None) -> SweepContext:
        """One whose results are kept in the cache beside the config."""
        folder = config.folder.resolve()
        return cls(config, name, folder, folder / CACHE_FOLDER, fresh, scheduler=scheduler)

    @property
    def section(self) -> SweepSection:
        """The sweep's section."""
        section = next(section for section in self.config.circuits if section.name == self.name)
        assert isinstance(section, SweepSection)
        return section


class Worker:
    """Does jobs and reads their results."""

    def __init__(self, context: SweepContext) -> None:
        self.section = context.section
        execution = context.config.execution
        self.processes = execution.workers or execution.gpus or 1
        self._fresh = context.fresh
        whole = open_source(self.section.network, (), context.folder, Cache(context.cache))
        self.source = whole.upto(chosen_layers(self.section.unit, whole.structure))

        def resources(fresh: bool) -> Resources:
            return Resources(self.section, self.source, context.folder, Cache(context.cache, fresh), may_compute=True)

        self._resources = resources(False)
        # Results of other jobs are read as they are, even where this run does every job anew.
        self._to_do = resources(context.fresh)
        self._channel_pictures = CircuitPictures(self.section, self._resources, self._extremes, SILENT)
        self.survey = lru_cache(maxsize=6)(self._survey)
        self.results = lru_cache(maxsize=6)(self._results)
        self.weights = lru_cache(maxsize=6)(self._weights)
        self.pictures = lru_cache(maxsize=24)(self._pictures)
        self._pixels = lru_cache(maxsize=_PHOTOS)(self._read_pixels)

    @property
    def architecture(self) -> Architecture:
        """The network's layers."""
        return self.source.architecture

    @cached_property
    def photos(self) -> tuple[Photo, ...]:
        """The photos that can be read."""
        return self._resources.photos

    @cached_property
    def split(self) -> Split:
        """Which of them are shown and which held out."""
        return Split.of(self.photos)

    @property
    def network(self) -> Network:
        """The network; loads TensorFlow."""
        return self._resources.network

    @cached_property
    def _photo_hashes(self) -> list[str]:
        return self._resources.hashes(self.photos)

    @property
    def parts(self) -> int:
        """How many survey jobs each layer has."""
        return -(-len(self.photos) // PHOTOS_OF_A_JOB)

    def is_done(self, job: Job) -> bool:
        """Whether the job's result is kept."""
        if self._fresh:
            return False
        if job.kind == "pictures":
            return self._channel_pictures.are_kept(job.layer, job.channels)
        stage, key, _ = self._measuring(self._resources, job)
        return self._resources.contains(stage, key)

    def do(self, job: Job) -> None:
        """Do a job and keep its result; whatever goes wrong is raised."""
        if job.kind == "pictures":
            CircuitPictures(self.section, self._to_do, self._extremes, SILENT).of(job.layer, job.channels)
        else:
            self._measured(self._to_do, job)

    def _measured(self, resources: Resources, job: Job) -> Any:
        return resources.get_or_compute(*self._measuring(resources, job))

    def _measuring(
        self, resources: Resources, job: Job
    ) -> tuple[Stage[Any], dict[str, object], Callable[[], Survey | Selectivity | Groups]]:
        """Stage and key of a measuring job's result, and what computes it."""
        layer = job.layer
        key: dict[str, object] = {"layer": layer}
        if job.kind == "survey":
            part = slice(job.part * PHOTOS_OF_A_JOB, (job.part + 1) * PHOTOS_OF_A_JOB)
            # Whether a photo is held out follows from its content, once there are enough of them in all.
            key |= {"photos": self._photo_hashes[part], "judges": self.split.judges}
            return SURVEY, key, lambda: survey(resources.network, layer, self.photos[part], self.split.part(part))
        if job.kind == "groups":
            key |= {"units": list(job.channels), "photos": self._photo_hashes}
            return UNIT_GROUPS, key, lambda: groups(self.survey(layer), job.channels)
        return SELECTIVITY, key, lambda: selectivity(resources.network, layer)

    def _extremes(self, layer: str) -> PhotoExtremes:
        return self.survey(layer).extremes

    def _survey(self, layer: str) -> Survey:
        """What all photos do to a layer."""
        parts: list[Survey] = [
            self._measured(self._resources, Job("survey", layer, part=part)) for part in range(self.parts)
        ]
        whole = parts[0]
        for number, part in enumerate(parts[1:], start=1):
            whole = join(whole, part, number * PHOTOS_OF_A_JOB)
        return whole

    def _results(self, layer: str) -> LayerResults:
        """What was measured of a layer's units, but for their groups."""
        selective: Selectivity = self._measured(self._resources, Job("selectivity", layer))
        return LayerResults(self.survey(layer), selective, self.source.kernel_and_bias(layer)[0])

    def groups(self, job: Job) -> Groups:
        """The groups of a job's units."""
        grouped: Groups = self._measured(self._resources, job)
        return grouped

    def _pictures(self, job: Job) -> dict[int, Visualization]:
        """The pictures of a job by channel."""
        return self._channel_pictures.of(job.layer, job.channels)

    def _weights(self, layer: str) -> tuple[Slices, NDArray[np.float32]] | None:
        """Kernel and bias of a layer, or None where the weights file doesn't have it."""
        if not self.source.has(layer):
            return None
        kernel, bias = self.source.kernel_and_bias(layer)
        return Slices(kernel), bias

    def broken_units(self, layer: str) -> dict[int, str]:
        """The units of a layer whose weights aren't all numbers, each with the reason why it can't be measured."""
        kernel, bias = self.source.kernel_and_bias(layer)
        finite = Slices(kernel).finite & np.isfinite(bias)
        reason = "its weights aren't all numbers (NaN or infinity), so nothing can be measured"
        return {int(unit): reason for unit in np.flatnonzero(~finite)}

    def examples(self, layer: str, unit: int, count: int) -> Iterator[Example]:
        """The first of a unit's top examples, highest first: the same as on the page of a single circuit."""
        survey = self.survey(layer)
        for place in survey.examples(unit)[:count].tolist():
            index = int(survey.photo[unit, place])
            position = int(survey.row[unit, place]), int(survey.column[unit, place])
            pre, photo = float(survey.pre[unit, place]), self.photos[index].name
            yield cut_example(self.architecture, layer, photo, index, self._pixels(index), position, pre)

    def _read_pixels(self, index: int) -> NDArray[np.float32]:
        return seen(self.photos[index].pixels(), self.architecture.channel_order)


# Of this process, where it is one of a cluster's.
_workers: dict[str, Worker] = {}


def work(context: SweepContext, job: Job) -> Done | Failed:
    """What a cluster's process does for one job: it makes its worker at the first, and keeps it for all others."""
    from distributed import get_worker

    name = repr(context)
    if name not in _workers:
        os.environ["KERAS_BACKEND"] = "tensorflow"
        quiet_tensorflow()
        if context.threads and not _workers:
            use_threads(context.threads)
        _workers.clear()
        _workers[name] = Worker(context)
    return attempt(_workers[name], job, f"{get_worker().address} (process {os.getpid()})")


def attempt(worker: Worker, job: Job, process: str) -> Done | Failed:
    """Do a job; what goes wrong with it alone is told, not raised."""
    started, busy = time.monotonic(), time.process_time()
    try:
        worker.do(job)
    except VizengineError as error:
        return Failed(job, str(error))
    except (ArithmeticError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError) as error:
        logger.debug("%s failed", job.title, exc_info=True)
        return Failed(job, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}")
    return Done(job, time.monotonic() - started, time.process_time() - busy, process)
