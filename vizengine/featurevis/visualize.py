"""Feature visualizations of a layer's channels: in batches, tried again where they don't converge, with a verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vizengine.featurevis import objectives
from vizengine.featurevis.ascent import WEIGHT_DECAY, ascend, noise
from vizengine.featurevis.image import spectrum_of
from vizengine.featurevis.model import Attempt, Direction, PhotoBest, Settings, Visualization
from vizengine.featurevis.precision import ascent_precision
from vizengine.networks.architecture import INPUT, Architecture
from vizengine.networks.network import Network
from vizengine.networks.probe import Probe

FLAT_SLOPE = 0.05
MEMORY_BUDGET_BYTES = 600_000_000
WIDEST_BATCH = 16
# Forward activations, their gradients, and what the convolutions need besides.
_COPIES = 4


@dataclass(frozen=True)
class _Plan:
    """How the next attempt at a picture is made; pictures with the same plan share batches."""

    objective: str
    seed: int
    continued: bool


@dataclass(frozen=True)
class _Candidate:
    """The best picture of a channel so far, with the spectrum from which it can go on."""

    visualization: Visualization
    spectrum: NDArray[np.float32]


def visualize(
    network: Network,
    layer: str,
    channels: Sequence[int],
    best: Mapping[int, PhotoBest],
    settings: Settings,
    direction: Direction = "positive",
    squares: Mapping[str, NDArray[np.float32]] | None = None,
    advance: Callable[[int], None] = lambda count: None,
) -> dict[int, Visualization]:
    """Pictures of what channels of one layer look for, or are most against.

    An attempt that went past the best photo and was still rising is continued; one that didn't get there is made
    again from another seed, and from the third attempt on at one position alone.

    Args:
        network: the network.
        layer: a conv layer, or `input`, whose channels have exact pictures.
        channels: which; each once.
        best: photo-best of each channel; for the negative direction the lowest value.
        settings: how.
        direction: `positive` or `negative`.
        squares: where pictures start from photos, each photo's centred square by name: (size, size, 3) in [0, 1].
        advance: called with 1 after each step of each batch.

    Returns:
        channel to its visualization.
    """
    if layer == INPUT:
        colours = ((channel, best[channel]) for channel in channels)
        return {
            channel: _colour_picture(network.architecture, channel, each, settings.size) for channel, each in colours
        }
    shown: dict[int, _Candidate] = {}
    remaining = sorted(channels)
    for number in range(settings.attempts):
        plans: dict[_Plan, list[int]] = {}
        for channel in remaining:
            plans.setdefault(_next_plan(number, shown.get(channel), best[channel], settings), []).append(channel)
        for plan, planned in plans.items():
            for batch in batches(network.architecture, layer, planned, settings.size):
                start = _start(layer, batch, plan, shown, best, settings, direction, squares)
                for candidate in _attempt(
                    network, layer, batch, plan, shown, start, best, settings, direction, advance
                ):
                    channel = candidate.visualization.channel
                    shown[channel] = _better(shown.get(channel), candidate, plan.continued)
        remaining = [channel for channel in remaining if not shown[channel].visualization.converged]
    return {channel: candidate.visualization for channel, candidate in shown.items()}


def _next_plan(number: int, before: _Candidate | None, best: PhotoBest, settings: Settings) -> _Plan:
    if before is None:
        return _Plan("channel", settings.seed, continued=False)
    picture = before.visualization
    if passes(picture.reached, best.value, picture.direction):
        return _Plan(picture.objective, picture.attempts[-1].seed, continued=True)
    return _Plan("channel" if number < 2 else "neuron", settings.seed + number, continued=False)


def batches(architecture: Architecture, layer: str, channels: Sequence[int], size: int) -> list[list[int]]:
    """Channels in groups whose ascent fits into the memory budget."""
    values = sum(
        architecture.side(spec.name, size) ** 2 * architecture.channels(spec.name) for spec in architecture.upto(layer)
    )
    width = max(1, min(WIDEST_BATCH, MEMORY_BUDGET_BYTES // (values * 4 * _COPIES)))
    return [list(channels[start : start + width]) for start in range(0, len(channels), width)]


def _attempt(
    network: Network,
    layer: str,
    channels: list[int],
    plan: _Plan,
    shown: Mapping[int, _Candidate],
    start: NDArray[np.float32],
    best: Mapping[int, PhotoBest],
    settings: Settings,
    direction: Direction,
    advance: Callable[[int], None],
) -> Iterator[_Candidate]:
    sign = 1.0 if direction == "positive" else -1.0
    columns = range(len(channels))
    objective = sign * objectives.OBJECTIVES[plan.objective](columns)
    probe = Probe(network, layer, channels, ascent_precision(settings.precision))
    # Another start gets twice the time of the first, and may use the whole range of colours.
    first = plan.seed == settings.seed
    steps = settings.steps if plan.continued or first else 2 * settings.steps
    decay = WEIGHT_DECAY if first else 0.0
    ascent = ascend(
        probe, start, objective, plan.seed, steps, settings.image, decay, settled=plan.continued, advance=advance
    )
    pre_activations = measure(network, layer, channels, ascent.images)
    for index, channel in enumerate(channels):
        own = pre_activations[index, :, :, index]
        reached = float(own.max() if direction == "positive" else own.min())
        trace = ascent.traces[index]
        if plan.continued:
            trace = np.concatenate([sign * shown[channel].visualization.trace, trace])
        slope = last_slope(trace)
        converged = passes(reached, best[channel].value, direction) and slope < FLAT_SLOPE
        visualization = Visualization(
            layer=layer,
            channel=channel,
            direction=direction,
            image=ascent.images[index],
            trace=np.asarray(sign * trace, np.float32),
            reached=reached,
            mean=float(own.mean()),
            photo_best=best[channel].value,
            photo_best_name=best[channel].photo,
            objective=plan.objective,
            attempts=(
                Attempt(plan.objective, plan.seed, plan.continued, settings.size, steps, reached, slope, converged),
            ),
            converged=converged,
        )
        yield _Candidate(visualization, ascent.spectra[index])


def _start(
    layer: str,
    channels: list[int],
    plan: _Plan,
    shown: Mapping[int, _Candidate],
    best: Mapping[int, PhotoBest],
    settings: Settings,
    direction: Direction,
    squares: Mapping[str, NDArray[np.float32]] | None,
) -> NDArray[np.float32]:
    """The spectra from which an attempt sets out."""
    if plan.continued:
        return np.stack([shown[channel].spectrum for channel in channels])
    if squares is not None:
        return np.stack([spectrum_of(squares[best[channel].photo]) for channel in channels])
    return noise([picture_key(layer, channel, direction) for channel in channels], plan.seed, settings.size)


def picture_key(layer: str, channel: int, direction: Direction) -> str:
    """The name from which a picture's noise is drawn."""
    return f"{layer}:{channel}" if direction == "positive" else f"{layer}:{channel}:{direction}"


def measure(
    network: Network, layer: str, channels: Iterable[int] | None, images: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """Pre-activations on finished pictures, in float32 and without transformations.

    Args:
        network: the network.
        layer: a conv layer.
        channels: which of its channels; all by default.
        images: (batch, size, size, 3) uint8.

    Returns:
        (batch, down, across, channels).
    """
    probe = Probe(network, layer, None if channels is None else list(channels))
    return probe.numpy(images.astype(np.float32) / 255.0)


def passes(reached: float, best: float, direction: Direction) -> bool:
    """Whether a picture drives the channel past the photo that drives it furthest in that direction."""
    return reached > best if direction == "positive" else reached < best


def _better(before: _Candidate | None, after: _Candidate, continued: bool) -> _Candidate:
    """The one to show, with the attempts of both: a converged or continued one, else the one that reached further."""
    if before is None:
        return after
    old, new = before.visualization, after.visualization
    further = passes(new.reached, old.reached, new.direction)
    chosen = after if new.converged or continued or further else before
    attempts = old.attempts + new.attempts
    return _Candidate(replace(chosen.visualization, attempts=attempts), chosen.spectrum)


def last_slope(trace: NDArray[np.float32]) -> float:
    """Rise per tenth of the steps at the trace's end, as a share of its whole rise: 0 is flat, 0.1 a straight line.

    The least-squares line through the last quarter, since the random transformations make single steps noisy.
    """
    tail = trace[-max(len(trace) // 4, 2) :].astype(np.float64)
    whole = tail.mean() - float(trace[0])
    if len(trace) < 2 or whole <= 0:
        return 1.0
    return float(np.polyfit(np.arange(len(tail)), tail, 1)[0] * len(trace) / 10 / whole)


def _colour_picture(architecture: Architecture, channel: int, best: PhotoBest, size: int) -> Visualization:
    """A colour of the image needs no search: its picture is that colour alone, its value known exactly."""
    colour = channel if architecture.channel_order == "rgb" else 2 - channel
    image = np.zeros((size, size, 3), np.uint8)
    image[..., colour] = 255
    reached = 255.0 - architecture.channel_mean[channel]
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
