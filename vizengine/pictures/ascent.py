"""Gradient ascent: its arithmetic, how many pictures fit into memory, and its steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vizengine.network.architecture import Architecture
from vizengine.network.model import seen
from vizengine.pictures.objectives import Objective
from vizengine.pictures.spectrum import IMAGES, derive_seed, transform
from vizengine.runtime import tensorflow as tf

_PROCESSOR_FLAGS = frozenset(("avx512_bf16", "amx_bf16"))
_FIRST_GPU_WITH_BFLOAT16 = (8, 0)


def ascent_precision(setting: str) -> str:
    """`bfloat16` where the config's `precision` is `auto` and the hardware has it; else `float32`."""
    return "bfloat16" if setting == "auto" and _hardware_has_bfloat16() else "float32"


def _hardware_has_bfloat16() -> bool:
    """Whether every GPU that TensorFlow sees, or without one the processor, multiplies bfloat16 natively."""
    devices = tf.config.list_physical_devices("GPU")
    if devices:
        details = [tf.config.experimental.get_device_details(device) for device in devices]
        return all(detail.get("compute_capability", (0, 0)) >= _FIRST_GPU_WITH_BFLOAT16 for detail in details)
    information = Path("/proc/cpuinfo")
    if not information.is_file():
        return False
    flags = next((line for line in information.read_text().splitlines() if line.startswith("flags")), "")
    return bool(_PROCESSOR_FLAGS & set(flags.split()))


MEMORY_BUDGET_BYTES = 600_000_000
# Wider ones save little time, and leave less to share out among processes.
WIDEST_BATCH = 32
# Forward activations, their gradients, and what the convolutions need besides.
_COPIES = 4


def batches(architecture: Architecture, layer: str, channels: Sequence[int], size: int) -> list[list[int]]:
    """Channels of a layer in groups whose ascent at `size` pixels fits into the memory budget."""
    width = widest(architecture, layer, size)
    return [list(channels[start : start + width]) for start in range(0, len(channels), width)]


def widest(architecture: Architecture, layer: str, size: int) -> int:
    """How many pictures of a layer may be made together."""
    return max(1, min(WIDEST_BATCH, MEMORY_BUDGET_BYTES // bytes_of_one(architecture, layer, size)))


def bytes_of_one(architecture: Architecture, layer: str, size: int) -> int:
    """Memory that one more picture in a batch of an ascent takes, about."""
    values = sum(
        architecture.side(spec.name, size, 0) * architecture.side(spec.name, size, 1) * architecture.channels(spec.name)
        for spec in architecture.upto(layer)
    )
    return values * 4 * _COPIES


# Adam (Kingma and Ba, 2015): its steps don't depend on the gradient's scale, so one rate suits every network. Its
# moments are short and its momentum is Nesterov's (Dozat, 2016), since an ascent has less than a hundred steps; the
# two parts of a wave share a second moment, so that its phase turns towards the gradient and not along the axes.
# On VGG19 block3_conv2, 64 such steps go as far as 96 of plain Adam at its best rate.
LEARNING_RATE = 0.6
LAST_LEARNING_RATE = 0.03
FIRST_MOMENT = 0.75
SECOND_MOMENT = 0.92
EPSILON = 1e-8
# Decoupled weight decay (Loshchilov and Hutter, 2019), per unit of learning rate. It shrinks waves that no gradient
# holds up: at next to the same activation, less than half as many pixels end up black or at full colour.
WEIGHT_DECAY = 0.08
# Steps become smaller from this share of them on. Scaling and rotation fade out between the two others: the trace's
# last quarter, on which the verdict rests, sees shifts alone. They stay to the end: without them, deep units are
# driven far by patterns that no eye can read.
SMALLER_FROM = 0.4
FADE_FROM, FADE_TO = 0.3, 0.6


@dataclass(frozen=True)
class Ascent:
    """What one ascent gave.

    Attributes:
        images: (batch, size, size, 3) uint8, RGB.
        traces: (batch, steps) float32, the objective at each step under that step's transformation.
        spectra: (batch, 3, size, size // 2 + 1, 2) float32, from which it can go on.
        frames: (frames, size, size, 3) uint8, the first picture as it formed; none unless asked for.
    """

    images: NDArray[np.uint8]
    traces: NDArray[np.float32]
    spectra: NDArray[np.float32]
    frames: NDArray[np.uint8]


def ascend(
    probe: Callable[[tf.Tensor], tf.Tensor],
    start: NDArray[np.float32],
    objective: Objective,
    seed: int,
    steps: int,
    image: str = "fourier",
    weight_decay: float = WEIGHT_DECAY,
    settled: bool = False,
    frames: int = 0,
    channel_order: str = "rgb",
    advance: Callable[[int], None] = lambda count: None,
) -> Ascent:
    """Raise `objective` from the pictures of `start`.

    Args:
        probe: from pictures (batch, size, size, 3) to pre-activations (batch, down, across, channels), in the
            precision of the ascent.
        start: (batch, 3, size, size // 2 + 1, 2) spectra.
        objective: one number per picture.
        seed: of the transformations.
        steps: how many.
        image: how spectra become pictures, a key of `IMAGES`.
        weight_decay: per unit of learning rate; 0 lets waves grow until the picture is black and full colours.
        settled: whether `start` has an ascent behind it, so that only its last, gentle part is taken again.
        frames: how many pictures of the first one's forming to keep.
        channel_order: the network's; pictures for one that sees grey are grey.
        advance: called after each step with the number of pictures.
    """
    size, to_images = start.shape[2], IMAGES[image]
    spectra = tf.Variable(start)
    first, second = tf.Variable(tf.zeros_like(spectra)), tf.Variable(tf.zeros_like(spectra[..., :1]))
    transform_seed = derive_seed("transform", seed)

    @tf.function
    def step(index: tf.Tensor, rate: tf.Tensor, strength: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(spectra)
            images = transform(to_images(spectra, size), transform_seed, index, strength, objective.shift_pixels)
            values = objective(probe(images))
        gradient = tape.gradient(values, spectra)
        count = tf.cast(index + 1, tf.float32)
        first.assign(FIRST_MOMENT * first + (1 - FIRST_MOMENT) * gradient)
        power = tf.reduce_mean(tf.square(gradient), -1, keepdims=True)
        second.assign(SECOND_MOMENT * second + (1 - SECOND_MOMENT) * power)
        ahead = (FIRST_MOMENT * first + (1 - FIRST_MOMENT) * gradient) / (1 - FIRST_MOMENT**count)
        direction = ahead / (tf.sqrt(second / (1 - SECOND_MOMENT**count)) + EPSILON)
        spectra.assign((1.0 - rate * weight_decay) * spectra + rate * direction)
        return values

    traces, film = [], []
    filmed = set(np.linspace(0, 1, frames) ** 2 * (steps - 1) // 1) if frames else set()
    for index in range(steps):
        if index in filmed:
            film.append(_pixels(to_images(spectra[:1], size), channel_order)[0])
        rate, strength = schedule(index, steps, settled)
        traces.append(step(tf.constant(index), tf.constant(rate), tf.constant(strength)).numpy())
        advance(len(start))
    images = _pixels(to_images(spectra, size), channel_order)
    film += [images[0]] if frames else []
    return Ascent(
        images,
        np.stack(traces, axis=1),
        spectra.numpy(),
        np.stack(film) if film else np.zeros((0, size, size, 3), np.uint8),
    )


def schedule(index: int, steps: int, settled: bool = False) -> tuple[float, float]:
    """Learning rate and strength of scaling and rotation at step `index` of `steps`."""
    done = index / max(steps - 1, 1)
    if settled:
        done = FADE_TO + done * (1.0 - FADE_TO)
    rate = LAST_LEARNING_RATE + (LEARNING_RATE - LAST_LEARNING_RATE) * _fading(done, SMALLER_FROM, 1.0)
    return rate, _fading(done, FADE_FROM, FADE_TO)


def _fading(done: float, start: float, end: float) -> float:
    return min(max((end - done) / (end - start), 0.0), 1.0)


def _pixels(images: tf.Tensor, channel_order: str) -> NDArray[np.uint8]:
    return (seen(images, channel_order) * 255).round().astype(np.uint8)
