"""Claims and their verdicts in words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import assert_never

from vizengine.circuit.model import Circuit
from vizengine.evidence.claim_model import (
    Claim,
    Drives,
    InvariantTo,
    Polysemantic,
    Prefers,
    StimulusSet,
    Sufficient,
)
from vizengine.evidence.claims import Checked, find_input
from vizengine.report.evidence_parts import ClaimReport, ClaimsTally
from vizengine.report.numbers import fixed, whole

PLACES = 3


def claim_report(checked: Checked, circuit: Circuit) -> ClaimReport:
    """A claim with its figures."""

    return ClaimReport(
        words=_words(checked.claim, circuit),
        finding=checked.verdict,
        value=fixed(checked.value, PLACES) if math.isfinite(checked.value) else None,
        low=fixed(checked.low, PLACES) if math.isfinite(checked.low) else None,
        high=fixed(checked.high, PLACES) if math.isfinite(checked.high) else None,
        threshold=fixed(checked.threshold, PLACES),
        above=checked.above,
        measure=checked.measure,
        control=fixed(checked.control, PLACES) if math.isfinite(checked.control) else None,
        control_of=checked.control_of,
        sample=whole(checked.sample),
        sample_of=checked.sample_of,
    )


def claims_tally(claims: Sequence[Checked]) -> ClaimsTally | None:
    """How many claims came out in which way; None where there are none."""
    counts = Counter(each.verdict for each in claims)
    if not claims:
        return None
    return ClaimsTally(
        claims=whole(len(claims)),
        supported=whole(counts["supported"]),
        contradicted=whole(counts["contradicted"]),
        undecided=whole(counts["undecided"]),
    )


def _words(claim: Claim, circuit: Circuit) -> str:
    match claim:
        case Drives():
            return f"{circuit.inputs[find_input(circuit, claim.input)].label} {claim.effect} the unit"
        case Prefers():
            return f"It prefers {_stimuli(claim.preferred)} to {_stimuli(claim.over)}"
        case InvariantTo():
            return f"It is invariant to {claim.change}"
        case Polysemantic():
            return "It is polysemantic" if claim.expected else "It is not polysemantic"
        case Sufficient():
            return f"Its {claim.inputs} strongest inputs are enough for a correlation of {claim.correlation:g}"
        case _:
            assert_never(claim)


def _stimuli(given: StimulusSet) -> str:
    plural = {"uniform": "plain colours", "blur": "blurred disks", "position": "shifted disks", "scale": "scaled bars"}
    words = [given.polarity, plural.get(given.family, f"{given.family}s")]
    bounds = [
        f"{each.name} {each.low:g}" + ("" if each.low == each.high else f" to {each.high:g}") for each in given.ranges
    ]
    return " ".join(filter(None, words)) + (f" ({', '.join(bounds)})" if bounds else "")
