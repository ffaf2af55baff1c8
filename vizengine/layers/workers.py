"""What one process needs to do a sweep's jobs: the network, loaded once, and the cache that all processes share."""

from __future__ import annotations

import datetime
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from vizengine.cache import CACHE_FOLDER, Cache, Stage
from vizengine.circuit import PictureStages
from vizengine.config.schema import Config, ExecutionSection, SweepSection
from vizengine.errors import BuildFailed, VizengineError
from vizengine.layers.jobs import PHOTOS_OF_A_JOB, Done, Failed, Job, chosen_layers
from vizengine.layers.population import UNIT_GROUPS, Groups, groups
from vizengine.layers.selectivity import SELECTIVITY, selectivity
from vizengine.layers.survey import SURVEY, Selectivity, Survey, join, survey
from vizengine.measures.extremes import PhotoExtremes
from vizengine.measures.photos import Photo
from vizengine.network.architecture import Architecture
from vizengine.network.source import open_source
from vizengine.output import SILENT, Progress, duration
from vizengine.pictures.result import Visualization
from vizengine.stages import NotComputed, Resources

if TYPE_CHECKING:
    from distributed import Client


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
        stage, key = self._kept_as(job)
        return self.have.contains(stage, [key])

    def do(self, job: Job) -> None:
        """Do a job and keep its result; whatever goes wrong is raised."""
        if job.kind == "pictures":
            PictureStages(self.section, self._anew, self, SILENT).of(job.layer, job.channels)
        else:
            self._measured(self._anew, job)

    def _measured(self, have: Resources, job: Job) -> Any:
        stage, key = self._kept_as(job)
        if job.kind == "survey":
            return have.stage(stage, key, lambda: survey(have.network, job.layer, self.photos[self._part(job)]))
        if job.kind == "groups":
            return have.stage(stage, key, lambda: groups(self.survey(job.layer), job.channels))
        return have.stage(stage, key, lambda: selectivity(have.network, job.layer))

    def _part(self, job: Job) -> slice:
        return slice(job.part * PHOTOS_OF_A_JOB, (job.part + 1) * PHOTOS_OF_A_JOB)

    def _kept_as(self, job: Job) -> tuple[Stage[Any], dict[str, object]]:
        """Stage and key of a measuring job's result."""
        if job.kind == "survey":
            return SURVEY, {"layer": job.layer, "photos": self._photo_hashes[self._part(job)]}
        if job.kind == "groups":
            return UNIT_GROUPS, {"layer": job.layer, "units": list(job.channels), "photos": self._photo_hashes}
        return SELECTIVITY, {"layer": job.layer}

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


logger = logging.getLogger(__name__)
LOOK_EVERY_SECONDS = 10.0


class Engine(Protocol):
    """Does jobs."""

    def run(self, jobs: Sequence[Job]) -> Iterator[Done | Failed]:
        """Do jobs that don't depend on each other, in any order.

        Yields:
            What became of each, as it ends.
        """


class HereEngine:
    """Does one job after the other in this process.

    Args:
        workshop: the one that is used for reading as well, so that the network is loaded once.
    """

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop

    def run(self, jobs: Sequence[Job]) -> Iterator[Done | Failed]:
        """Do the jobs in order."""
        for job in jobs:
            yield attempt(self._workshop, job, "this process")


class DaskEngine:
    """Does jobs on the workers of a cluster.

    Args:
        client: of the cluster.
        place: where the sweep is done; the workers see its folders under the same paths.
        tell: called now and then with a line on which worker is at what.
    """

    def __init__(self, client: Client, place: Place, tell: Callable[[str], None]) -> None:
        self._client = client
        self._place = place
        self._say = tell

    def run(self, jobs: Sequence[Job]) -> Iterator[Done | Failed]:
        """Do the jobs; one whose worker dies is done again by another."""
        from distributed import KilledWorker, as_completed

        titles: dict[str, Job] = {}
        futures = []
        for job in jobs:
            future = self._client.submit(work, self._place, job, pure=False)
            titles[str(future.key)] = job
            futures.append(future)
        looked = time.monotonic()
        for future in as_completed(futures):
            job = titles[str(future.key)]
            try:
                yield future.result()
            except KilledWorker as error:
                yield Failed(job, f"the workers that had it died: {' '.join(str(error).split())[:300]}")
            future.release()
            if time.monotonic() - looked > LOOK_EVERY_SECONDS:
                looked = time.monotonic()
                self._tell(titles)

    def _tell(self, titles: dict[str, Job]) -> None:
        """Say which worker is at what."""
        for worker, keys in sorted(self._client.processing().items()):
            at = ", ".join(titles[key].title for key in keys[:1] if key in titles) or "nothing"
            self._say(f"{worker} is at {at}, with {max(len(keys) - 1, 0)} more waiting")


_workshops: dict[str, Workshop] = {}


def work(place: Place, job: Job) -> Done | Failed:
    """What a worker does for one job: it opens its workshop at the first, and keeps it for all others."""
    from distributed import get_worker

    name = repr(place)
    if name not in _workshops:
        _set_up(place)
        _workshops.clear()
        _workshops[name] = Workshop(place)
    return attempt(_workshops[name], job, f"{get_worker().address} (process {os.getpid()})")


def _set_up(place: Place) -> None:
    os.environ["KERAS_BACKEND"] = "tensorflow"
    from vizengine.runtime import quiet_tensorflow

    quiet_tensorflow()
    if place.threads and not _workshops:
        from vizengine.network.model import use_threads

        use_threads(place.threads)


def attempt(workshop: Workshop, job: Job, worker: str) -> Done | Failed:
    """Do a job; what goes wrong with it alone is told, not raised."""
    started, busy = time.monotonic(), time.process_time()
    try:
        workshop.do(job)
    except VizengineError as error:
        return Failed(job, str(error))
    except (ArithmeticError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError) as error:
        logger.debug("%s failed", job.title, exc_info=True)
        return Failed(job, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}")
    return Done(job, time.monotonic() - started, time.process_time() - busy, worker)


class LazyEngine:
    """The engine that was asked for, started with the first jobs: a sweep whose results are kept needs none.

    Args:
        execution: the config's section.
        place: where the sweep is done; its scheduler comes before what the section says.
        here: the workshop of this process.
        tell: called with lines for the log.
    """

    def __init__(self, execution: ExecutionSection, place: Place, here: Workshop, tell: Callable[[str], None]) -> None:
        self._execution = execution
        self._place = place
        self._here = here
        self._tell = tell
        self._afterwards = ExitStack()
        self._engine: Engine | None = None

    def __enter__(self) -> LazyEngine:
        return self

    def __exit__(self, *raised: object) -> None:
        self._afterwards.close()

    def run(self, jobs: Sequence[Job]) -> Iterator[Done | Failed]:
        """Do the jobs, as `Engine.run` says.

        Raises:
            BuildFailed: Dask isn't installed, or no scheduler answers.
        """
        if self._engine is None:
            self._engine = self._start()
        yield from self._engine.run(jobs)

    def _start(self) -> Engine:
        if not (self._place.scheduler or self._execution.workers or self._execution.gpus):
            if self._execution.threads:
                from vizengine.network.model import use_threads

                use_threads(self._execution.threads)
            return HereEngine(self._here)
        # How a cluster's machines share out their threads isn't known here.
        threads = self._execution.threads if self._place.scheduler else _threads(self._execution)
        place = replace(self._place, threads=threads)
        return DaskEngine(_client(self._execution, place.scheduler, self._afterwards), place, self._tell)


def _threads(execution: ExecutionSection) -> int | None:
    """Threads of each process; None where TensorFlow chooses."""
    if execution.threads:
        return execution.threads
    return max(1, (os.cpu_count() or 1) // execution.workers) if execution.workers else None


def _client(execution: ExecutionSection, address: str | None, afterwards: ExitStack) -> Client:
    # Dask sets up its own log as it is imported, here and in its workers.
    os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "error")
    try:
        from distributed import Client, Nanny, Scheduler, SpecCluster
    except ModuleNotFoundError as error:
        raise BuildFailed(
            f"`execution` and --scheduler need the package {error.name}, which isn't installed; run: pip install "
            "'vizengine[scale]', or leave them out to compute in this process."
        ) from error
    if address:
        try:
            client: Client = afterwards.enter_context(Client(address, timeout=10))
        except (OSError, TimeoutError) as error:
            raise BuildFailed(
                f"No Dask scheduler answers at {address}: {error}. Expected one that runs, with workers; "
                "start it with `dask scheduler`, and workers with `dask worker ADDRESS --nthreads 1`."
            ) from error
        return client
    count = execution.workers or execution.gpus or 1
    workers: dict[int, dict[str, Any]] = {}
    for number in range(count):
        environment = {"CUDA_VISIBLE_DEVICES": str(number)} if execution.gpus else {}
        options = {"nthreads": 1, "env": environment, "host": "127.0.0.1", "memory_limit": 0, "dashboard": False}
        workers[number] = {"cls": Nanny, "options": options}
    scheduler = {"cls": Scheduler, "options": {"host": "127.0.0.1", "dashboard": False}}
    cluster = afterwards.enter_context(SpecCluster(workers, scheduler))
    client = afterwards.enter_context(Client(cluster))
    return client


def weight(job: Job) -> int:
    """What a job counts for in the progress: its pictures, or one."""
    return len(job.channels) or 1


class RunLog:
    """A file that grows by a line whenever something ends; a new one for each run.

    Args:
        path: the file; its folder is made where it doesn't exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: TextIO | None = None

    def close(self) -> None:
        """Close the file, where one was begun."""
        if self._file is not None:
            self._file.close()

    def line(self, text: str) -> None:
        """Write a line with the time of day."""
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # A link in its place, which a stranger's folder may bring, is removed and not followed.
            self.path.unlink(missing_ok=True)
            self._file = self.path.open("x", encoding="utf-8")
            logger.info("the log is in %s", self.path)
        now = datetime.datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
        self._file.write(f"{now} {text}\n")
        self._file.flush()
        logger.debug("%s", text)


class Pace:
    """How fast jobs are done.

    Args:
        total: weight of all jobs.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the first job was begun."""
        return time.monotonic() - self._started

    def tell(self, outcome: Done | Failed) -> tuple[str, str]:
        """Take the end of a job into account.

        Returns:
            A line for the log, and a few words for the progress.
        """
        self._done += weight(outcome.job)
        rate = self._done / max(self.seconds, 1e-9)
        left = duration((self._total - self._done) / rate)
        if isinstance(outcome, Done):
            what = f"{outcome.job.title}: done in {duration(outcome.seconds)} by {outcome.worker}"
        else:
            what = f"{outcome.job.title}: failed: {outcome.reason}"
        words = f"{rate:.1f} a second; last {outcome.job.title}"
        return f"{what}; {self._done} of {self._total}, {rate:.2f} a second, about {left} left", words


class Doing:
    """Does jobs, by the engine that the config asks for.

    Args:
        place: where it is done.
        workshop: of this process.
        progress: shown to the user.
        may_compute: whether a result that isn't kept may be computed.

    Attributes:
        log: the run's.
        seconds: wall-clock seconds by what was done, and processor seconds by kind of job over all processes.
    """

    def __init__(self, place: Place, workshop: Workshop, progress: Progress, may_compute: bool = True) -> None:
        self.log = RunLog(place.cache / "log" / f"{place.name}.log")
        self.seconds: dict[str, float] = {}
        self.engine = LazyEngine(place.config.execution, place, workshop, self.log.line)
        self._name = place.name
        self._workshop = workshop
        self._progress = progress
        self._may_compute = may_compute

    def pictures(
        self, engine: Engine, jobs: Sequence[Job]
    ) -> tuple[dict[tuple[str, int], Job], dict[tuple[str, int], str]]:
        """Make all pictures; a batch that fails is halved until the channel is found that makes it fail."""
        made: dict[tuple[str, int], Job] = {}
        lost: dict[tuple[str, int], str] = {}
        waiting = list(jobs)
        while waiting:
            failed = {each.job: each for each in self.do(engine, "pictures", waiting)}
            for job in waiting:
                if job not in failed:
                    made |= {(job.layer, channel): job for channel in job.channels}
                elif len(job.channels) == 1:
                    lost[job.layer, job.channels[0]] = failed[job].reason
            waiting = [half for job in failed if len(job.channels) > 1 for half in job.halves()]
        return made, lost

    def do(self, engine: Engine, what: str, jobs: Sequence[Job]) -> list[Failed]:
        """Do the jobs that aren't done, and tell how it goes; those that failed are returned."""
        failed: list[Failed] = []
        waiting: list[Job] = []
        for job in jobs:
            try:
                if not self._workshop.is_done(job):
                    waiting.append(job)
            except VizengineError as error:
                failed.append(Failed(job, str(error)))
        if waiting and not self._may_compute:
            raise NotComputed(f"{self._name} has no kept {waiting[0].title}, and --only leaves it out of this run.")
        if not waiting:
            return failed
        self.log.line(f"{what}: {len(jobs) - len(waiting)} of {len(jobs)} jobs are kept from earlier")
        total = sum(map(weight, waiting))
        with self._progress.stage(f"{self._name}: {what}", total) as task:
            pace = Pace(total)
            for outcome in engine.run(waiting):
                if isinstance(outcome, Done):
                    kind = f"{outcome.job.kind}, processor"
                    self.seconds[kind] = self.seconds.get(kind, 0.0) + outcome.processor_seconds
                else:
                    failed.append(outcome)
                line, words = pace.tell(outcome)
                self.log.line(line)
                task.advance(weight(outcome.job), words)
        self.seconds[what] = self.seconds.get(what, 0.0) + pace.seconds
        return failed
