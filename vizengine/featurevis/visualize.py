"""Feature visualizations of a layer's channels: in batches, tried again where they don't converge, with a verdict."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import count
from typing import TypeAlias

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from vizengine.errors import VizengineError
from vizengine.featurevis import objectives
from vizengine.featurevis.ascent import Ascent, ascend
from vizengine.featurevis.attempts import Candidate, Plan, better, next_plan
from vizengine.featurevis.batches import batches, bytes_of_one
from vizengine.featurevis.colours import colour_picture
from vizengine.featurevis.job import Job
from vizengine.featurevis.model import Attempt, Visualization
from vizengine.featurevis.precision import ascent_precision
from vizengine.featurevis.starts import starts
from vizengine.featurevis.verdict import FLAT_SLOPE, last_slope, passes
from vizengine.memory import available_bytes
from vizengine.networks.architecture import INPUT
from vizengine.networks.network import Network
from vizengine.progress import SILENT, Stage

logger = logging.getLogger(__name__)

Tell: TypeAlias = Callable[[int], None]
"""Told the number of each step of a batch, counted from 1."""


def visualize(
    network: Network,
    job: Job,
    finish: Callable[[Visualization], None] = lambda visualization: None,
    task: Stage = SILENT,
) -> dict[int, Visualization]:
    """Pictures of what channels of one layer look for, or are most against.

    Args:
        network: the network.
        job: which.
        finish: called with each picture as soon as no further attempt will be made at it.
        task: told of each picture that is finished, out of how many, and meanwhile which step of which attempt it is.

    Returns:
        channel to its visualization.
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
    shown: dict[int, Candidate] = {}
    remaining = sorted(job.best)
    for number in range(job.settings.attempts):
        plans: dict[Plan, list[int]] = {}
        for channel in remaining:
            plan = next_plan(number, shown.get(channel), job.best[channel], job.settings)
            plans.setdefault(plan, []).append(channel)
        for plan, planned in plans.items():
            tell = partial(_tell, task, number + 1, plan.steps)
            for batch, candidates in _attempts(network, job, planned, plan, shown, tell):
                for candidate in candidates:
                    visualization = candidate.visualization
                    shown[visualization.channel] = better(shown.get(visualization.channel), candidate, plan.continued)
                for channel in batch:
                    picture = shown[channel].visualization
                    if picture.converged or number == job.settings.attempts - 1:
                        done(picture)
        remaining = [channel for channel in remaining if channel not in finished]
    return finished


def _attempts(
    network: Network, job: Job, channels: list[int], plan: Plan, shown: Mapping[int, Candidate], tell: Tell
) -> Iterator[tuple[list[int], list[Candidate]]]:
    """One more attempt at the pictures of `channels`, batch by batch; a batch that finds no memory is halved.

    Raises:
        VizengineError: there is no memory for a single picture.
    """
    size = job.settings.size
    waiting = batches(network.architecture, job.layer, channels, size)
    each = bytes_of_one(network.architecture, job.layer, size)
    while waiting:
        batch = waiting.pop(0)
        half = len(batch) // 2
        if not half or each * len(batch) <= available_bytes():
            try:
                made = list(_attempt(network, job, batch, plan, shown, tell))
            except (tf.errors.ResourceExhaustedError, MemoryError) as error:
                if not half:
                    raise VizengineError(
                        f"There isn't enough memory for one picture of {job.layer} at {size} px: about "
                        f"{each / 1e6:.0f} MB. Free some, or make `visualization.size` smaller."
                    ) from error
            else:
                yield batch, made
                continue
        logger.info("memory is short: %d pictures of %s at a time, not %d", len(batch) - half, job.layer, len(batch))
        waiting[:0] = [batch[:half], batch[half:]]


def _tell(task: Stage, attempt: int, steps: int, step: int) -> None:
    """Say which step of which attempt it is, both counted from 1."""
    task.advance(0, f"attempt {attempt}, step {step} of {steps}")


def _attempt(
    network: Network, job: Job, channels: list[int], plan: Plan, shown: Mapping[int, Candidate], tell: Tell
) -> Iterator[Candidate]:
    """One more attempt at the pictures of a batch."""
    if plan.continued:
        start = np.stack([shown[channel].spectrum for channel in channels])
    else:
        keys = [job.key(channel) for channel in channels]
        photos = [job.best[channel].photo for channel in channels]
        start = starts(keys, photos, plan.seed, job.settings.size, job.squares)
    steps = count(1)
    ascent = ascend(
        job.probe(network, channels, ascent_precision(job.settings.precision)),
        start,
        job.sign * objectives.OBJECTIVES[plan.objective](range(len(channels))),
        plan.seed,
        plan.steps,
        job.settings.image,
        plan.weight_decay,
        settled=plan.continued,
        channel_order=network.architecture.channel_order,
        advance=lambda _: tell(next(steps)),
    )
    finished = ascent.images.astype(np.float32) / 255.0
    pre_activations = np.asarray(job.probe(network, channels)(finished))
    for index, channel in enumerate(channels):
        before = shown[channel].visualization.trace if plan.continued else np.zeros(0, np.float32)
        own = pre_activations[index, :, :, index]
        yield Candidate(_judge(job, channel, plan, ascent, index, before, own), ascent.spectra[index])


def _judge(
    job: Job,
    channel: int,
    plan: Plan,
    ascent: Ascent,
    index: int,
    before: NDArray[np.float32],
    pre_activations: NDArray[np.float32],
) -> Visualization:
    """One picture of a batch, with its verdict.

    Args:
        job, channel, plan: what was asked for.
        ascent: what the batch gave.
        index: the picture's place in the batch.
        before: the trace of the attempts that this one continues.
        pre_activations: (down, across), of the channel on its finished picture.
    """
    best = job.best[channel]
    reached = float(pre_activations.max() if job.direction == "positive" else pre_activations.min())
    trace = np.concatenate([before, job.sign * ascent.traces[index]]).astype(np.float32)
    steps = ascent.traces.shape[1]
    slope = last_slope(job.sign * trace, steps)
    converged = passes(reached, best.value, job.direction) and slope < FLAT_SLOPE
    size = job.settings.size
    return Visualization(
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
        attempts=(Attempt(plan.objective, plan.seed, plan.continued, size, steps, reached, slope, converged),),
        converged=converged,
    )
