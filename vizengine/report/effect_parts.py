"""The parts of the report that tell what its inputs do to the unit: contributions, ablation, ranks."""

from __future__ import annotations

from typing import Literal

from vizengine.report.figures import Change, Documented, Quantity

Finding = Literal["supported", "contradicted", "undecided"]


class ExampleBar(Documented):
    """What adds up to the pre-activation of one top example, in the order of the examples."""

    inputs: tuple[Quantity, ...]
    """Contribution of each strongest input."""
    others: Quantity
    """Of all others together."""


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
    kendall: Quantity | None
    """Kendall's tau-b of the same two; null likewise."""
    words: str
    """Where they disagree, in a sentence."""
