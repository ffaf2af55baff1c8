"""The parts of the report that tell what the unit does on photos: examples, faithfulness, claims, all the evidence."""

from __future__ import annotations

from vizengine.report.effect_parts import EffectsReport, Finding, RanksReport
from vizengine.report.figures import Documented, Finite, Histogram, Picture, Quantity
from vizengine.report.group_parts import ClustersReport, DownstreamReport, FactorsReport
from vizengine.report.tuning_parts import TuningReport


class ExampleReport(Documented):
    """One position of the unit in a photo."""

    picture: Picture
    """What the unit saw there; grey outside the photo."""
    photo: str
    """Name of the photo."""
    row: int
    """Row on the unit's map."""
    column: int
    """Column on the unit's map."""
    pre: Quantity
    """Pre-activation there."""


class Place(Documented):
    """A square of a photo, in pixels of the photo as read; it may reach outside."""

    left: int
    """First column."""
    top: int
    """First row."""
    side: int
    """Side."""


class PhotoMapReport(Documented):
    """The unit on a whole photo."""

    photo: str
    """Name of the photo."""
    height: int
    """Of the photo as read, in pixels."""
    width: int
    """Likewise."""
    picture: Picture
    """The photo without its colours."""
    overlay: Picture
    """Where the unit fires: transparent where it doesn't, opaque where it does so as strongly as anywhere in the
    shown photos."""
    overlay_left: Finite
    """First column of the photo that the overlay covers, in pixels; it may lie outside."""
    overlay_top: Finite
    """First row."""
    overlay_width: Finite
    """Columns that it covers."""
    overlay_height: Finite
    """Rows that it covers."""
    places: tuple[Place, ...]
    """What the unit saw at the shown top examples from this photo."""
    highest: Quantity
    """Highest pre-activation at any position of the photo."""


class QuantileReport(Documented):
    """Examples near one quantile."""

    quantile: Quantity
    """Share of positions below, in percent."""
    value: Quantity
    """Pre-activation there."""
    examples: tuple[ExampleReport, ...]
    """Positions nearest to it."""


class ExamplesReport(Documented):
    """What the unit saw in the photos."""

    top: tuple[ExampleReport, ...]
    """The highest positions."""
    bottom: tuple[ExampleReport, ...]
    """The lowest positions."""
    quantiles: tuple[QuantileReport, ...]
    """Positions in between."""
    maps: tuple[PhotoMapReport, ...]
    """The unit on each whole photo that one of the highest positions is from."""
    histogram: Histogram
    """Pre-activations at all positions of all photos."""
    fires: Quantity
    """Share of positions above zero."""
    mean: Quantity
    """Mean pre-activation."""
    deviation: Quantity
    """Its standard deviation."""
    positions: Quantity
    """Positions in all."""
    photos: Quantity
    """Photos."""


class FaithfulnessReport(Documented):
    """How well the first k inputs follow the whole unit."""

    counts: tuple[int, ...]
    """Values of k that the curves show."""
    by_norm: tuple[Finite, ...]
    """Correlation with the first k by norm."""
    by_contribution: tuple[Finite, ...]
    """Correlation with the first k by mean absolute contribution."""
    random: tuple[Finite, ...]
    """Mean correlation with k random inputs."""
    correlation: Quantity
    """Correlation at the number of inputs that the page shows, by norm."""
    low: Quantity
    """Lower end of its 95 % interval."""
    high: Quantity
    """Upper end."""
    explained: Quantity
    """Share of variance explained there."""
    best: Quantity
    """Correlation at that number by contribution."""
    needed: tuple[Quantity | None, ...]
    """Inputs by norm that 0.9 and 0.99 take; null where all are too few."""
    needed_best: tuple[Quantity | None, ...]
    """The same by contribution."""
    positions: Quantity
    """Positions in the sample."""


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


class EvidenceReport(Documented):
    """What was measured of the unit on photos."""

    examples: ExamplesReport
    """What it saw."""
    effects: EffectsReport
    """What its inputs do to it."""
    ranks: RanksReport
    """Which input matters most."""
    faithfulness: FaithfulnessReport | None
    """How many inputs it takes; null where the unit is the same everywhere."""
    tuning: TuningReport
    """What it makes of drawn stimuli."""
    clusters: ClustersReport
    """Whether it answers to several things."""
    factors: FactorsReport
    """Groups of inputs that it reads alike."""
    downstream: DownstreamReport | None
    """What the classifier loses without it; null where there is no classifier."""
    claims: tuple[ClaimReport, ...]
    """The author's claims, held against all this."""
    tally: ClaimsTally | None
    """How they came out; null where there are none."""
