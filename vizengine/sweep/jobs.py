"""The pieces into which a sweep is cut: each is computed by one process and kept under its own key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# Photos of one survey job; a larger set is shared out among processes.
PHOTOS_OF_A_JOB = 64


@dataclass(frozen=True)
class Job:
    """One piece of work.

    Attributes:
        kind: `survey` (some photos through a layer), `selectivity` (drawn stimuli through a layer), `pictures`, or
            `groups` (units' top examples by what drove them).
        layer: the layer.
        channels: whose pictures or groups; empty for the others.
        part: which photos of a survey, as a count of `PHOTOS_OF_A_JOB`.
    """

    kind: Literal["survey", "selectivity", "pictures", "groups"]
    layer: str
    channels: tuple[int, ...] = ()
    part: int = 0

    @property
    def title(self) -> str:
        """The job in words."""
        if self.channels:
            first, last = self.channels[0], self.channels[-1]
            which = str(first) if first == last else f"{first} to {last}"
            return f"{'pictures' if self.kind == 'pictures' else 'groups of examples'} of {self.layer}:{which}"
        return f"photos through {self.layer}" if self.kind == "survey" else f"stimuli through {self.layer}"

    def halves(self) -> tuple[Job, Job]:
        """The same pictures in two jobs."""
        middle = len(self.channels) // 2
        return (
            Job(self.kind, self.layer, self.channels[:middle], self.part),
            Job(self.kind, self.layer, self.channels[middle:], self.part),
        )


@dataclass(frozen=True)
class Done:
    """A job whose result is kept.

    Attributes:
        job: which.
        seconds: how long it took.
        processor_seconds: of all threads together; less than or more than `seconds`, as the machine is shared or not.
        worker: the process that did it, in words.
    """

    job: Job
    seconds: float
    processor_seconds: float
    worker: str


@dataclass(frozen=True)
class Failed:
    """A job that gave no result.

    Attributes:
        job: which.
        reason: why, in words.
    """

    job: Job
    reason: str
