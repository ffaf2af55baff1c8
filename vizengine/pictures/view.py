"""What the page says of pictures: of a channel's, and of the further ones of the unit."""

from __future__ import annotations

import math
from itertools import count
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vizengine.figures.pictures import FURTHER_QUALITY, picture, webp
from vizengine.figures.quantities import Documented, Picture, Quantity, Trace, percent, significant, trace, whole
from vizengine.network.layers import INPUT
from vizengine.pictures.result import UnitStudy, Visualization

Verdict = Literal["converged", "not converged", "exact"]


class AttemptReport(Documented):
    """One gradient ascent that was made for a picture."""

    objective: str
    """`channel` (mean over positions) or `neuron` (centre position)."""
    seed: int
    """Seed of its noise and transformations."""
    continued: bool
    """Whether it went on from the attempt before."""
    size: Quantity
    """Side of the picture."""
    steps: Quantity
    """Steps taken."""
    reached: Quantity
    """Highest pre-activation at any position of the final picture, without transformations."""
    slope: Quantity
    """Rise per tenth of its steps at its end, as a share of the whole rise."""
    converged: bool
    """Whether this attempt satisfied the rule of the verdict."""


class Feature(Documented):
    """What a channel looks for: its picture and how far that picture can be trusted."""

    layer: str
    """Conv layer, or `input` for a colour of the image."""
    channel: int
    """Index in that layer."""
    label: str
    """`layer:channel`, or the colour's name."""
    picture: Picture
    """The image that excites the channel most, as far as the search found."""
    objective: str
    """`channel` (mean over positions), `neuron` (centre position), or empty where there was no search."""
    trace: Trace | None
    """The ascent, or null where there was no search."""
    reached: Quantity | None
    """Highest pre-activation at any position of the finished picture; null where there was no search."""
    mean: Quantity | None
    """Mean pre-activation over all positions of the picture, likewise."""
    photo_best: Quantity | None
    """Highest pre-activation at any position of any photo, or null where there are no photos."""
    photo_best_name: str
    """The photo that gives it, or empty."""
    ratio: Quantity | None
    """`reached` over `photo_best`; null where the latter is not above zero."""
    verdict: Verdict
    """`converged`, `not converged`, or `exact` for a picture that needs no search."""
    explanation: str
    """What the verdict means for this picture, in words."""
    attempts: tuple[AttemptReport, ...]
    """All ascents that were made, in order."""


class VariantPicture(Documented):
    """Another picture that excites the unit."""

    picture: Picture
    """The picture."""
    reached: Quantity
    """Highest pre-activation at any position of it."""
    name: str
    """What sets it apart, for example `seed 1`."""


class StudyReport(Documented):
    """Further pictures of the unit: its opposite, other seeds, other ways to excite it."""

    negative: Picture
    """The picture that the unit is most against."""
    negative_reached: Quantity
    """Lowest pre-activation at any position of it."""
    negative_photo: Quantity
    """Lowest pre-activation at any position of any photo."""
    negative_photo_name: str
    """The photo that gives it."""
    negative_converged: bool
    """Whether the picture is below the photo and its trace had become flat."""
    seeds: tuple[VariantPicture, ...]
    """Pictures from other seeds."""
    spread: Quantity | None
    """Standard deviation of what the seeds' pictures reach, over its mean, in percent; null where the mean is 0."""
    likeness: Quantity
    """Mean cosine between the seeds' pictures in the layer's own mean activations, 0 to 1."""
    control: Quantity | None
    """The same between the unit's picture and those of other units; null where the config names none."""
    diverse: tuple[VariantPicture, ...]
    """Pictures that excite the unit and were pushed apart."""
    film: Picture | None
    """The unit's picture as it formed, 16 frames side by side from the left; null unless the config asks for it."""


def feature(visualization: Visualization, label: str, role: str, largest: int) -> Feature:
    """What the page says of a channel's picture.

    Args:
        visualization: the picture and how it came about.
        label: the channel's name on the page.
        role: what the channel is in the circuit, for the alt text: `unit`, `input channel`, `sibling unit`.
        largest: longest side in pixels that the page can make use of.
    """
    channel, image, photo = visualization.channel, visualization.image, visualization.photo_best_name
    if visualization.layer == INPUT:
        return Feature(
            layer=INPUT,
            channel=channel,
            label=label,
            picture=picture(image, f"The colour {label}, an input of the network", largest),
            objective="",
            trace=None,
            reached=None,
            mean=None,
            photo_best=None,
            photo_best_name="",
            ratio=None,
            verdict="exact",
            explanation="A colour of the image itself: there is nothing to search for.",
            attempts=(),
        )
    verdict: Verdict = "converged" if visualization.converged else "not converged"
    doubt = "" if visualization.converged else ", from a search that did not converge"
    reached = significant(visualization.reached)
    photo_best = significant(visualization.photo_best) if photo else None
    ratio = significant(reached.value / photo_best.value, 2, "×") if photo_best and photo_best.value > 0 else None
    return Feature(
        layer=visualization.layer,
        channel=channel,
        label=label,
        picture=picture(image, f"Synthetic image that excites {role} {label}{doubt}", largest),
        objective=visualization.objective,
        trace=trace(visualization.trace),
        reached=reached,
        mean=significant(visualization.mean),
        photo_best=photo_best,
        photo_best_name=photo,
        ratio=ratio,
        verdict=verdict,
        explanation=_explanation(verdict, reached, photo_best, photo, ratio),
        attempts=tuple(
            AttemptReport(
                objective=attempt.objective,
                seed=attempt.seed,
                continued=attempt.continued,
                size=whole(attempt.size, "px"),
                steps=whole(attempt.steps),
                reached=significant(attempt.reached),
                # No slope can be told where the trace never rose; the ascent counts it as all of the rise.
                slope=percent(attempt.slope if math.isfinite(attempt.slope) else 1.0),
                converged=attempt.converged,
            )
            for attempt in visualization.attempts
        ),
    )


def _explanation(
    verdict: Verdict, reached: Quantity, photo_best: Quantity | None, photo_name: str, ratio: Quantity | None
) -> str:
    if photo_best is None:
        photo = "There was no photo to compare with."
    else:
        photo = f"Best photo patch: {photo_best.text}, in {photo_name}{f' (ratio {ratio.shown})' if ratio else ''}."
    if photo_best is not None and reached.value <= photo_best.value:
        advice = "The image misses what excites this channel most: don't read much into it."
    elif verdict == "converged":
        advice = "The search had stopped rising: this is one image that drives the channel, and there may be others."
    else:
        advice = "The search was still rising when it ended: read the image as a draft."
    return f"Optimised image: {reached.text}. {photo} {advice}"


# So many, however many were kept: the page's style moves the strip by so many steps.
FILM_FRAMES = 16
FILM_PIXELS = 80
FILM_QUALITY = 50


def study_report(study: UnitStudy, label: str, largest: int) -> StudyReport:
    """What the page says of further pictures of the unit `label`, whose longest side is `largest` pixels or less."""
    stability, negative = study.stability, study.negative
    reached = np.array(stability.reached)

    def variant(image: NDArray[np.uint8], how: str, highest: float, name: str) -> VariantPicture:
        alt = f"Synthetic image that excites unit {label}{how}"
        further = picture(image, alt, largest, FURTHER_QUALITY)
        return VariantPicture(picture=further, reached=significant(highest), name=name)

    return StudyReport(
        negative=picture(negative.image, f"Synthetic image that inhibits unit {label} most", largest),
        negative_reached=significant(negative.reached),
        negative_photo=significant(negative.photo_best),
        negative_photo_name=negative.photo_best_name,
        negative_converged=negative.converged,
        seeds=tuple(
            variant(image, f", from seed {seed}", highest, f"seed {seed}")
            for image, seed, highest in zip(stability.images, stability.seeds[1:], stability.reached[1:], strict=True)
        ),
        spread=percent(float(reached.std() / abs(reached.mean()))) if reached.mean() else None,
        likeness=significant(stability.likeness, 2),
        control=None if stability.control is None else significant(stability.control, 2),
        diverse=tuple(
            variant(image, " in another way", highest, f"variant {number}")
            for number, image, highest in zip(count(1), study.variants.images, study.variants.reached, strict=False)
        ),
        film=_film(study.film.frames, label) if study.film else None,
    )


def _film(frames: NDArray[np.uint8], label: str) -> Picture:
    """The frames side by side, from noise on the left: the page's style moves them, and can stop."""
    side = min(frames.shape[1], FILM_PIXELS)
    strip = Image.new("RGB", (FILM_FRAMES * side, side))
    for place, index in enumerate(np.linspace(0, len(frames) - 1, FILM_FRAMES).round().astype(int)):
        frame = Image.fromarray(frames[index]).resize((side, side), Image.Resampling.LANCZOS)
        strip.paste(frame, (place * side, 0))
    return webp(strip, f"The picture of unit {label} forming", quality=FILM_QUALITY, method=6)
