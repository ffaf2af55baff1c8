"""The parts of the report that tell of further pictures of the unit."""

from __future__ import annotations

from vizengine.report.figures import Documented, Picture, Quantity


class VariantPicture(Documented):
    """Another picture that excites the unit."""

    picture: Picture
    """The picture."""
    reached: Quantity
    """Highest pre-activation at any position of it."""
    name: str
    """What sets it apart, for example `seed 1`."""


class StudyReport(Documented):
    """Further pictures of the unit: its opposite, other seeds, other ways to excite it."""

    negative: Picture
    """The picture that the unit is most against."""
    negative_reached: Quantity
    """Lowest pre-activation at any position of it."""
    negative_photo: Quantity
    """Lowest pre-activation at any position of any photo."""
    negative_photo_name: str
    """The photo that gives it."""
    negative_converged: bool
    """Whether the picture is below the photo and its trace had become flat."""
    seeds: tuple[VariantPicture, ...]
    """Pictures from other seeds."""
    spread: Quantity | None
    """Standard deviation of what the seeds' pictures reach, over its mean, in percent; null where the mean is 0."""
    likeness: Quantity
    """Mean cosine between the seeds' pictures in the layer's own mean activations, 0 to 1."""
    control: Quantity | None
    """The same between the unit's picture and those of other units; null where the config names none."""
    diverse: tuple[VariantPicture, ...]
    """Pictures that excite the unit and were pushed apart."""
    film: Picture | None
    """The unit's picture as it formed, 16 frames side by side from the left; null unless the config asks for it."""
