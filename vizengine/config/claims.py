"""What a hypothesis may claim of a unit, as pydantic models: one setting for each kind of claim."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer, model_validator
from pydantic_core import PydanticCustomError

from vizengine.config.section import Section


def _wrong(expected: str) -> PydanticCustomError:
    return PydanticCustomError("claim", "{expected}", {"expected": expected})


def _read_input(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, str)) or value == "" or value == " ":
        raise _wrong("the index of an input channel, as 244, or its label, as `block3_conv2:244`")
    if isinstance(value, int) and value < 0:
        raise _wrong("the index of an input channel, at least 0")
    return value


def _read_range(value: Any) -> Any:
    ends = value if isinstance(value, (list, tuple)) else (value, value)
    numbers = all(isinstance(end, (int, float)) and not isinstance(end, bool) for end in ends)
    if len(ends) != 2 or not numbers or not ends[0] <= ends[1]:
        raise _wrong("a number, or the lowest and the highest, as [3, 8]")
    return tuple(ends)


def _read_top(value: Any) -> Any:
    match = re.fullmatch(r"top([1-9]\d*)", value) if isinstance(value, str) else None
    if match:
        return int(match[1])
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise _wrong("how many of the strongest inputs, as `top6`")
    return value


def _read_arrangement(value: Any) -> Any:
    return True if value is True else _read_input(value)


Arrangement: TypeAlias = Annotated[
    Any, BeforeValidator(_read_arrangement, json_schema_input_type=Literal[True] | int | str)
]
Input: TypeAlias = Annotated[Any, BeforeValidator(_read_input, json_schema_input_type=int | str)]
Bounds: TypeAlias = Annotated[
    Any,
    BeforeValidator(
        _read_range, json_schema_input_type=float | Annotated[list[float], Field(min_length=2, max_length=2)]
    ),
]
Top: TypeAlias = Annotated[Any, BeforeValidator(_read_top, json_schema_input_type=int | str)]


class Chosen(Section):
    """Base of sections whose settings are alternatives: what isn't set is left out of dumps."""

    @model_serializer(mode="wrap")
    def _without_what_is_not_set(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if value is not None}

    def _chosen(self, section: type[Section]) -> list[str]:
        """The settings of a section, this one or its base, that are set."""
        return [name for name in section.model_fields if getattr(self, name) is not None]


class BoundsSection(Chosen):
    """Which stimuli of a family: each parameter a number, or its lowest and highest value. Lengths are in pixels."""

    polarity: Literal["light", "dark"] | None = Field(default=None, description="`light` on dark, or `dark` on light.")
    hue: Bounds | None = Field(default=None, description="Of the light part, 0 to 360.")
    brightness: Bounds | None = Field(default=None, description="Of the light part, 0 to 1.")
    radius: Bounds | None = Field(default=None, description="Of a disk, a ring or a curve.")
    width: Bounds | None = Field(
        default=None, description="Of the lines of a ring, bar, cross, lattice, curve or corner."
    )
    orientation: Bounds | None = Field(default=None, description="In degrees, counter-clockwise from the right.")
    frequency: Bounds | None = Field(
        default=None, description="Of a grating or lattice, in cycles per receptive field."
    )
    phase: Bounds | None = Field(default=None, description="Of a grating or lattice at the centre, 0 to 360.")
    blur: Bounds | None = Field(default=None, description="Standard deviation of a blurred disk's blur.")
    x: Bounds | None = Field(default=None, description="Of a shifted disk's centre, to the right.")
    y: Bounds | None = Field(default=None, description="Of a shifted disk's centre, down.")
    scale: Bounds | None = Field(default=None, description="Factor on a scaled bar's width and length.")

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """Lowest and highest value of each bounded parameter."""
        return {name: value for name, value in self if name != "polarity" and value is not None}


class StimuliSection(Chosen):
    """One family of drawn stimuli; `{}` means all of it."""

    form: ClassVar[str] = "{disk: {}}"

    disk: BoundsSection | None = Field(default=None, description="Filled disks of any hue, light or dark.")
    ring: BoundsSection | None = Field(default=None, description="Rings of any radius.")
    bar: BoundsSection | None = Field(default=None, description="Bars of any orientation.")
    cross: BoundsSection | None = Field(default=None, description="Two bars that cross at a right angle.")
    grating: BoundsSection | None = Field(default=None, description="Stripes with soft edges.")
    lattice: BoundsSection | None = Field(
        default=None, description="Lines that cross at a right angle, again and again."
    )
    edge: BoundsSection | None = Field(default=None, description="A light half and a dark one.")
    curve: BoundsSection | None = Field(default=None, description="Arcs of any radius, turned.")
    corner: BoundsSection | None = Field(default=None, description="Filled right angles, turned.")
    lined_corner: BoundsSection | None = Field(default=None, description="Right angles of two lines, turned.")
    uniform: BoundsSection | None = Field(default=None, description="Plain colours and greys.")
    blur: BoundsSection | None = Field(default=None, description="One disk, blurred more and more.")
    position: BoundsSection | None = Field(default=None, description="One disk, shifted.")
    scale: BoundsSection | None = Field(default=None, description="Bars from small to large.")

    @property
    def family(self) -> str:
        """Name of the family."""
        return self._chosen(StimuliSection)[0]

    @property
    def bounds(self) -> BoundsSection:
        """Which stimuli of the family."""
        bounds: BoundsSection = getattr(self, self.family)
        return bounds

    @model_validator(mode="after")
    def _names_one_family(self) -> StimuliSection:
        if len(self._chosen(StimuliSection)) != 1:
            families = ", ".join(StimuliSection.model_fields)
            raise _wrong(f"one family of stimuli, {{}} for all of it, as `disk: {{radius: [3, 8]}}`: {families}")
        return self


class PrefersSection(StimuliSection):
    """One family of drawn stimuli, and another that the unit answers to less."""

    form: ClassVar[str] = "{disk: {}, over: {bar: {}}}"

    over: StimuliSection = Field(description="The stimuli that the unit answers to less.")


class SufficientSection(Section):
    """How many of the strongest inputs are enough, and for what."""

    inputs: Top = Field(description="How many of the strongest by norm, as `top6`.")
    correlation: float = Field(
        ge=-1, le=1, strict=False, description="Least correlation with the whole unit over positions in photos."
    )


class ClaimSection(Chosen):
    """One claim, held against the measurements: supported, contradicted or undecided."""

    form: ClassVar[str] = "{excites: 12}"

    excites: Input | None = Field(default=None, description="This input, by index or label, excites the unit.")
    inhibits: Input | None = Field(default=None, description="This input, by index or label, inhibits the unit.")
    stands_out: Input | None = Field(
        default=None, description="This input, by index or label, gives or takes more than inputs of like norm."
    )
    arranged: Arrangement | None = Field(
        default=None,
        description="The arrangement of the weights drives the unit further than the same weights shuffled: `true` of "
        "the whole kernel, or an input by index or label.",
    )
    prefers: PrefersSection | None = Field(
        default=None,
        description="It answers more to some drawn stimuli than to others, of each of which it takes 8 at least.",
    )
    invariant_to: Literal["rotation", "scale", "hue", "polarity", "position", "blur"] | None = Field(
        default=None, description="It keeps answering to its own top patches as this changes."
    )
    polysemantic: bool | None = Field(
        default=None, description="Whether its top examples fall into groups that different inputs drive."
    )
    sufficient: SufficientSection | None = Field(
        default=None, description="Its strongest inputs alone are enough to follow it."
    )

    @property
    def kind(self) -> str:
        """Name of the setting that is there."""
        return self._chosen(ClaimSection)[0]

    @model_validator(mode="after")
    def _makes_one_claim(self) -> ClaimSection:
        if len(self._chosen(ClaimSection)) != 1:
            names = ", ".join(f"`{name}`" for name in ClaimSection.model_fields)
            raise _wrong(f"one claim of {names}, each on a line of its own that begins with a dash")
        return self
