"""Claims of a hypothesis, held against what was measured: one class for each kind.

The measurement's 95 % interval on held-out photos decides: a claim is *supported* where the whole interval lies on its
side of the threshold, *contradicted* where it lies on the other side, *undecided* otherwise. That it holds doesn't yet
say much: it is *telling* where at most 1 of 19 units with the same weights shuffled would have had it supported. With
several claims, some are supported by chance: beside the verdict stands whether it also holds with the interval that is
corrected for their number (Bonferroni).

To add a kind: its setting in `vizengine.config.claims.ClaimSection`, its class here, and its line in `KINDS`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

import numpy as np

from vizengine.config.claims import ClaimSection, PrefersSection, StimuliSection, SufficientSection
from vizengine.figures.quantities import Documented, Quantity, fixed, if_finite, significant, whole
from vizengine.measures.by_photo import LEVEL, Drive, median, share
from vizengine.measures.contributions import LEAST_SHARE
from vizengine.measures.inputs import Circuit
from vizengine.measures.patches import Kind
from vizengine.measures.shuffled import shuffled_evidence
from vizengine.measures.statistics import SHUFFLES, Verdict, area_under_curve
from vizengine.measures.stimuli import Stimulus, battery
from vizengine.measures.stream import FEWEST_HELD_OUT
from vizengine.measures.tuning import Rival, RivalReport, plural, rival_reports, rivals
from vizengine.network.architecture import Architecture

if TYPE_CHECKING:
    from vizengine.measures.engine import Evidence

PREFERENCE = 0.7
INVARIANCE = 0.5
FEWEST_STIMULI = 8
"""Stimuli on each side of a preference, from which on it is judged."""
FEWEST_PATCHES = 16
"""Photos from which on an invariance is judged."""
MOST_SHUFFLED = 1
"""The most draws of the null that may have a claim supported that is telling."""
HELD_OUT = "held-out photos"


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
        unjudged: why there is no verdict whatever the interval; empty where there is one.
        holds_corrected: whether the verdict stays with the interval that is corrected for the number of claims.
        shuffled: of how many draws with shuffled weights the claim is supported; None where that isn't measured.
        highest: of a preference, the highest response to the preferred stimuli; not finite where there is none.
        rivals: of a preference, the other kinds of stimuli that drive the unit as far, or nearly.
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
    unjudged: str = ""
    holds_corrected: bool = True
    shuffled: int | None = None
    highest: float = math.nan
    rivals: tuple[Rival, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """By the module's rule."""
        return "undecided" if self.unjudged else verdict(self.low, self.high, self.threshold, self.above)

    @property
    def telling(self) -> bool | None:
        """Whether the null would rarely have had the claim supported; None where it isn't supported or not measured."""
        return None if self.verdict != "supported" or self.shuffled is None else self.shuffled <= MOST_SHUFFLED


class Claim(ABC):
    """What a hypothesis says of a unit.

    Attributes:
        has_null: whether units with shuffled kernels can be asked the same.
    """

    has_null: ClassVar[bool] = True

    def problems(self, layer: str, unit: int, architecture: Architecture) -> Iterator[str]:
        """Why the claim can't be checked of a unit, from the network's layers alone."""
        yield from ()

    @abstractmethod
    def check(self, circuit: Circuit, evidence: Evidence, level: float = LEVEL) -> Checked:
        """Hold the claim against what was measured of the unit, with an interval of that level.

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

    def check(self, circuit: Circuit, evidence: Evidence, level: float = LEVEL) -> Checked:
        """By the mean contribution where the unit is strongest, as a share of the drive, against `LEAST_SHARE`."""
        drive, controls = evidence.contributions.drive, evidence.ablations.control_pool
        share = drive.share(find_input(circuit, self.input), level=level)
        above = self.effect == "excites"
        return Checked(
            self,
            value=share.value,
            low=share.low,
            high=share.high,
            threshold=LEAST_SHARE if above else -LEAST_SHARE,
            above=above,
            measure="share of the drive where the unit is strongest",
            sample=int(drive.photos.sum()),
            sample_of=HELD_OUT,
            control=drive.share(*controls).value / len(controls) if controls else math.nan,
            control_of=f"mean of the {len(controls)} inputs next in rank by norm" if controls else "",
            unjudged=too_few(drive),
        )

    def words(self, circuit: Circuit) -> str:
        return f"{circuit.inputs[find_input(circuit, self.input)].label} {self.effect} the unit"


@dataclass(frozen=True)
class StandsOut(Claim):
    """An input gives or takes more than inputs of like norm."""

    input: int | str

    def problems(self, layer: str, unit: int, architecture: Architecture) -> Iterator[str]:
        yield from Drives("excites", self.input).problems(layer, unit, architecture)
        if len(architecture.source_channels(layer, unit)) < 2:
            yield "the unit has one input; expected others to compare it with"

    def check(self, circuit: Circuit, evidence: Evidence, level: float = LEVEL) -> Checked:
        """By the size of its contribution less that of the inputs next in rank by norm, as a share of the drive."""
        drive, index = evidence.contributions.drive, find_input(circuit, self.input)
        others = [
            channel for channel in evidence.ablations.control_pool or range(len(circuit.inputs)) if channel != index
        ]
        sizes = drive.contributions * np.sign(drive.mean)
        apart = sizes[:, index] - sizes[:, others].mean(axis=1)
        interval = share(apart, drive.size, level)
        return Checked(
            self,
            value=interval.value,
            low=interval.low,
            high=interval.high,
            threshold=LEAST_SHARE,
            above=True,
            measure=f"share of the drive more than the mean of {len(others)} inputs of like norm",
            sample=int(drive.photos.sum()),
            sample_of=HELD_OUT,
            unjudged=too_few(drive),
        )

    def words(self, circuit: Circuit) -> str:
        return f"{circuit.inputs[find_input(circuit, self.input)].label} does more than inputs of like norm"


@dataclass(frozen=True)
class Arranged(Claim):
    """The arrangement of the weights drives the unit further than the same weights shuffled."""

    input: int | str | bool

    def problems(self, layer: str, unit: int, architecture: Architecture) -> Iterator[str]:
        if not isinstance(self.input, bool):
            yield from Drives("excites", self.input).problems(layer, unit, architecture)

    def check(self, circuit: Circuit, evidence: Evidence, level: float = LEVEL) -> Checked:
        """By what shuffling takes away, as a share of the drive: of the whole unit, or of one input's contribution."""
        drive, draws = evidence.contributions.drive, evidence.shuffled.drives
        channels = range(len(circuit.inputs)) if self.input is True else [find_input(circuit, self.input)]
        of_draws = np.mean([draw.contributions[:, channels].sum(axis=1) for draw in draws], axis=0)
        lost = drive.contributions[:, channels].sum(axis=1) - of_draws
        interval = share(lost, drive.size, level)
        return Checked(
            self,
            value=interval.value,
            low=interval.low,
            high=interval.high,
            threshold=LEAST_SHARE,
            above=True,
            measure=f"share of the drive that is lost with shuffled weights, mean of {len(draws)} draws",
            sample=int(drive.photos.sum()),
            sample_of=HELD_OUT,
            unjudged=too_few(drive),
        )

    def words(self, circuit: Circuit) -> str:
        if self.input is True:
            return "The arrangement of its weights drives the unit"
        label = circuit.inputs[find_input(circuit, self.input)].label
        return f"The arrangement of {label}’s weights drives the unit"


@dataclass(frozen=True)
class Prefers(Claim):
    """The unit answers more to some stimuli than to others."""

    setting: PrefersSection

    def problems(self, layer: str, unit: int, architecture: Architecture) -> Iterator[str]:
        size = architecture.receptive_field(layer).size
        drawn = battery(size)
        for stimuli in (self.setting, self.setting.over):
            count = sum(holds(stimuli, stimulus) for stimulus in drawn)
            if count >= FEWEST_STIMULI:
                continue
            known = []
            for name in stimuli.bounds.ranges:
                values = {getattr(stimulus, name) for stimulus in drawn if stimulus.family == stimuli.family} - {None}
                known.append(f"{name} of {', '.join(f'{value:.3g}' for value in sorted(values)) or 'none'}")
            chosen = f"{count} drawn {plural(stimuli.family)} are" if count else f"no drawn {stimuli.family} is"
            yield (
                f"{chosen} chosen by these bounds; expected {FEWEST_STIMULI} at least; for this unit's field of "
                f"{size} px there are {'; '.join(known) or 'another polarity'}"
            )

    def check(self, circuit: Circuit, evidence: Evidence, level: float = LEVEL) -> Checked:
        """By the area under the ROC curve of the unit's responses to both sets of stimuli, with the rivals."""
        tuning = evidence.tuning
        responses = tuning.responses[:, 0].astype(np.float64)
        measured = ~np.isnan(responses)
        is_preferred, is_other = (
            np.array([holds(stimuli, stimulus) for stimulus in tuning.stimuli])
            for stimuli in (self.setting, self.setting.over)
        )
        preferred, others = responses[is_preferred & measured], responses[is_other & measured]
        interval, fewest = (math.nan, 0.0, 1.0), min(len(preferred), len(others))
        if fewest:
            interval = area_under_curve(preferred, others, level)
        return Checked(
            self,
            *interval,
            threshold=PREFERENCE,
            above=True,
            measure="area under the ROC curve",
            sample=len(preferred) + len(others),
            sample_of=f"drawn stimuli, a design and no sample: {len(preferred)} against {len(others)}",
            control=0.5,
            control_of="chance",
            unjudged=f"it takes {FEWEST_STIMULI} stimuli on each side" if fewest < FEWEST_STIMULI else "",
            highest=float(preferred.max(initial=-math.inf)),
            rivals=rivals(tuning.stimuli, responses, is_preferred),
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
    words = [stimuli.bounds.polarity, plural(stimuli.family)]
    bounds = [
        f"{name} {low:g}" + ("" if low == high else f" to {high:g}")
        for name, (low, high) in stimuli.bounds.ranges.items()
    ]
    return " ".join(filter(None, words)) + (f" ({', '.join(bounds)})" if bounds else "")


@dataclass(frozen=True)
class InvariantTo(Claim):
    """The unit keeps answering to the best patches of photos as one thing about them changes."""

    has_null = False
    change: Kind

    def check(self, circuit: Circuit, evidence: Evidence, level: float = LEVEL) -> Checked:
        """By the invariance index: the median over held-out photos."""
        unit, *inputs = (index for index in evidence.tuning.indices if index.name == f"{self.change} invariance")
        interval = median(unit.by_photo, level)
        of_inputs = np.array([index.value.value for index in inputs])
        of_inputs = of_inputs[~np.isnan(of_inputs)]
        few = interval.photos < FEWEST_PATCHES
        return Checked(
            self,
            value=interval.value,
            low=interval.low,
            high=interval.high,
            threshold=INVARIANCE,
            above=True,
            measure=f"smallest over largest activation as {self.change} changes, median over photos",
            sample=interval.photos,
            sample_of=HELD_OUT,
            control=float(of_inputs.mean()) if len(of_inputs) else math.nan,
            control_of="mean of the strongest inputs" if len(of_inputs) else "",
            unjudged=too_few(evidence.contributions.drive)
            or (f"it takes {FEWEST_PATCHES} held-out photos that hold a whole patch" if few else ""),
        )

    def words(self, circuit: Circuit) -> str:
        return f"It is invariant to {self.change}"


@dataclass(frozen=True)
class Polysemantic(Claim):
    """The unit's top examples fall (or, with `expected` false, don't fall) into clusters driven by different inputs."""

    has_null = False
    expected: bool

    def check(self, circuit: Circuit, evidence: Evidence, level: float = LEVEL) -> Checked:
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
            unjudged="which groups there are changes with the photos, and no interval is known that holds",
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

    def check(self, circuit: Circuit, evidence: Evidence, level: float = LEVEL) -> Checked:
        """By the correlation with the whole unit when only the strongest inputs by norm vary."""
        faithfulness, inputs = evidence.faithfulness, self.setting.inputs
        if inputs > len(circuit.inputs):
            raise ValueError(f"`sufficient` names {inputs} inputs; expected 1 to {len(circuit.inputs)}")
        interval = faithfulness.by_norm.correlations.interval(inputs - 1, level=level)
        return Checked(
            self,
            value=interval.value,
            low=interval.low,
            high=interval.high,
            threshold=self.setting.correlation,
            above=True,
            measure=f"correlation with the whole unit, the {inputs} strongest inputs kept and the others at their mean",
            sample=faithfulness.positions,
            sample_of=f"positions in {int(evidence.contributions.drive.photos.sum())} {HELD_OUT}",
            control=float(faithfulness.random_correlation[inputs - 1]),
            control_of=f"as many random inputs, mean of {faithfulness.draws} draws",
            unjudged=too_few(evidence.contributions.drive),
        )

    def words(self, circuit: Circuit) -> str:
        inputs, correlation = self.setting.inputs, self.setting.correlation
        return f"Its {inputs} strongest inputs are enough for a correlation of {correlation:g}"


KINDS: Mapping[str, Callable[[Any], Claim]] = {
    "excites": partial(Drives, "excites"),
    "inhibits": partial(Drives, "inhibits"),
    "stands_out": StandsOut,
    "arranged": Arranged,
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
    claims = [claim_of(section) for section in sections]
    draws = list(shuffled_evidence(evidence)) if claims else []
    corrected = 1 - (1 - LEVEL) / max(len(claims), 1)
    return tuple(_checked(claim, circuit, evidence, draws, corrected) for claim in claims)


def _checked(claim: Claim, circuit: Circuit, evidence: Evidence, draws: Sequence[Any], corrected: float) -> Checked:
    """A claim with its null and its correction."""
    checked = claim.check(circuit, evidence)
    holds = claim.check(circuit, evidence, corrected).verdict == checked.verdict
    shuffled = None
    if claim.has_null:
        shuffled = sum(claim.check(circuit, draw).verdict == "supported" for draw in draws)
    return replace(checked, holds_corrected=holds, shuffled=shuffled)


def too_few(drive: Drive) -> str:
    """Why photos are too few for a verdict; empty where they aren't."""
    if drive.held_out:
        return ""
    return f"it takes {FEWEST_HELD_OUT} held-out photos, as about {FEWEST_HELD_OUT * 3 // 2} photos have"


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
    unjudged: str
    """Why there is no verdict whatever the interval; empty where there is one."""
    shuffled: Quantity | None
    """Of how many units with shuffled weights the same claim is supported; null where that isn't measured."""
    draws: Quantity
    """Of how many."""
    telling: bool | None
    """Whether it is supported, and of 1 of them at most; null where it isn't supported or they aren't measured."""
    holds_corrected: bool
    """Whether the verdict stays with the interval that is corrected for the number of claims."""
    highest: Quantity | None
    """Of a preference, the highest response to the preferred stimuli, in standard deviations above the photos' mean."""
    rivals: tuple[RivalReport, ...]
    """Of a preference, other kinds that go further or come within a tenth of the range of all responses."""


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
    telling: Quantity
    """Of the supported, those that units with shuffled weights don't share."""
    corrected: Quantity
    """Of the supported, those that stay so when corrected for the number of claims."""


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
        unjudged=checked.unjudged,
        shuffled=None if checked.shuffled is None else whole(checked.shuffled),
        draws=whole(SHUFFLES),
        telling=checked.telling,
        holds_corrected=checked.holds_corrected,
        highest=if_finite(checked.highest, significant),
        rivals=rival_reports(checked.rivals),
    )


def claims_tally(claims: Sequence[Checked]) -> ClaimsTally | None:
    """How many claims came out in which way; None where there are none."""
    if not claims:
        return None
    verdicts = [checked.verdict for checked in claims]
    counts = {verdict: whole(verdicts.count(verdict)) for verdict in get_args(Verdict)}
    supported = [checked for checked in claims if checked.verdict == "supported"]
    return ClaimsTally(
        claims=whole(len(claims)),
        **counts,
        telling=whole(sum(checked.telling is True for checked in supported)),
        corrected=whole(sum(checked.holds_corrected for checked in supported)),
    )
