"""Which attempt comes next, and which is shown."""

from __future__ import annotations

import numpy as np

from vizengine.pictures.result import Attempt, PhotoBest, Settings, Visualization
from vizengine.pictures.search import Candidate, better, next_plan

SETTINGS = Settings(size=32, steps=10, seed=5, attempts=4, precision="float32")
BEST = PhotoBest(100.0, "photo")


def _candidate(reached: float, seed: int, continued: bool = False, converged: bool = False) -> Candidate:
    attempt = Attempt("channel", seed, continued, 32, 10, reached, 0.2, converged)
    image, trace = np.zeros((32, 32, 3), np.uint8), np.zeros(10, np.float32)
    picture = Visualization(
        "layer", 0, "positive", image, trace, reached, 0.0, 100.0, "photo", "channel", (attempt,), converged
    )
    return Candidate(picture, np.full(1, reached, np.float32))


def test_what_passed_the_photo_goes_on_and_what_did_not_is_made_again() -> None:
    passed = next_plan(1, _candidate(120.0, 5), BEST, SETTINGS)
    assert (passed.continued, passed.seed, passed.steps) == (True, 5, 10)
    second, third = (next_plan(number, _candidate(90.0, 5), BEST, SETTINGS) for number in (1, 2))
    assert (second.continued, second.seed, second.objective, second.steps) == (False, 6, "channel", 20)
    assert (third.continued, third.seed, third.objective) == (False, 7, "neuron")


def test_a_continuation_that_falls_back_is_not_shown_nor_tried_again() -> None:
    first = _candidate(120.0, 5)
    best = better(first, _candidate(95.0, 5, continued=True), continued=True)
    assert best.visualization.reached == 120.0 and best.spectrum[0] == 120.0
    assert [attempt.reached for attempt in best.visualization.attempts] == [120.0, 95.0]
    plan = next_plan(2, best, BEST, SETTINGS)
    assert (plan.continued, plan.seed, plan.objective) == (False, 7, "neuron")
    # What does better is continued again.
    renewed = better(best, _candidate(130.0, 7), continued=False)
    assert next_plan(3, renewed, BEST, SETTINGS).seed == 7


def test_a_converged_attempt_is_shown_though_another_went_further() -> None:
    best = better(_candidate(120.0, 5), _candidate(115.0, 5, continued=True, converged=True), continued=True)
    assert best.visualization.reached == 115.0 and best.visualization.converged
