"""The search for pictures: attempts, which of them is shown, and whether it can be trusted.

Of channels of a layer, or of groups of the channels that a layer reads.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
from numpy.typing import NDArray

from vizengine.cache import Stage
from vizengine.errors import VizengineError
from vizengine.network.layers import INPUT
from vizengine.network.model import Network
from vizengine.network.probes import GroupProbe, Probe
from vizengine.output import SILENT, Task
from vizengine.pictures.ascent import WEIGHT_DECAY, Ascent, ascend, ascent_precision, batches, bytes_of_one
from vizengine.pictures.objectives import OBJECTIVES
from vizengine.pictures.result import Attempt, Direction, PhotoBest, Settings, Visualization
from vizengine.pictures.spectrum import picture_key, starts
from vizengine.runtime import available_bytes
from vizengine.runtime import tensorflow as tf

logger = logging.getLogger(__name__)
FLAT_SLOPE = 0.05


@dataclass(frozen=True)
class Job:
    """Which pictures to make.

    Attributes:
        layer: a conv layer, or `input`, whose channels have exact pictures.
        best: each channel that is asked for, and its photo-best; for the negative direction the lowest value.
        settings: how.
        direction: `positive` or `negative`.
        squares: where pictures start from photos, each photo's centred square by name: (size, size, 3) in [0, 1].
        groups: (inputs, groups); where it is given, `best` counts its columns instead, each a direction in what the
            layer reads, whose value at a position is `activations @ column`.
    """

    layer: str
    best: Mapping[int, PhotoBest]
    settings: Settings
    direction: Direction = "positive"
    squares: Mapping[str, NDArray[np.float32]] | None = None
    groups: NDArray[np.floating] | None = None

    @property
    def sign(self) -> float:
        """By which the objective is multiplied to be raised."""
        return 1.0 if self.direction == "positive" else -1.0

    def key(self, channel: int) -> str:
        """The name from which a picture's noise is drawn."""
        if self.groups is None:
            return picture_key(self.layer, channel, self.direction)
        return f"{self.layer}:group:{channel}"

    def probe(
        self, network: Network, channels: Sequence[int], precision: str = "float32"
    ) -> Callable[[tf.Tensor], tf.Tensor]:
        """What gives the values of some channels or groups, in that order."""
        if self.groups is None:
            return Probe(network, self.layer, channels, precision)
        return GroupProbe(network, self.layer, self.groups[:, list(channels)], precision)


@dataclass(frozen=True)
class Plan:
    """How the next attempt at a picture is made; pictures with the same plan share batches.

    `objective` is a key of `OBJECTIVES`; what is `continued` goes on from the attempt before.
    """

    objective: str
    seed: int
    continued: bool
    steps: int
    weight_decay: float


@dataclass(frozen=True)
class Candidate:
    """The best picture of a channel so far, with all attempts, and the spectrum from which it can go on.

    It has `stalled` where going on from it led no further.
    """

    visualization: Visualization
    spectrum: NDArray[np.float32]
    stalled: bool = False


def next_plan(number: int, before: Candidate | None, best: PhotoBest, settings: Settings) -> Plan:
    """The plan of attempt `number`, counted from 0.

    What went past the best photo and was still rising is continued. What didn't get there, or stalled, is made again
    from another seed, with twice the time and the whole range of colours, from the third attempt on at one position
    alone.
    """
    picture = before.visualization if before and not before.stalled else None
    if picture and passes(picture.reached, best.value, picture.direction):
        objective, seed, continued = picture.objective, picture.attempts[-1].seed, True
    else:
        objective, seed, continued = "channel" if number < 2 else "neuron", settings.seed + number, False
    first = seed == settings.seed
    steps = settings.steps if continued or first else 2 * settings.steps
    return Plan(objective, seed, continued, steps, WEIGHT_DECAY if first else 0.0)


def better(before: Candidate | None, after: Candidate, continued: bool) -> Candidate:
    """The one to show, with the attempts of both: a converged one, else the one that reached further."""
    if before is None:
        return after
    old, new = before.visualization, after.visualization
    attempts = old.attempts + new.attempts
    if new.converged or passes(new.reached, old.reached, new.direction):
        return replace(after, visualization=replace(new, attempts=attempts))
    return replace(before, visualization=replace(old, attempts=attempts), stalled=before.stalled or continued)


def measure(
    network: Network, layer: str, channels: Sequence[int] | None, images: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """Pre-activations on finished pictures, in float32 and without transformations, (batch, down, across, channels).

    `images` are (batch, size, size, 3) uint8; of all channels where `channels` is None.
    """
    return Probe(network, layer, channels).numpy(images.astype(np.float32) / 255.0)


def passes(reached: float, best: float, direction: Direction) -> bool:
    """Whether a picture drives the channel past the photo that drives it furthest in that direction."""
    return reached > best if direction == "positive" else reached < best


def last_slope(trace: NDArray[np.float32], steps: int) -> float:
    """Rise per tenth of an attempt's steps at its end, as a share of the whole rise: 0 is flat, 0.1 a straight line.

    The least-squares line through the attempt's last quarter, since the random transformations make single steps
    noisy. Where it continues another, the quarter is its own: each begins with large steps, which throw back at
    first, and a line through that would call the recovery a rise.

    Args:
        trace: of the attempt, after those that it continues.
        steps: of the attempt alone.
    """
    tail = trace[-max(steps // 4, 2) :].astype(np.float64)
    whole = tail.mean() - float(trace[0])
    if len(trace) < 2 or whole <= 0:
        return 1.0
    return float(np.polyfit(np.arange(len(tail)), tail, 1)[0] * steps / 10 / whole)


def colour_picture(network: Network, channel: int, best: PhotoBest, size: int) -> Visualization:
    """The picture of a colour is that colour alone, its value known exactly; that of grey is white."""
    lit = {"rgb": (channel,), "bgr": (2 - channel,), "grey": (0, 1, 2)}[network.architecture.channel_order]
    image = np.zeros((size, size, 3), np.uint8)
    image[..., list(lit)] = 255
    prepared = network.prepare(tf.constant(image[None] / 255.0, tf.float32), INPUT)
    reached = float(np.asarray(prepared)[0, 0, 0, channel])
    return Visualization(
        layer=INPUT,
        channel=channel,
        direction="positive",
        image=image,
        trace=np.array([reached], np.float32),
        reached=reached,
        mean=reached,
        photo_best=best.value,
        photo_best_name=best.photo,
        objective="exact",
        attempts=(),
        converged=True,
    )


def visualize(
    network: Network,
    job: Job,
    finish: Callable[[Visualization], None] = lambda visualization: None,
    task: Task = SILENT,
) -> dict[int, Visualization]:
    """Pictures that excite, or for the negative direction inhibit, channels of one layer, by channel.

    Args:
        network, job: which.
        finish: called with each picture after its last attempt.
        task: the progress shown: pictures finished, and meanwhile the step and the attempt.
    """
    finished: dict[int, Visualization] = {}
    task.expect(len(job.best))

    def done(visualization: Visualization) -> None:
        finished[visualization.channel] = visualization
        finish(visualization)
        task.advance(1)

    if job.layer == INPUT:
        for channel, best in job.best.items():
            done(colour_picture(network, channel, best, job.settings.size))
        return finished
    search = _Search(network, job, task)
    for number in range(job.settings.attempts):
        plans: dict[Plan, list[int]] = {}
        for channel in sorted(job.best.keys() - finished.keys()):
            plan = next_plan(number, search.best.get(channel), job.best[channel], job.settings)
            plans.setdefault(plan, []).append(channel)
        for plan, channels in plans.items():
            for channel in search.attempt(number + 1, plan, channels):
                picture = search.best[channel].visualization
                if picture.converged or number == job.settings.attempts - 1:
                    done(picture)
    return finished


class _Search:
    def __init__(self, network: Network, job: Job, task: Task) -> None:
        self.network, self.job, self.task = network, job, task
        self.best: dict[int, Candidate] = {}

    def attempt(self, number: int, plan: Plan, channels: list[int]) -> Iterator[int]:
        """Attempt `number`, counted from 1, at some pictures: each channel once its batch is through.

        A batch that finds no memory is halved.

        Raises:
            VizengineError: there is no memory for a single picture.
        """
        architecture, layer, size = self.network.architecture, self.job.layer, self.job.settings.size
        waiting = batches(architecture, layer, channels, size)
        bytes_each = bytes_of_one(architecture, layer, size)
        while waiting:
            batch = waiting.pop(0)
            half = len(batch) // 2
            if not half or bytes_each * len(batch) <= available_bytes():
                try:
                    candidates = self._candidates(number, plan, batch)
                except (tf.errors.ResourceExhaustedError, MemoryError) as error:
                    if not half:
                        raise VizengineError(
                            f"There isn't enough memory for one picture of {layer} at {size} px: about "
                            f"{bytes_each / 1e6:.0f} MB. Free some, or make `visualization.size` smaller."
                        ) from error
                else:
                    for channel, candidate in zip(batch, candidates, strict=True):
                        self.best[channel] = better(self.best.get(channel), candidate, plan.continued)
                    yield from batch
                    continue
            logger.info("memory is short: %d pictures of %s at a time, not %d", len(batch) - half, layer, len(batch))
            waiting[:0] = [batch[:half], batch[half:]]

    def _candidates(self, number: int, plan: Plan, channels: list[int]) -> list[Candidate]:
        job, settings = self.job, self.job.settings
        if plan.continued:
            start = np.stack([self.best[channel].spectrum for channel in channels])
        else:
            keys = [job.key(channel) for channel in channels]
            photos = [job.best[channel].photo for channel in channels]
            start = starts(keys, photos, plan.seed, settings.size, job.squares)
        steps = count(1)
        ascent = ascend(
            job.probe(self.network, channels, ascent_precision(settings.precision)),
            start,
            job.sign * OBJECTIVES[plan.objective](range(len(channels))),
            plan.seed,
            plan.steps,
            settings.image,
            plan.weight_decay,
            settled=plan.continued,
            channel_order=self.network.architecture.channel_order,
            advance=lambda pictures: self.task.advance(0, f"attempt {number}, step {next(steps)} of {plan.steps}"),
        )
        pre_activations = np.asarray(job.probe(self.network, channels)(ascent.images.astype(np.float32) / 255.0))
        return [
            self._candidate(plan, channel, ascent, index, pre_activations[index, :, :, index])
            for index, channel in enumerate(channels)
        ]

    def _candidate(
        self, plan: Plan, channel: int, ascent: Ascent, index: int, pre_activations: NDArray[np.float32]
    ) -> Candidate:
        """Picture `index` of a batch with its verdict; `pre_activations` are (down, across), of the channel on it."""
        job, best = self.job, self.job.best[channel]
        reached = float(pre_activations.max() if job.direction == "positive" else pre_activations.min())
        trace = job.sign * ascent.traces[index]
        if plan.continued:
            trace = np.concatenate([self.best[channel].visualization.trace, trace])
        trace = trace.astype(np.float32)
        slope = last_slope(job.sign * trace, plan.steps)
        converged = passes(reached, best.value, job.direction) and slope < FLAT_SLOPE
        size = job.settings.size
        visualization = Visualization(
            layer=job.layer,
            channel=channel,
            direction=job.direction,
            image=ascent.images[index],
            trace=trace,
            reached=reached,
            mean=float(pre_activations.mean()),
            photo_best=best.value,
            photo_best_name=best.photo,
            objective=plan.objective,
            attempts=(Attempt(plan.objective, plan.seed, plan.continued, size, plan.steps, reached, slope, converged),),
            converged=converged,
        )
        return Candidate(visualization, ascent.spectra[index])


PICTURES = Stage("pictures", Visualization, 1, (visualize,))
GROUP_PICTURES = Stage("groups", Visualization, 1, (visualize,))
