"""The strongest and weakest stimuli of the page."""

from __future__ import annotations

import numpy as np

from tests.page import example
from vizengine.measures.stimuli import Stimulus
from vizengine.measures.tuning import EXTREMES, describe, tuning_report


def test_the_extremes_are_one_of_each_family_and_the_page_says_so() -> None:
    tuning = example.evidence(example.circuit(), example.PHOTOS).tuning
    report = tuning_report(tuning)
    responses = tuning.responses[:, 0]

    def best(family: str, sign: int) -> Stimulus:
        members = [index for index, each in enumerate(tuning.stimuli) if each.family == family]
        return tuning.stimuli[max(members, key=lambda index: sign * responses[index])]

    families = dict.fromkeys(each.family for each in tuning.stimuli)
    for shown, sign in ((report.strongest, 1), (report.weakest, -1)):
        most = {describe(best(family, sign)) for family in families}
        assert len(shown) == min(EXTREMES, len(families))
        assert len({each.name for each in shown} & most) == len(shown)
    assert np.isfinite(responses).any()
