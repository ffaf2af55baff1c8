"""Have a sweep's jobs done: those that aren't kept, with progress, a log, and each failure told apart."""

from __future__ import annotations

from collections.abc import Sequence

from vizengine.errors import VizengineError
from vizengine.progress import Progress
from vizengine.resources import NotComputed
from vizengine.sweep.engines import Engine, LazyEngine
from vizengine.sweep.jobs import Done, Failed, Job
from vizengine.sweep.log import Pace, RunLog, weight
from vizengine.sweep.workshop import Place, Workshop


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
