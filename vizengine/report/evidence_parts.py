"""The parts of the report that tell what the unit does on photos: examples, contributions, ablation, ranks, claims."""

from __future__ import annotations

from typing import Literal

from vizengine.report.figures import Documented, Finite, Histogram, Picture, Quantity
from vizengine.report.group_parts import ClustersReport, DownstreamReport, FactorsReport
from vizengine.report.tuning_parts import TuningReport

Finding = Literal["supported", "contradicted", "undecided"]


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


class ExampleBar(Documented):
    """What adds up to the pre-activation of one top example, in the order of the examples."""

    inputs: tuple[Quantity, ...]
    """Contribution of each strongest input."""
    others: Quantity
    """Of all others together."""


class Change(Documented):
    """A mean change with its interval."""

    mean: Quantity
    """The mean."""
    low: Quantity | None
    """Lower end of its 95 % interval; null where the sample is too small."""
    high: Quantity | None
    """Upper end."""


class SumReport(Documented):
    """How what one input adds at one top example comes about; to six significant digits."""

    activations: tuple[tuple[Quantity, ...], ...]
    """What the kernel reads of the input there, row by row."""
    products: tuple[tuple[Quantity, ...], ...]
    """The same times the slice; their sum is the contribution."""


class InputEffect(Documented):
    """What one strongest input does."""

    contribution: Quantity
    """Mean contribution on the top examples."""
    deviation: Quantity
    """Its standard deviation over them."""
    share: Quantity | None
    """The mean as a share of the drive; null where there is no drive."""
    to_zero: Change
    """Change of the unit on its top examples when the input is set to zero."""
    to_mean: Change
    """The same when it is set to its mean over photos."""
    photos: Quantity
    """Mean change over all photos when it is set to zero."""
    picture: Quantity
    """Change at the best place of the unit's picture when it is set to zero."""
    finding: Finding
    """Whether the change bears out the name that the weights give it."""
    sums: tuple[SumReport, ...]
    """Its contribution to the first few top examples worked out, in their order."""


class EffectsReport(Documented):
    """Contributions and ablations on the top examples."""

    bars: tuple[ExampleBar, ...]
    """Each shown top example, part by part."""
    inputs: tuple[InputEffect, ...]
    """Each strongest input, in the order of the page."""
    others: Quantity
    """Mean contribution of all other inputs together."""
    baseline: Quantity
    """Mean pre-activation of the top examples."""
    examples: Quantity
    """How many top examples."""
    drive: Quantity
    """Mean pre-activation less the bias."""
    top_share: Quantity | None
    """Share of the drive that the strongest explain; null where there is no drive."""
    tail: Quantity
    """Inputs that it takes to hold 90 % of the sum of the contributions' sizes."""
    together: Change
    """Change when all of the strongest are set to zero."""
    control: Quantity | None
    """Mean change when as many random inputs of like norm are; null where there are no others."""
    control_deviation: Quantity | None
    """Its standard deviation over draws."""
    draws: Quantity
    """Number of draws."""


class RankRow(Documented):
    """One input that is among the top by one of the three measures."""

    label: str
    """Its name."""
    norm_place: int
    """Place by L2 norm."""
    photo_size: Quantity
    """Mean absolute contribution over all photos."""
    photo_place: int
    """Place by it."""
    drop: Quantity
    """How far the unit falls on its top examples without the input."""
    drop_place: int
    """Place by its size."""


class RanksReport(Documented):
    """Three ways to say which input matters most."""

    rows: tuple[RankRow, ...]
    """Inputs that are among the top by any of them."""
    shared: Quantity
    """How many are among the top by norm and by the drop."""
    spearman: Quantity | None
    """Rank correlation of norm and drop over all inputs; null where one ranks nothing."""
    words: str
    """Where they disagree, in a sentence."""


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
