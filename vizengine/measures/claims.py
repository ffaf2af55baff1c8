"""Claims that a hypothesis can make of a unit, as plain data, and how they are read from plain mappings."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vizengine.measures.engine import Evidence


import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, assert_never, get_args

import numpy as np

from vizengine.figures.quantities import Documented, Quantity, fixed, whole
from vizengine.measures.ablations import NEGLIGIBLE, Verdict
from vizengine.measures.contributions import Finding
from vizengine.measures.inputs import Circuit
from vizengine.measures.patches import KINDS, Kind
from vizengine.measures.statistics import area_under_curve, estimate
from vizengine.measures.stimuli import Family, Stimulus


@dataclass(frozen=True)
class Range:
    """Allowed values of one parameter of a stimulus, both ends included."""

    name: str
    low: float
    high: float


@dataclass(frozen=True)
class StimulusSet:
    """Some of the drawn stimuli.

    Attributes:
        family: which family.
        polarity: `light`, `dark`, or empty for both.
        ranges: bounds of parameters.
    """

    family: Family
    polarity: str = ""
    ranges: tuple[Range, ...] = ()

    def holds(self, stimulus: Stimulus) -> bool:
        """Whether a stimulus belongs to the set; one without a bounded parameter doesn't."""
        if stimulus.family != self.family or self.polarity not in ("", stimulus.polarity):
            return False
        values = [(getattr(stimulus, each.name), each) for each in self.ranges]
        return all(value is not None and each.low <= value <= each.high for value, each in values)


@dataclass(frozen=True)
class Drives:
    """An input excites or inhibits the unit; `input` is its index on the kernel's input axis or its label."""

    effect: Literal["excites", "inhibits"]
    input: int | str


@dataclass(frozen=True)
class Prefers:
    """The unit answers more to some stimuli than to others."""

    preferred: StimulusSet
    over: StimulusSet


@dataclass(frozen=True)
class InvariantTo:
    """The unit keeps answering to its own top patches as one thing about them changes."""

    change: Kind


@dataclass(frozen=True)
class Polysemantic:
    """The unit's top examples fall (or, with `expected` false, don't fall) into clusters driven by different inputs."""

    expected: bool


@dataclass(frozen=True)
class Sufficient:
    """The `inputs` strongest inputs by norm are enough for at least that correlation with the whole unit."""

    inputs: int
    correlation: float


Claim = Drives | Prefers | InvariantTo | Polysemantic | Sufficient
_NUMBERS = tuple(field.name for field in fields(Stimulus) if field.name not in ("family", "polarity"))


def read_claim(mapping: Mapping[str, Any]) -> Claim:
    """A claim as a config has it, for example `{"excites": 244}` or `{"prefers": {"disk": {}, "over": {"bar": {}}}}`.

    Raises:
        ValueError: says what came and what was expected.
    """
    kind = next(iter(mapping), "") if len(mapping) == 1 else ""
    value = mapping.get(kind)
    match kind:
        case "excites" | "inhibits":
            if isinstance(value, (int, str)) and not isinstance(value, bool):
                return Drives("excites" if kind == "excites" else "inhibits", value)
            raise ValueError(f"`{kind}` takes an input's index or label. Received: {value!r}")
        case "prefers":
            return _read_prefers(value)
        case "invariant_to":
            for known in KINDS:
                if value == known:
                    return InvariantTo(known)
            raise ValueError(f"`invariant_to` takes one of {', '.join(KINDS)}. Received: {value!r}")
        case "polysemantic":
            if isinstance(value, bool):
                return Polysemantic(value)
            raise ValueError(f"`polysemantic` takes true or false. Received: {value!r}")
        case "sufficient":
            return _read_sufficient(value)
    expected = "excites, inhibits, prefers, invariant_to, polysemantic or sufficient"
    raise ValueError(f"a claim is one of {expected}. Received: {dict(mapping)!r}")


def _read_prefers(value: Any) -> Prefers:
    others = [name for name in value if name != "over"] if isinstance(value, Mapping) else []
    if len(others) != 1 or not isinstance(value.get("over"), Mapping) or len(value["over"]) != 1:
        raise ValueError(f"`prefers` takes one family of stimuli, and another under `over`. Received: {value!r}")
    over = next(iter(value["over"]))
    return Prefers(_read_set(others[0], value[others[0]]), _read_set(over, value["over"][over]))


def _read_set(family: str, bounds: Any) -> StimulusSet:
    if family not in get_args(Family):
        raise ValueError(f"there is no family of stimuli {family!r}; expected one of {', '.join(get_args(Family))}")
    polarity, ranges = "", []
    for name, value in (bounds or {}).items():
        if name == "polarity" and value in ("light", "dark"):
            polarity = value
        elif name in _NUMBERS:
            ranges.append(_read_range(family, name, value))
        else:
            expected = f"polarity (light or dark) or one of {', '.join(_NUMBERS)}"
            raise ValueError(f"stimuli of family {family} can't be chosen by {name}: {value!r}; expected {expected}")
    return StimulusSet(family, polarity, tuple(ranges))  # type: ignore[arg-type]


def _read_range(family: str, name: str, value: Any) -> Range:
    ends = list(value) if isinstance(value, (list, tuple)) and len(value) == 2 else [value, value]
    if not all(isinstance(end, (int, float)) and not isinstance(end, bool) for end in ends):
        raise ValueError(
            f"stimuli of family {family} can't be chosen by {name}: {value!r}; expected a number or two, as [3, 8]"
        )
    return Range(name, float(ends[0]), float(ends[1]))


def _read_sufficient(value: Any) -> Sufficient:
    inputs = value.get("inputs") if isinstance(value, Mapping) else None
    if isinstance(inputs, str) and inputs.removeprefix("top").isdigit():
        inputs = int(inputs.removeprefix("top"))
    correlation = value.get("correlation") if isinstance(value, Mapping) else None
    if not isinstance(inputs, int) or not isinstance(correlation, (int, float)) or not -1 <= correlation <= 1:
        raise ValueError(f"`sufficient` takes inputs, as top6, and a correlation of -1 to 1. Received: {value!r}")
    return Sufficient(inputs, float(correlation))


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


class ClaimReport(Documented):
    """A claim and what the measurement says of it."""

    words: str
    """The claim."""
    finding: Finding
    """`supported`, `contradicted` or `undecided`."""
    value: Quantity | None
    """What was measured; null where it couldn't be."""
    low: Quantity | None
    """Lower end of its 95 % interval."""
    high: Quantity | None
    """Upper end."""
    threshold: Quantity
    """What it is held against."""
    above: bool
    """Whether the claim is that the value is above the threshold."""
    measure: str
    """What the value is."""
    control: Quantity | None
    """The same for the control; null where there is none."""
    control_of: str
    """What the control is."""
    sample: Quantity
    """Size of the sample."""
    sample_of: str
    """What it consists of."""


class ClaimsTally(Documented):
    """How the author's claims came out."""

    claims: Quantity
    """How many there are."""
    supported: Quantity
    """Of them supported."""
    contradicted: Quantity
    """Of them contradicted."""
    undecided: Quantity
    """Of them undecided, or not measurable."""


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
