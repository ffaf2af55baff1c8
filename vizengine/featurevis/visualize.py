"""Feature visualizations of a layer's channels: in batches, tried again where they don't converge, with a verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vizengine.featurevis.ascent import ascend
from vizengine.featurevis.model import Attempt, Visualization
from vizengine.featurevis.objectives import OBJECTIVES
from vizengine.featurevis.precision import ascent_precision
from vizengine.networks.architecture import INPUT, Architecture
from vizengine.networks.network import Network
from vizengine.networks.probe import Probe

FLAT_SLOPE = 0.05
MEMORY_BUDGET_BYTES = 600_000_000
# Forward activations, their gradients, and what the convolutions need besides.
_COPIES = 4


@dataclass(frozen=True)
class PhotoBest:
    """The highest pre-activation of a channel at any position of any photo, and that photo's name."""

    value: float
    photo: str


@dataclass(frozen=True)
class Settings:
    """How pictures are made; the config's section `visualization`.

    Attributes:
        size: side in pixels.
        steps: steps of the first attempt.
        seed: from which all draws derive.
        attempts: how often a picture that doesn't converge is tried, at least 1.
        precision: `auto` or `float32`.
    """

    size: int
    steps: int
    seed: int
    attempts: int
    precision: str


def visualize(
    network: Network,
    layer: str,
    channels: Sequence[int],
    best: Mapping[int, PhotoBest],
    settings: Settings,
    advance: Callable[[int], None] = lambda count: None,
) -> dict[int, Visualization]:
    """Pictures of what channels of one layer look for.

    Args:
        network: the network.
        layer: a conv layer, or `input`, whose channels have exact pictures.
        channels: which; each once.
        best: photo-best of each channel.
        settings: how.
        advance: called with 1 after each step of each batch.

    Returns:
        channel to its visualization.
    """
    if layer == INPUT:
        return {
            channel: _colour_picture(network.architecture, channel, best[channel], settings.size)
            for channel in channels
        }
    shown: dict[int, Visualization] = {}
    open_channels = sorted(channels)
    for number in range(settings.attempts):
        attempt_objective, steps = _plan(number, settings)
        for batch in _batches(network.architecture, layer, open_channels, settings.size):
            made = _attempt(
                network, layer, batch, best, settings, attempt_objective, settings.seed + number, steps, advance
            )
            for channel, visualization in made.items():
                shown[channel] = _merge(shown.get(channel), visualization)
        open_channels = [channel for channel in open_channels if not shown[channel].converged]
        if not open_channels:
            break
    return shown


def _plan(number: int, settings: Settings) -> tuple[str, int]:
    """Objective and steps of attempt `number`: again with another seed and twice the steps, then one position alone."""
    return ("channel" if number < 2 else "neuron"), settings.steps * (1 if number == 0 else 2)


def _batches(architecture: Architecture, layer: str, channels: Sequence[int], size: int) -> list[list[int]]:
    values = sum(
        architecture.side(spec.name, size) ** 2 * architecture.channels(spec.name) for spec in architecture.upto(layer)
    )
    width = max(1, min(16, MEMORY_BUDGET_BYTES // (values * 4 * _COPIES)))
    return [list(channels[start : start + width]) for start in range(0, len(channels), width)]


def _attempt(
    network: Network,
    layer: str,
    channels: list[int],
    best: Mapping[int, PhotoBest],
    settings: Settings,
    objective_name: str,
    seed: int,
    steps: int,
    advance: Callable[[int], None],
) -> dict[int, Visualization]:
    objective = OBJECTIVES[objective_name]()
    probe = Probe(network, layer, channels, ascent_precision(settings.precision))
    ascent = ascend(
        probe, [f"{layer}:{channel}" for channel in channels], objective, seed, settings.size, steps, advance
    )
    exact = Probe(network, layer, channels)
    pre_activations = exact.numpy(ascent.images.astype(np.float32) / 255.0)
    made = {}
    for index, channel in enumerate(channels):
        own = pre_activations[index, :, :, index]
        reached = float(own.max())
        slope = last_slope(ascent.traces[index])
        converged = reached > best[channel].value and slope < FLAT_SLOPE
        made[channel] = Visualization(
            layer=layer,
            channel=channel,
            image=ascent.images[index],
            trace=ascent.traces[index],
            reached=reached,
            mean=float(own.mean()),
            photo_best=best[channel].value,
            photo_best_name=best[channel].photo,
            objective=objective_name,
            attempts=(Attempt(objective_name, seed, settings.size, steps, reached, slope, converged),),
            converged=converged,
        )
    return made


def _merge(before: Visualization | None, after: Visualization) -> Visualization:
    """The one to show, with the attempts of both: the converged one, else the one that reached further."""
    if before is None:
        return after
    chosen = after if after.converged or after.reached > before.reached else before
    return Visualization(**{**vars(chosen), "attempts": before.attempts + after.attempts})


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
