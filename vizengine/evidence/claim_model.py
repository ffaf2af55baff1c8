"""Claims that a hypothesis can make of a unit, as plain data, and how they are read from plain mappings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from vizengine.evidence.stimuli import Family, Stimulus
from vizengine.evidence.transforms import KINDS, Kind


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
