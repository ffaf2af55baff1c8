"""The parts of the report that tell how the unit answers to drawn stimuli and to its own patches, changed."""

from __future__ import annotations

from vizengine.report.figures import Documented, Finite, Picture, Quantity


class StimulusReport(Documented):
    """One drawn stimulus."""

    picture: Picture
    """The stimulus, as large as what the unit sees."""
    name: str
    """What is drawn."""
    response: Quantity | None
    """In standard deviations above the photos' mean; null where that has no spread."""


class SweepReport(Documented):
    """The unit and its inputs as one thing changes."""

    name: str
    """What changes."""
    unit: str
    """Of the steps."""
    steps: tuple[Quantity, ...]
    """The steps."""
    own: tuple[Finite, ...]
    """The unit's mean response at each step, in standard deviations above the photos' mean."""
    least: Quantity
    """The lowest of them."""
    most: Quantity
    """The highest of them."""
    others: tuple[tuple[Finite, ...], ...]
    """The same of each strongest input that changes at all on photos."""


class IndexReport(Documented):
    """One number that sums up a tuning curve."""

    name: str
    """Its name."""
    value: Quantity | None
    """Of the unit, 0 to 1; null where it doesn't fire along the sweep."""
    inputs: tuple[Quantity | None, ...]
    """Of each strongest input."""
    formula: str
    """In words."""
    source: str
    """Where the formula is from."""


class TuningReport(Documented):
    """Responses to drawn stimuli and to changed patches."""

    count: Quantity
    """Stimuli that were drawn."""
    strongest: tuple[StimulusReport, ...]
    """Those that it answers to most, the strongest of each family."""
    weakest: tuple[StimulusReport, ...]
    """Those that it answers to least, the weakest of each family."""
    sweeps: tuple[SweepReport, ...]
    """Drawn shapes and top patches as one thing about them changes."""
    low: Quantity
    """Lowest response in the sweeps."""
    high: Quantity
    """Highest response in them."""
    patches: Quantity
    """How many top patches."""
    indices: tuple[IndexReport, ...]
    """What sums them up."""
