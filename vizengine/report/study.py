"""From the study of a unit to what the page says of it."""

from __future__ import annotations

import io
from base64 import b64encode

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vizengine.featurevis.model import UnitStudy
from vizengine.report.figures import Picture
from vizengine.report.numbers import percent, significant
from vizengine.report.pictures import FURTHER_QUALITY, picture
from vizengine.report.study_parts import StudyReport, VariantPicture

# So many, however many were kept: the page's style moves the strip by so many steps.
FILM_FRAMES = 16
FILM_PIXELS = 80
FILM_QUALITY = 50


def study_report(study: UnitStudy, label: str, largest: int) -> StudyReport:
    """What the page says of further pictures of the unit.

    Args:
        study: the pictures and their figures.
        label: the unit's name on the page.
        largest: longest side in pixels that the page can make use of.
    """
    stability, negative = study.stability, study.negative
    reached = np.array(stability.reached)

    return StudyReport(
        negative=picture(negative.image, f"Synthetic image that inhibits unit {label} most", largest),
        negative_reached=significant(negative.reached),
        negative_photo=significant(negative.photo_best),
        negative_photo_name=negative.photo_best_name,
        negative_converged=negative.converged,
        seeds=tuple(
            VariantPicture(
                picture=picture(
                    image, f"Synthetic image that excites unit {label}, from seed {seed}", largest, FURTHER_QUALITY
                ),
                reached=significant(each),
                name=f"seed {seed}",
            )
            for image, seed, each in zip(stability.images, stability.seeds[1:], stability.reached[1:], strict=True)
        ),
        spread=percent(float(reached.std() / abs(reached.mean()))) if reached.mean() else None,
        likeness=significant(stability.likeness, 2),
        control=None if stability.control is None else significant(stability.control, 2),
        diverse=tuple(
            VariantPicture(
                picture=picture(
                    image, f"Synthetic image that excites unit {label} in another way", largest, FURTHER_QUALITY
                ),
                reached=significant(each),
                name=f"variant {number}",
            )
            for number, (image, each) in enumerate(
                zip(study.variants.images, study.variants.reached, strict=True), start=1
            )
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
    stream = io.BytesIO()
    strip.save(stream, "WEBP", quality=FILM_QUALITY, method=6)
    source = f"data:image/webp;base64,{b64encode(stream.getvalue()).decode()}"
    return Picture(source=source, width=strip.width, height=strip.height, alt=f"The picture of unit {label} forming")
