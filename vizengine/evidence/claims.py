"""Claims that a hypothesis makes, checked against the measurements: supported, contradicted or undecided.

One rule for all: a measured value has a 95 % interval. A claim is supported where the whole interval is on the claimed
side of the threshold, contradicted where the whole interval is on the other side, else undecided.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vizengine.circuit.model import Circuit
from vizengine.evidence.ablation import NEGLIGIBLE, Verdict
from vizengine.evidence.claim_model import Claim, Drives, InvariantTo, Polysemantic, Prefers, Sufficient
from vizengine.evidence.intervals import area_under_curve, estimate
from vizengine.evidence.results import Evidence

PREFERENCE = 0.7
INVARIANCE = 0.5


@dataclass(frozen=True)
class Checked:
    """A claim and what the measurement says of it.

    Attributes:
        claim: what was claimed.
        verdict: by the module's rule.
        value: what was measured; not a number where it couldn't be.
        low, high: its 95 % interval.
        threshold: what the value is held against.
        above: whether the claim is that the value is above the threshold.
        measure: what the value is, with its unit.
        control: what the same measure gives for the control; not a number where there is none.
        control_of: what the control is; empty where there is none.
        sample: size of the sample.
        sample_of: what it consists of.
    """

    claim: Claim
    verdict: Verdict
    value: float
    low: float
    high: float
    threshold: float
    above: bool
    measure: str
    control: float
    control_of: str
    sample: int
    sample_of: str


def check(claims: Sequence[Claim], circuit: Circuit, evidence: Evidence) -> tuple[Checked, ...]:
    """Hold each claim against the measurements.

    Args:
        claims: in the config's order.
        circuit: the unit.
        evidence: what was measured of it.

    Raises:
        ValueError: a claim names an input that the unit doesn't have, or more inputs than it has.
    """
    return tuple(_CHECKS[type(claim)](claim, circuit, evidence) for claim in claims)


def verdict(low: float, high: float, threshold: float, above: bool) -> Verdict:
    """The module's rule; ends that aren't numbers leave a claim undecided."""
    if not above:
        low, high, threshold = -high, -low, -threshold
    if low >= threshold:
        return "supported"
    return "contradicted" if high < threshold else "undecided"


def find_input(circuit: Circuit, name: int | str) -> int:
    """Index on the kernel's input axis of an input given by that index or by its label.

    Raises:
        ValueError: there is none.
    """
    for channel in circuit.inputs:
        if name in (channel.index, channel.label):
            return channel.index
    raise ValueError(
        f"unit {circuit.layer}:{circuit.unit} has no input {name!r}; expected 0 to {len(circuit.inputs) - 1} "
        f"or a label like {circuit.inputs[0].label!r}"
    )


def _drives(claim: Drives, circuit: Circuit, evidence: Evidence) -> Checked:
    """By the mean contribution on top examples, which is how far the unit falls there without the input.

    An inhibitor is often silent where the unit fires most. Where it is, which is where its whole interval lies within
    `NEGLIGIBLE` of the drive, it's judged over all photos instead, in standard deviations of the unit.
    """
    index = find_input(circuit, claim.input)
    given = evidence.contributions
    drive = float(given.mean.sum())
    scale = abs(drive) or math.nan
    found = estimate(given.parts[:, index])
    value, low, high = found.mean / scale, found.low / scale, found.high / scale
    above = claim.effect == "excites"
    threshold = NEGLIGIBLE if above else -NEGLIGIBLE
    control = estimate(np.array([-each.to_zero.examples.mean for each in evidence.ablations.control])).mean / scale
    control_of = (
        f"mean of {len(evidence.ablations.control)} random inputs of like norm" if evidence.ablations.control else ""
    )
    measure, sample, sample_of = "mean contribution as a share of the drive", found.count, "top examples"
    if not above and low > -NEGLIGIBLE and high < NEGLIGIBLE:
        scale = evidence.examples.distribution.deviation or math.nan
        value, low, high = (
            float(each[index]) / scale for each in (given.photo_mean, given.photo_low, given.photo_high)
        )
        controls = [each.channels[0] for each in evidence.ablations.control]
        control = float(given.photo_mean[controls].mean()) / scale if controls else math.nan
        measure = "mean contribution in standard deviations of the unit, since the input is silent on the top examples"
        sample, sample_of = evidence.examples.photos, "photos"
    return Checked(
        claim,
        verdict(low, high, threshold, above),
        value,
        low,
        high,
        threshold,
        above,
        measure,
        control,
        control_of,
        sample,
        sample_of,
    )


def _prefers(claim: Prefers, circuit: Circuit, evidence: Evidence) -> Checked:
    """By the area under the ROC curve of the unit's responses to both sets of stimuli."""
    responses = evidence.tuning.responses[:, 0].astype(np.float64)
    sets = [
        np.array([wanted.holds(each) for each in evidence.tuning.stimuli]) for wanted in (claim.preferred, claim.over)
    ]
    first, second = (responses[chosen & ~np.isnan(responses)] for chosen in sets)
    value, low, high = math.nan, 0.0, 1.0
    if len(first) and len(second):
        value, low, high = area_under_curve(first, second)
    return Checked(
        claim,
        verdict(low, high, PREFERENCE, True),
        value,
        low,
        high,
        PREFERENCE,
        True,
        "area under the ROC curve",
        0.5,
        "chance",
        len(first) + len(second),
        f"drawn stimuli: {len(first)} against {len(second)}",
    )


def _invariant(claim: InvariantTo, circuit: Circuit, evidence: Evidence) -> Checked:
    """By the invariance index of the unit's own top patches."""
    own = [index for index in evidence.tuning.indices if index.name == f"{claim.change} invariance"]
    found = own[0].value
    inputs = estimate(np.array([index.value.mean for index in own[1:]]))
    return Checked(
        claim,
        verdict(found.low, found.high, INVARIANCE, True),
        found.mean,
        found.low,
        found.high,
        INVARIANCE,
        True,
        f"smallest over largest activation as {claim.change} changes",
        inputs.mean,
        "mean of the strongest inputs" if inputs.count else "",
        found.count,
        "top patches",
    )


def _polysemantic(claim: Polysemantic, circuit: Circuit, evidence: Evidence) -> Checked:
    """By the silhouette of the clusters of top examples."""
    groups = evidence.polysemanticity
    found = groups.silhouette
    return Checked(
        claim,
        verdict(found.low, found.high, groups.threshold, claim.expected),
        found.mean,
        found.low,
        found.high,
        groups.threshold,
        claim.expected,
        f"mean silhouette of {len(groups.clusters)} clusters",
        max(groups.null, default=math.nan),
        "best of the shuffled contributions" if groups.null else "",
        found.count,
        "top examples",
    )


def _sufficient(claim: Sufficient, circuit: Circuit, evidence: Evidence) -> Checked:
    """By the correlation with the whole unit when only the strongest inputs by norm vary."""
    curves = evidence.faithfulness
    if not 1 <= claim.inputs <= len(circuit.inputs):
        raise ValueError(f"`sufficient` names {claim.inputs} inputs; expected 1 to {len(circuit.inputs)}")
    k = claim.inputs - 1
    low, high = float(curves.by_norm.low[k]), float(curves.by_norm.high[k])
    return Checked(
        claim,
        verdict(low, high, claim.correlation, True),
        float(curves.by_norm.correlation[k]),
        low,
        high,
        claim.correlation,
        True,
        f"correlation with the whole unit, the {claim.inputs} strongest inputs kept and the others at their mean",
        float(curves.random_correlation[k]),
        f"as many random inputs, mean of {curves.draws} draws",
        curves.positions,
        f"positions in {evidence.examples.photos} photos",
    )


_CHECKS: dict[type, Callable[..., Checked]] = {
    Drives: _drives,
    Prefers: _prefers,
    InvariantTo: _invariant,
    Polysemantic: _polysemantic,
    Sufficient: _sufficient,
}
