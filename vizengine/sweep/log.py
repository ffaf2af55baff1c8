"""The log file of a sweep: every job, who did it, how fast it goes, and what failed."""

from __future__ import annotations

import datetime
import logging
import time
from pathlib import Path
from typing import TextIO

from vizengine.progress import duration
from vizengine.sweep.jobs import Done, Failed, Job

logger = logging.getLogger(__name__)


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
            self._file = self.path.open("w", encoding="utf-8")
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
