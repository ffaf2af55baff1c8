"""Has all jobs of a sweep done, in this process or on the workers of a Dask cluster."""

from __future__ import annotations

import datetime
import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from vizengine.config.schema import ExecutionSection
from vizengine.errors import BuildFailed, VizengineError
from vizengine.layers.jobs import Done, Failed, Job
from vizengine.layers.workers import SweepContext, Worker, attempt, work
from vizengine.network.model import use_threads
from vizengine.output import Progress, duration
from vizengine.pictures.ascent import batches
from vizengine.stages import NotComputed

if TYPE_CHECKING:
    from distributed import Client

logger = logging.getLogger(__name__)
LOOK_EVERY_SECONDS = 10.0
_CONNECT_SECONDS = 10.0


class JobRunner:
    """Runs jobs as the config asks for; a cluster is started with the first of them and ends with the context.

    Args:
        worker: of this process; where there is no cluster it does the jobs.
        may_compute: whether a result that isn't kept may be computed.

    Attributes:
        seconds: wall-clock seconds by what was done, and processor seconds by kind of job over all processes.
    """

    def __init__(self, context: SweepContext, worker: Worker, progress: Progress, may_compute: bool = True) -> None:
        self._log = RunLog(context.cache / "log" / f"{context.name}.log")
        self.seconds: dict[str, float] = {}
        self._context = context
        self._worker = worker
        self._progress = progress
        self._may_compute = may_compute
        self._cluster = ExitStack()

    def __enter__(self) -> JobRunner:
        return self

    def __exit__(self, *raised: object) -> None:
        self._cluster.close()
        self._log.close()

    def log_failures(self, reasons: Mapping[str, str]) -> None:
        """Log why units failed, `layer:unit` each."""
        for name, reason in reasons.items():
            self._log.line(f"{name} failed: {reason}")

    def pictures(
        self, wanted: Mapping[str, Sequence[int]]
    ) -> tuple[dict[tuple[str, int], Job], dict[tuple[str, int], str]]:
        """Make pictures in batches; one that fails is halved until the channel is found that makes it fail.

        Args:
            wanted: channels by layer.

        Returns:
            The job of each picture by layer and channel, and why there is none of the others.
        """
        done: dict[tuple[str, int], Job] = {}
        reasons: dict[tuple[str, int], str] = {}
        size = self._worker.section.visualization.size
        waiting = [
            Job("pictures", layer, tuple(batch))
            for layer, channels in wanted.items()
            for batch in batches(self._worker.architecture, layer, channels, size)
        ]
        while waiting:
            failed = {failure.job: failure for failure in self.run("pictures", waiting)}
            for job in waiting:
                if job not in failed:
                    done |= {(job.layer, channel): job for channel in job.channels}
                elif len(job.channels) == 1:
                    reasons[job.layer, job.channels[0]] = failed[job].reason
            waiting = [half for job in failed if len(job.channels) > 1 for half in job.halves()]
        return done, reasons

    def run_all(self, what: str, jobs: Sequence[Job]) -> None:
        """As `run`, for jobs on whose results everything rests.

        Raises:
            VizengineError: one of them failed.
        """
        for failure in self.run(what, jobs):
            raise VizengineError(f"{self._context.name}: {failure.job.title}: {failure.reason}")

    def run(self, what: str, jobs: Sequence[Job]) -> list[Failed]:
        """Run the jobs that aren't done, and tell how it goes; those that failed are returned.

        Raises:
            NotComputed: one isn't done and may not be computed.
            BuildFailed: Dask isn't installed, or no scheduler answers.
        """
        failed: list[Failed] = []
        waiting: list[Job] = []
        for job in jobs:
            try:
                if not self._worker.is_done(job):
                    waiting.append(job)
            except VizengineError as error:
                failed.append(Failed(job, str(error)))
        name = self._context.name
        if waiting and not self._may_compute:
            raise NotComputed(f"{name} has no kept {waiting[0].title}, and --only leaves it out of this run.")
        if not waiting:
            return failed
        self._log.line(f"{what}: {len(jobs) - len(waiting)} of {len(jobs)} jobs are kept from earlier")
        total, done, started = sum(map(_weight, waiting)), 0, time.monotonic()
        with self._progress.stage(f"{name}: {what}", total) as task:
            for outcome in self._outcomes(waiting):
                if isinstance(outcome, Done):
                    kind = f"{outcome.job.kind}, processor"
                    self.seconds[kind] = self.seconds.get(kind, 0.0) + outcome.processor_seconds
                    how = f"done in {duration(outcome.seconds)} by {outcome.worker}"
                else:
                    failed.append(outcome)
                    how = f"failed: {outcome.reason}"
                done += _weight(outcome.job)
                rate = done / max(time.monotonic() - started, 1e-9)
                pace = f"{rate:.2f} a second, about {duration((total - done) / rate)} left"
                self._log.line(f"{outcome.job.title}: {how}; {done} of {total}, {pace}")
                task.advance(_weight(outcome.job), f"{rate:.1f} a second; last {outcome.job.title}")
        self.seconds[what] = self.seconds.get(what, 0.0) + time.monotonic() - started
        return failed

    def _outcomes(self, jobs: Sequence[Job]) -> Iterator[Done | Failed]:
        """What becomes of jobs that don't depend on each other, as each ends, in any order."""
        if self._client is None:
            for job in jobs:
                yield attempt(self._worker, job, "this process")
            return
        from distributed import KilledWorker, as_completed

        # The processes of a cluster on this machine share its processors; of other machines nothing is known here.
        execution = self._context.config.execution
        threads = execution.threads if self._context.scheduler else _threads(execution)
        context = replace(self._context, threads=threads)
        # A job whose process dies is done again by another.
        by_future = {self._client.submit(work, context, job, pure=False): job for job in jobs}
        titles = {str(future.key): job.title for future, job in by_future.items()}
        looked = time.monotonic()
        for future in as_completed(list(by_future)):
            job = by_future.pop(future)
            try:
                yield future.result()
            except KilledWorker as error:
                yield Failed(job, f"the workers that had it died: {' '.join(str(error).split())[:300]}")
            future.release()
            if time.monotonic() - looked > LOOK_EVERY_SECONDS:
                looked = time.monotonic()
                for worker, keys in sorted(self._client.processing().items()):
                    at = ", ".join(titles[key] for key in keys[:1] if key in titles) or "nothing"
                    self._log.line(f"{worker} is at {at}, with {max(len(keys) - 1, 0)} more waiting")

    @cached_property
    def _client(self) -> Client | None:
        """Of the cluster; None where this process does the jobs."""
        execution = self._context.config.execution
        if self._context.scheduler or execution.workers or execution.gpus:
            return _client(execution, self._context.scheduler, self._cluster)
        if execution.threads:
            use_threads(execution.threads)
        return None


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
            client: Client = afterwards.enter_context(_connected(address))
        except (OSError, TimeoutError) as error:
            raise BuildFailed(
                f"No Dask scheduler answers at {address}: {str(error) or 'timed out'}. Expected one that runs, with "
                "workers; start it with `dask scheduler`, and workers with `dask worker ADDRESS --nthreads 1`."
            ) from error
        return client
    local: dict[str, Any] = {"host": "127.0.0.1", "dashboard": False}
    workers: dict[int, dict[str, Any]] = {}
    for number in range(execution.workers or execution.gpus or 1):
        environment = {"CUDA_VISIBLE_DEVICES": str(number)} if execution.gpus else {}
        options = {**local, "nthreads": 1, "env": environment, "memory_limit": 0}
        workers[number] = {"cls": Nanny, "options": options}
    cluster = afterwards.enter_context(SpecCluster(workers, {"cls": Scheduler, "options": local}))
    client = afterwards.enter_context(Client(cluster))
    return client


def _connected(address: str) -> Client:
    """A client of the scheduler at an address.

    Dask's own time limit ends with the connection: for the greeting of a scheduler that accepts one and then says
    nothing it waits without end. So it waits in a thread, which doesn't keep the process from ending.

    Raises:
        OSError, TimeoutError: none answers in time.
    """
    from distributed import Client

    connected: Future[Client] = Future()

    def connect() -> None:
        try:
            connected.set_result(Client(address, timeout=_CONNECT_SECONDS))
        except Exception as error:
            connected.set_exception(error)

    threading.Thread(target=connect, daemon=True).start()
    return connected.result(timeout=2 * _CONNECT_SECONDS)


def _weight(job: Job) -> int:
    """What a job counts for in the progress: its pictures, or one."""
    return len(job.channels) or 1


class RunLog:
    """A file that grows by a line whenever something ends; a new one for each run, whose folder is made."""

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
        now = datetime.datetime.now().astimezone()
        self._file.write(f"{now.isoformat(sep=' ', timespec='seconds')} {text}\n")
        self._file.flush()
        logger.debug("%s", text)
