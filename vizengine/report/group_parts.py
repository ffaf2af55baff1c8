"""The parts of the report that tell of groups: of examples, of inputs and of classes."""

from __future__ import annotations

from vizengine.report.figures import Change, Documented, Kernel, Picture, Quantity
from vizengine.report.parts import Verdict


class Weighted(Documented):
    """A name and its weight in a group."""

    label: str
    """The name."""
    weight: Quantity
    """The weight."""


class ClusterReport(Documented):
    """Top examples that the same inputs drive."""

    size: Quantity
    """How many."""
    silhouette: Quantity
    """Their mean silhouette."""
    pictures: tuple[Picture, ...]
    """A few of them."""
    leading: tuple[Weighted, ...]
    """The inputs that contribute most there, with their mean contribution."""


class ClustersReport(Documented):
    """Whether the top examples fall into groups."""

    count: int
    """Number of groups; 1 where the grouping is no better than chance."""
    examples: Quantity
    """Top examples that were grouped."""
    silhouette: Quantity | None
    """Mean silhouette of the best grouping; null where there were too few examples."""
    low: Quantity | None
    """Lower end of its 95 % interval."""
    high: Quantity | None
    """Upper end."""
    threshold: Quantity
    """What it must pass."""
    clusters: tuple[ClusterReport, ...]
    """The best grouping, whether or not it passes."""


class FactorReport(Documented):
    """One group of inputs that the unit reads alike."""

    label: str
    """Its name on the page."""
    share: Quantity
    """Of the weights' sum of squares."""
    kernel: Kernel
    """How the unit reads the group."""
    channels: tuple[Weighted, ...]
    """Its heaviest inputs."""
    picture: Picture
    """What drives the group, the weighted sum of its inputs' activations."""
    reached: Quantity
    """The group's highest value at any position of the picture."""
    photo_best: Quantity
    """Its highest value at any position of any photo."""
    photo_best_name: str
    """The photo that gave it."""
    verdict: Verdict
    """Whether the picture passes the photos and had stopped rising."""


class FactorsReport(Documented):
    """Few patterns behind many kernel slices."""

    factors: tuple[FactorReport, ...]
    """The groups, largest share first."""
    explained: Quantity | None
    """Share of the weights' sum of squares that they hold together; null where all weights are zero."""
    scale: Quantity
    """Largest absolute coefficient: the ends of the colour scale."""


class ClassReport(Documented):
    """A class of the classifier."""

    label: str
    """Its name."""
    change: Change
    """Of its logit over the photos on which the unit fires, the unit at zero less as it is."""


class DownstreamReport(Documented):
    """What zeroing the unit does to the classifier."""

    photos: Quantity
    """Photos on which it fires."""
    looked: Quantity
    """Photos that were looked at."""
    changed: Quantity
    """Of those on which it fires, how many get another likeliest class."""
    falling: tuple[ClassReport, ...]
    """Classes whose logit falls most."""
    rising: tuple[ClassReport, ...]
    """Classes whose logit rises most."""
    mean_size: Quantity
    """Mean absolute change over all classes."""
