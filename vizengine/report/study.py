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

FRAME_MILLISECONDS = 80
LAST_FRAME_MILLISECONDS = 1500
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

    def further(image: NDArray[np.uint8], words: str) -> Picture:
        return picture(image, words, largest, FURTHER_QUALITY)

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
        spread=percent(float(reached.std() / abs(reached.mean()))),
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
    side = min(frames.shape[1], FILM_PIXELS)
    size = (side, side)
    first, *others = [Image.fromarray(frame).resize(size, Image.Resampling.LANCZOS) for frame in frames]
    durations = [FRAME_MILLISECONDS] * len(others) + [LAST_FRAME_MILLISECONDS]
    stream = io.BytesIO()
    first.save(
        stream, "WEBP", save_all=True, append_images=others, duration=durations, loop=0, quality=FILM_QUALITY, method=6
    )
    source = f"data:image/webp;base64,{b64encode(stream.getvalue()).decode()}"
    return Picture(source=source, width=first.width, height=first.height, alt=f"The picture of unit {label} forming")
