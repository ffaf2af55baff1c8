"""Claims of a hypothesis, held against what was measured: one class for each kind.

The measurement's 95 % interval decides: a claim is supported where the whole interval lies on its side of a threshold
that was set before anything was measured, contradicted where it lies on the other side, undecided otherwise.

To add a kind: its setting in `vizengine.config.claims.ClaimSection`, its class here, and its line in `KINDS`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from vizengine.config.claims import ClaimSection, PrefersSection, StimuliSection, SufficientSection
from vizengine.figures.quantities import Documented, Quantity, fixed, if_finite, whole
from vizengine.measures.ablations import NEGLIGIBLE
from vizengine.measures.inputs import Circuit
from vizengine.measures.patches import Kind
from vizengine.measures.statistics import Verdict, area_under_curve, estimate
from vizengine.measures.stimuli import Stimulus, battery
from vizengine.network.architecture import Architecture

if TYPE_CHECKING:
    from vizengine.measures.engine import Evidence

PREFERENCE = 0.7
INVARIANCE = 0.5
_PLURALS = {"uniform": "plain colours", "blur": "blurred disks", "position": "shifted disks", "scale": "scaled bars"}


@dataclass(frozen=True)
class Checked:
    """A claim and what the measurement says of it.

    Attributes:
        value: what was measured; not a number where it couldn't be.
        low, high: its 95 % interval.
        threshold: what the value is held against.
        above: whether the claim is that the value is above the threshold.
        measure: what the value is, with its unit.
        sample: size of the sample.
        sample_of: what it consists of.
        control: what the same measure gives for the control; not a number where there is none.
        control_of: what the control is; empty where there is none.
    """

    claim: Claim
    value: float
    low: float
    high: float
    threshold: float
    above: bool
    measure: str
    sample: int
    sample_of: str
    control: float = math.nan
    control_of: str = ""

    @property
    def verdict(self) -> Verdict:
        """By the module's rule."""
        return verdict(self.low, self.high, self.threshold, self.above)


class Claim(ABC):
    """What a hypothesis says of a unit."""

    def problems(self, layer: str, unit: int, architecture: Architecture) -> Iterator[str]:
        """Why the claim can't be checked of a unit, from the network's layers alone."""
        yield from ()

    @abstractmethod
    def check(self, circuit: Circuit, evidence: Evidence) -> Checked:
        """Hold the claim against what was measured of the unit.

        Raises:
            ValueError: it names an input that the unit doesn't have, or more inputs than it has.
        """

    @abstractmethod
    def words(self, circuit: Circuit) -> str:
        """The claim in words."""


@dataclass(frozen=True)
class Drives(Claim):
    """An input excites or inhibits the unit; `input` is its index on the kernel's input axis or its label."""

    effect: Literal["excites", "inhibits"]
    input: int | str

    def problems(self, layer: str, unit: int, architecture: Architecture) -> Iterator[str]:
        labels = [source.label for source in architecture.source_channels(layer, unit)]
        if self.input not in labels and self.input not in range(len(labels)):
            yield (
                f"unit {layer}:{unit} has no input {self.input}; expected 0 to {len(labels) - 1} "
                f"or a label as `{labels[0]}`"
            )

    def check(self, circuit: Circuit, evidence: Evidence) -> Checked:
        """By the mean contribution on top examples, which is how far the unit falls there without the input.

        An inhibitor is often silent where the unit fires most. Where it is, which is where its whole interval lies
        within `NEGLIGIBLE` of the drive, it's judged over all photos instead, in standard deviations of the unit.
        """
        index = find_input(circuit, self.input)
        contributions, controls = evidence.contributions, evidence.ablations.control
        above = self.effect == "excites"
        scale = abs(float(contributions.mean.sum())) or math.nan
        on_examples = estimate(contributions.parts[:, index])
        value, low, high = on_examples.mean / scale, on_examples.low / scale, on_examples.high / scale
        control = estimate(np.array([-control.to_zero.examples.mean for control in controls])).mean / scale
        measure, sample, sample_of = "mean contribution as a share of the drive", on_examples.count, "top examples"
        if not above and low > -NEGLIGIBLE and high < NEGLIGIBLE:
            scale = evidence.examples.distribution.deviation or math.nan
            over_photos = contributions.photo_mean, contributions.photo_low, contributions.photo_high
            value, low, high = (float(values[index]) / scale for values in over_photos)
            channels = [control.channels[0] for control in controls]
            control = float(contributions.photo_mean[channels].mean()) / scale if channels else math.nan
            measure = (
                "mean contribution in standard deviations of the unit, since the input is silent on the top examples"
            )
            sample, sample_of = evidence.examples.photos, "photos"
        control_of = f"mean of {len(controls)} random inputs of like norm" if controls else ""
        threshold = NEGLIGIBLE if above else -NEGLIGIBLE
        return Checked(self, value, low, high, threshold, above, measure, sample, sample_of, control, control_of)

    def words(self, circuit: Circuit) -> str:
        return f"{circuit.inputs[find_input(circuit, self.input)].label} {self.effect} the unit"


@dataclass(frozen=True)
class Prefers(Claim):
    """The unit answers more to some stimuli than to others."""

    setting: PrefersSection

    def problems(self, layer: str, unit: int, architecture: Architecture) -> Iterator[str]:
        size = architecture.receptive_field(layer).size
        drawn = battery(size)
        for stimuli in (self.setting, self.setting.over):
            if any(holds(stimuli, stimulus) for stimulus in drawn):
                continue
            known = []
            for name in stimuli.bounds.ranges:
                values = {getattr(stimulus, name) for stimulus in drawn if stimulus.family == stimuli.family} - {None}
                known.append(f"{name} of {', '.join(f'{value:.3g}' for value in sorted(values)) or 'none'}")
            yield (
                f"no drawn {stimuli.family} is chosen by these bounds; for this unit's field of {size} px there are "
                f"{'; '.join(known) or 'another polarity'}"
            )

    def check(self, circuit: Circuit, evidence: Evidence) -> Checked:
        """By the area under the ROC curve of the unit's responses to both sets of stimuli."""
        tuning = evidence.tuning
        responses = tuning.responses[:, 0].astype(np.float64)
        measured = ~np.isnan(responses)
        preferred, others = (
            responses[np.array([holds(stimuli, stimulus) for stimulus in tuning.stimuli]) & measured]
            for stimuli in (self.setting, self.setting.over)
        )
        interval = math.nan, 0.0, 1.0
        if len(preferred) and len(others):
            interval = area_under_curve(preferred, others)
        return Checked(
            self,
            *interval,
            threshold=PREFERENCE,
            above=True,
            measure="area under the ROC curve",
            sample=len(preferred) + len(others),
            sample_of=f"drawn stimuli: {len(preferred)} against {len(others)}",
            control=0.5,
            control_of="chance",
        )

    def words(self, circuit: Circuit) -> str:
        return f"It prefers {_stimuli_words(self.setting)} to {_stimuli_words(self.setting.over)}"


def holds(stimuli: StimuliSection, stimulus: Stimulus) -> bool:
    """Whether a stimulus is among those that a setting means; one without a bounded parameter isn't."""
    bounds = stimuli.bounds
    if stimulus.family != stimuli.family or bounds.polarity not in (None, stimulus.polarity):
        return False
    values = [(getattr(stimulus, name), low, high) for name, (low, high) in bounds.ranges.items()]
    return all(value is not None and low <= value <= high for value, low, high in values)


def _stimuli_words(stimuli: StimuliSection) -> str:
    words = [stimuli.bounds.polarity, _PLURALS.get(stimuli.family, f"{stimuli.family}s")]
    bounds = [
        f"{name} {low:g}" + ("" if low == high else f" to {high:g}")
        for name, (low, high) in stimuli.bounds.ranges.items()
    ]
    return " ".join(filter(None, words)) + (f" ({', '.join(bounds)})" if bounds else "")


@dataclass(frozen=True)
class InvariantTo(Claim):
    """The unit keeps answering to its own top patches as one thing about them changes."""

    change: Kind

    def check(self, circuit: Circuit, evidence: Evidence) -> Checked:
        """By the invariance index of the unit's own top patches."""
        unit, *inputs = (index.value for index in evidence.tuning.indices if index.name == f"{self.change} invariance")
        control = estimate(np.array([index.mean for index in inputs]))
        return Checked(
            self,
            value=unit.mean,
            low=unit.low,
            high=unit.high,
            threshold=INVARIANCE,
            above=True,
            measure=f"smallest over largest activation as {self.change} changes",
            sample=unit.count,
            sample_of="top patches",
            control=control.mean,
            control_of="mean of the strongest inputs" if control.count else "",
        )

    def words(self, circuit: Circuit) -> str:
        return f"It is invariant to {self.change}"


@dataclass(frozen=True)
class Polysemantic(Claim):
    """The unit's top examples fall (or, with `expected` false, don't fall) into clusters driven by different inputs."""

    expected: bool

    def check(self, circuit: Circuit, evidence: Evidence) -> Checked:
        """By the silhouette of the clusters of top examples."""
        polysemanticity, silhouette = evidence.polysemanticity, evidence.polysemanticity.silhouette
        return Checked(
            self,
            value=silhouette.mean,
            low=silhouette.low,
            high=silhouette.high,
            threshold=polysemanticity.threshold,
            above=self.expected,
            measure=f"mean silhouette of {len(polysemanticity.clusters)} clusters",
            sample=silhouette.count,
            sample_of="top examples",
            control=max(polysemanticity.null, default=math.nan),
            control_of="best of the shuffled contributions" if polysemanticity.null else "",
        )

    def words(self, circuit: Circuit) -> str:
        return "It is polysemantic" if self.expected else "It is not polysemantic"


@dataclass(frozen=True)
class Sufficient(Claim):
    """The strongest inputs by norm are enough for at least that correlation with the whole unit."""

    setting: SufficientSection

    def problems(self, layer: str, unit: int, architecture: Architecture) -> Iterator[str]:
        inputs = len(architecture.source_channels(layer, unit))
        if self.setting.inputs > inputs:
            yield f"the unit has no {self.setting.inputs} inputs; expected at most {inputs}"

    def check(self, circuit: Circuit, evidence: Evidence) -> Checked:
        """By the correlation with the whole unit when only the strongest inputs by norm vary."""
        faithfulness, inputs = evidence.faithfulness, self.setting.inputs
        if inputs > len(circuit.inputs):
            raise ValueError(f"`sufficient` names {inputs} inputs; expected 1 to {len(circuit.inputs)}")
        curve = faithfulness.by_norm
        return Checked(
            self,
            value=float(curve.correlation[inputs - 1]),
            low=float(curve.low[inputs - 1]),
            high=float(curve.high[inputs - 1]),
            threshold=self.setting.correlation,
            above=True,
            measure=f"correlation with the whole unit, the {inputs} strongest inputs kept and the others at their mean",
            sample=faithfulness.positions,
            sample_of=f"positions in {evidence.examples.photos} photos",
            control=float(faithfulness.random_correlation[inputs - 1]),
            control_of=f"as many random inputs, mean of {faithfulness.draws} draws",
        )

    def words(self, circuit: Circuit) -> str:
        inputs, correlation = self.setting.inputs, self.setting.correlation
        return f"Its {inputs} strongest inputs are enough for a correlation of {correlation:g}"


KINDS: Mapping[str, Callable[[Any], Claim]] = {
    "excites": partial(Drives, "excites"),
    "inhibits": partial(Drives, "inhibits"),
    "prefers": Prefers,
    "invariant_to": InvariantTo,
    "polysemantic": Polysemantic,
    "sufficient": Sufficient,
}


def claim_of(section: ClaimSection) -> Claim:
    """The claim that a config makes."""
    return KINDS[section.kind](getattr(section, section.kind))


def check(sections: Sequence[ClaimSection], circuit: Circuit, evidence: Evidence) -> tuple[Checked, ...]:
    """Hold each claim of a config against the measurements, in the config's order; raises as `Claim.check`."""
    return tuple(claim_of(section).check(circuit, evidence) for section in sections)


def verdict(low: float, high: float, threshold: float, above: bool) -> Verdict:
    """The module's rule; ends that aren't numbers leave a claim undecided."""
    if not above:
        low, high, threshold = -high, -low, -threshold
    if low >= threshold:
        return "supported"
    return "contradicted" if high < threshold else "undecided"


def find_input(circuit: Circuit, name: int | str) -> int:
    """Index on the kernel's input axis of an input, whose index or label is given.

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


class ClaimReport(Documented):
    """A claim and what the measurement says of it."""

    words: str
    """The claim."""
    finding: Verdict
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
        words=checked.claim.words(circuit),
        finding=checked.verdict,
        value=if_finite(checked.value, fixed, PLACES),
        low=if_finite(checked.low, fixed, PLACES),
        high=if_finite(checked.high, fixed, PLACES),
        threshold=fixed(checked.threshold, PLACES),
        above=checked.above,
        measure=checked.measure,
        control=if_finite(checked.control, fixed, PLACES),
        control_of=checked.control_of,
        sample=whole(checked.sample),
        sample_of=checked.sample_of,
    )


def claims_tally(claims: Sequence[Checked]) -> ClaimsTally | None:
    """How many claims came out in which way; None where there are none."""
    if not claims:
        return None
    verdicts = [checked.verdict for checked in claims]
    counts = {verdict: whole(verdicts.count(verdict)) for verdict in get_args(Verdict)}
    return ClaimsTally(claims=whole(len(claims)), **counts)
