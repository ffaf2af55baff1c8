"""Where a sweep's jobs are done: in this process, or on the workers of a Dask cluster. The results are the same."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from vizengine.config.units import ExecutionSection
from vizengine.errors import BuildFailed, VizengineError
from vizengine.sweep.jobs import Done, Failed, Job
from vizengine.sweep.workshop import Place, Workshop

if TYPE_CHECKING:
    from distributed import Client

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
    from vizengine.hush import hush_tensorflow

    hush_tensorflow()
    if place.threads and not _workshops:
        from vizengine.networks.network import use_threads

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
                from vizengine.networks.network import use_threads

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
