"""Feature visualizations of groups of input channels: pictures of a direction in what a layer reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from vizengine.featurevis import objectives
from vizengine.featurevis.ascent import ascend, noise
from vizengine.featurevis.model import Attempt, PhotoBest, Settings, Visualization
from vizengine.featurevis.precision import ascent_precision
from vizengine.featurevis.visualize import FLAT_SLOPE, last_slope, passes
from vizengine.networks.network import Network
from vizengine.networks.probe import GroupProbe


def visualize_groups(
    network: Network,
    layer: str,
    weights: NDArray[np.floating],
    best: Sequence[PhotoBest],
    settings: Settings,
    advance: Callable[[int], None] = lambda count: None,
) -> tuple[Visualization, ...]:
    """Pictures that drive groups of a layer's input channels, each made again from another seed until it converges.

    Args:
        network: the network.
        layer: the conv layer that reads the channels.
        weights: (inputs, groups), the direction of each group: its value at a position is `activations @ weights`.
        best: highest value of each group at any position of any photo.
        settings: how.
        advance: called with 1 after each step of each batch.

    Returns:
        one for each group; its `layer` is `layer` and its `channel` the group's place, `reached` and the like are
        the group's value.
    """
    shown: dict[int, Visualization] = {}
    remaining = list(range(weights.shape[1]))
    for number in range(settings.attempts):
        if not remaining:
            break
        for made in _attempt(network, layer, weights, remaining, best, settings, settings.seed + number, advance):
            before = shown.get(made.channel)
            better = before is None or made.converged or made.reached > before.reached
            attempts = (*(before.attempts if before else ()), *made.attempts)
            shown[made.channel] = replace(made if better or before is None else before, attempts=attempts)
        remaining = [group for group in remaining if not shown[group].converged]
    return tuple(shown[group] for group in sorted(shown))


def _attempt(
    network: Network,
    layer: str,
    weights: NDArray[np.floating],
    groups: Sequence[int],
    best: Sequence[PhotoBest],
    settings: Settings,
    seed: int,
    advance: Callable[[int], None],
) -> list[Visualization]:
    chosen = weights[:, groups]
    start = noise([f"{layer}:group:{group}" for group in groups], seed, settings.size)
    probe = GroupProbe(network, layer, chosen, ascent_precision(settings.precision))
    objective = objectives.channel(range(len(groups)))
    ascent = ascend(probe, start, objective, seed, settings.steps, settings.image, advance=advance)
    exact = GroupProbe(network, layer, chosen)
    made = []
    for index, group in enumerate(groups):
        pixels = ascent.images[index].astype(np.float32)[None] / 255.0
        values = exact(tf.constant(pixels)).numpy()[0, :, :, index]
        reached, slope = float(values.max()), last_slope(ascent.traces[index])
        converged = passes(reached, best[group].value, "positive") and slope < FLAT_SLOPE
        attempt = Attempt("direction", seed, False, settings.size, settings.steps, reached, slope, converged)
        made.append(
            Visualization(
                layer=layer,
                channel=group,
                direction="positive",
                image=ascent.images[index],
                trace=ascent.traces[index],
                reached=reached,
                mean=float(values.mean()),
                photo_best=best[group].value,
                photo_best_name=best[group].photo,
                objective="direction",
                attempts=(attempt,),
                converged=converged,
            )
        )
    return made
