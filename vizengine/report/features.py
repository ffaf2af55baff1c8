"""From a visualization to what the page says of it: figures, verdict, words."""

from __future__ import annotations

import math

from vizengine.featurevis.model import Attempt, Visualization
from vizengine.report.figures import Quantity
from vizengine.report.numbers import percent, significant, whole
from vizengine.report.parts import AttemptReport, Feature, Verdict
from vizengine.report.pictures import picture
from vizengine.report.plots import trace

INPUT = "input"


def feature(visualization: Visualization, label: str, role: str, largest: int) -> Feature:
    """What the page says of a channel's picture.

    Args:
        visualization: the picture and how it came about.
        label: the channel's name on the page.
        role: what the channel is in the circuit, for the alt text: `unit`, `input channel`, `sibling unit`.
        largest: longest side in pixels that the page can make use of.
    """
    verdict: Verdict = "converged" if visualization.converged else "not converged"
    if visualization.layer == INPUT:
        return Feature(
            layer=INPUT,
            channel=visualization.channel,
            label=label,
            picture=picture(visualization.image, f"The colour {label}, an input of the network", largest),
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
    reached = significant(visualization.reached)
    photo_best = significant(visualization.photo_best) if visualization.photo_best_name else None
    ratio = significant(reached.value / photo_best.value, 2, "×") if photo_best and photo_best.value > 0 else None
    doubt = "" if visualization.converged else ", from a search that did not converge"
    return Feature(
        layer=visualization.layer,
        channel=visualization.channel,
        label=label,
        picture=picture(visualization.image, f"Synthetic image that excites {role} {label}{doubt}", largest),
        objective=visualization.objective,
        trace=trace(visualization.trace),
        reached=reached,
        mean=significant(visualization.mean),
        photo_best=photo_best,
        photo_best_name=visualization.photo_best_name,
        ratio=ratio,
        verdict=verdict,
        explanation=_explanation(verdict, reached, photo_best, visualization.photo_best_name, ratio),
        attempts=tuple(_attempt(each) for each in visualization.attempts),
    )


def _attempt(attempt: Attempt) -> AttemptReport:
    return AttemptReport(
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


def _explanation(
    verdict: Verdict, reached: Quantity, photo_best: Quantity | None, photo_name: str, ratio: Quantity | None
) -> str:
    raised = f"The search raised the pre-activation to {reached.text}"
    if photo_best is None:
        comparison = "; there was no photo to compare with"
    elif reached.value <= photo_best.value:
        return (
            f"{raised}, yet one place in a photo ({photo_name}) reaches {photo_best.text}. "
            "The picture misses what excites this channel most: don't read much into it."
        )
    elif ratio is None:
        comparison = f", above the most of any place in any photo ({photo_best.text}, in {photo_name})"
    else:
        comparison = f", {ratio.text} times the most of any place in any photo ({photo_best.text}, in {photo_name})"
    if verdict == "converged":
        return f"{raised}{comparison}, and had stopped rising: the picture can be read as what the channel looks for."
    return f"{raised}{comparison}, but was still rising when the search ended: read the picture as a draft."
