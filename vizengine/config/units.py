"""Settings of a sweep: which units of which layers, and on which processes they are computed."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from vizengine.config.section import Section

ALL = "all"
_RANGE = re.compile(r"(\d+)\s*-\s*(\d+)")
_PATTERN = re.compile(r"[*?\[]")
_EXPECTED = "`all`, an index, a range such as `0-31`, or a list of indices and ranges"

Span: TypeAlias = tuple[int, int | None]
Measure = Literal["strength", "firing", "orientation", "hue", "norm"]


def _spans(value: Any) -> Any:
    """Indices as spans, first and last included; the last of `all` is open."""
    if value is None:
        return None
    if value == ALL:
        return ((0, None),)
    items = value if isinstance(value, (list, tuple)) else [value]
    if not items:
        raise PydanticCustomError("text", "an empty list; expected {expected}", {"expected": _EXPECTED})
    return tuple(_span(each) for each in items)


def _span(item: Any) -> Span:
    if isinstance(item, int) and not isinstance(item, bool) and item >= 0:
        return item, item
    if isinstance(item, tuple) and len(item) == 2:
        return item
    found = _RANGE.fullmatch(item.strip()) if isinstance(item, str) else None
    if found and int(found[1]) <= int(found[2]):
        return int(found[1]), int(found[2])
    raise PydanticCustomError(
        "text", "received {item}; expected {expected}", {"item": str(item), "expected": _EXPECTED}
    )


def _layers(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class UnitsSection(Section):
    """The units of a sweep."""

    layer: Annotated[tuple[str, ...], BeforeValidator(_layers, json_schema_input_type=str | list[str])] = Field(
        min_length=1,
        strict=False,
        description="Their conv layers: a name, a pattern such as `fire*/expand3x3` (`*` stands for all conv layers), "
        "or a list of names and patterns.",
    )
    index: Annotated[
        tuple[Span, ...] | None, BeforeValidator(_spans, json_schema_input_type=int | str | list[int | str] | None)
    ] = Field(
        default=None,
        strict=False,
        description="Their indices in each layer: `all`, a range such as `0-31`, or a list of indices and ranges.",
    )
    top: int | None = Field(
        default=None, ge=1, le=100_000, description="Instead of `index`: how many units of each layer, highest first."
    )
    by: Measure | None = Field(
        default=None,
        description="What `top` goes by. `strength`: the unit's highest pre-activation over photos, in standard "
        "deviations above its mean. `firing`: the share of positions at which it fires. `orientation` and `hue`: its "
        "selectivity for either. `norm`: the L2 norm of its kernel.",
    )

    @model_validator(mode="after")
    def _one_way_to_choose(self) -> UnitsSection:
        if (self.index is None) == (self.top is None) or (self.top is None) != (self.by is None):
            message = "expected either `index`, for example `index: all`, or both `top` and `by`"
            raise PydanticCustomError("text", message)
        return self

    @property
    def measured(self) -> bool:
        """Whether the units are known only once something was measured or the weights were read."""
        return self.top is not None


def _everything(value: Any) -> Any:
    return {"layer": "*", "index": ALL} if value == ALL else value


Units: TypeAlias = Annotated[
    UnitsSection, BeforeValidator(_everything, json_schema_input_type=Literal["all"] | UnitsSection)
]


class ExecutionSection(Section):
    """Processes on this machine that compute the units of sweeps. `workers` and `gpus` need `vizengine[scale]`."""

    workers: int | None = Field(default=None, ge=1, le=4096, description="How many local processes.")
    gpus: int | None = Field(default=None, ge=1, le=64, description="Local processes, one for each of that many GPUs.")
    threads: int | None = Field(
        default=None,
        ge=1,
        le=4096,
        description="Threads of each process. With `workers`, the machine's threads are shared out among them where it "
        "is left out; elsewhere TensorFlow chooses.",
    )

    @model_validator(mode="after")
    def _one_place(self) -> ExecutionSection:
        if self.workers is not None and self.gpus is not None:
            raise PydanticCustomError("text", "expected one of `workers` and `gpus`")
        return self


def says_many(unit: Any) -> bool:
    """Whether the `unit` of a circuit, as it stands in the file, asks for a sweep."""
    if not isinstance(unit, dict):
        return bool(unit == ALL)
    layer, index = unit.get("layer"), unit.get("index")
    return (
        bool({"top", "by"} & unit.keys())
        or isinstance(layer, list)
        or (isinstance(layer, str) and bool(_PATTERN.search(layer)))
        or isinstance(index, list)
        or (isinstance(index, str) and (index == ALL or bool(_RANGE.fullmatch(index.strip()))))
    )
