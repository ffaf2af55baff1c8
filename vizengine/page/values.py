"""The measured values that a hypothesis can name, and their names, from one table each.

Names are flat and dotted: `unit.reached`, `top1.norm`, `channel_124.rank`, `sibling_8.ratio`. They follow
from the config and the number of input channels alone, so that a config can be checked before anything
is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vizengine.figures.quantities import Quantity
from vizengine.measures import MEASURES
from vizengine.measures.inputs import InputSlice, StrongInput, Totals
from vizengine.measures.measure import Value
from vizengine.pictures.view import Feature

if TYPE_CHECKING:
    from vizengine.page.report import EvidenceReport, NetworkReport

NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class UnitValues:
    """The unit's own: its picture, its bias and what was measured of it."""

    feature: Feature
    bias: Quantity
    network: NetworkReport
    totals: Totals
    evidence: EvidenceReport


FEATURE: Mapping[str, Callable[[Feature], Value]] = {
    "reached": lambda feature: feature.reached,
    "mean": lambda feature: feature.mean,
    "photo_best": lambda feature: feature.photo_best,
    "photo_best_name": lambda feature: feature.photo_best_name or None,
    "ratio": lambda feature: feature.ratio,
    "verdict": lambda feature: feature.verdict,
    "steps": lambda feature: feature.trace.steps if feature.trace else None,
}
SLICE: Mapping[str, Callable[[InputSlice], Value]] = {
    "index": lambda each: each.index,
    "label": lambda each: each.label,
    "layer": lambda each: each.layer,
    "channel": lambda each: each.channel,
    "norm": lambda each: each.norm,
    "share": lambda each: each.share,
    "rank": lambda each: each.rank,
    "sum": lambda each: each.total,
    "contribution": lambda each: each.contribution,
    "photo_contribution": lambda each: each.photo_size,
    "sign": lambda each: each.sign,
    "by_count": lambda each: each.by_count,
    "by_mass": lambda each: each.by_mass,
    "positive_count": lambda each: each.positive_count,
    "negative_count": lambda each: each.negative_count,
    "positive_mass": lambda each: each.positive_mass,
    "negative_mass": lambda each: each.negative_mass,
    "smallest": lambda each: each.kernel.smallest,
    "largest": lambda each: each.kernel.largest,
}
UNIT: Mapping[str, Callable[[UnitValues], Value]] = {
    "layer": lambda unit: unit.feature.layer,
    "index": lambda unit: unit.feature.channel,
    "label": lambda unit: unit.feature.label,
    "bias": lambda unit: unit.bias,
    "receptive_field": lambda unit: unit.network.receptive_field,
}
NETWORK: Mapping[str, Callable[[NetworkReport], Value]] = {
    "name": lambda network: network.name,
    "title": lambda network: network.title,
    "parameters": lambda network: network.parameters,
    "input_size": lambda network: network.input_size,
}
INPUTS: Mapping[str, Callable[[Totals], Value]] = {
    "count": lambda totals: totals.inputs,
    "coefficients": lambda totals: totals.coefficients,
}
TOP: Mapping[str, Callable[[Totals], Value]] = {
    "count": lambda totals: totals.shown,
    "excitatory": lambda totals: totals.excitatory,
    "inhibitory": lambda totals: totals.inhibitory,
    "mixed": lambda totals: totals.mixed,
    "share": lambda totals: totals.share,
    "pictures": lambda totals: totals.pictures,
    "converged": lambda totals: totals.converged,
}


def value_names(input_count: int, top: int, siblings: Sequence[int]) -> frozenset[str]:
    """All names that a hypothesis can use.

    Args:
        input_count: input channels of the unit.
        top: how many of the strongest the config asks for.
        siblings: indices of the units to compare with.
    """
    names = {f"network.{key}" for key in NETWORK}
    names.update(f"inputs.{key}" for key in INPUTS)
    names.update(f"top.{key}" for key in TOP)
    names.update(f"unit.{key}" for key in (*UNIT, *FEATURE))
    names.update(name for measure in MEASURES for name in measure.values)
    of_inputs = [name for measure in MEASURES for name in measure.input_values]
    for place in range(1, min(top, input_count) + 1):
        names.update(f"top{place}.{key}" for key in (*SLICE, *FEATURE, *of_inputs))
    for index in range(input_count):
        names.update(f"channel_{index}.{key}" for key in SLICE)
    for index in siblings:
        names.update(f"sibling_{index}.{key}" for key in ("index", *FEATURE))
    return frozenset(names)


def measured_values(
    unit: UnitValues, inputs: Sequence[InputSlice], strongest: Sequence[StrongInput], siblings: Sequence[Feature]
) -> dict[str, str]:
    """The text of every value, by name; `not measured` where there is none."""
    return {name: _text(value) for name, value in _pairs(unit, inputs, strongest, siblings)}


def _pairs(
    unit: UnitValues, inputs: Sequence[InputSlice], strongest: Sequence[StrongInput], siblings: Sequence[Feature]
) -> Iterator[tuple[str, Value]]:
    yield from ((f"network.{key}", get(unit.network)) for key, get in NETWORK.items())
    yield from ((f"inputs.{key}", get(unit.totals)) for key, get in INPUTS.items())
    yield from ((f"top.{key}", get(unit.totals)) for key, get in TOP.items())
    yield from ((f"unit.{key}", get(unit)) for key, get in UNIT.items())
    yield from _of_feature("unit", unit.feature)
    for measure in MEASURES:
        part: Any = getattr(unit.evidence, measure.reported_as, None)
        yield from ((name, get(part)) for name, get in measure.values.items())
        if measure.input_values:
            for place, effect in enumerate(part.inputs, start=1):
                yield from ((f"top{place}.{name}", get(effect)) for name, get in measure.input_values.items())
    for place, strong in enumerate(strongest, start=1):
        yield from _of_slice(f"top{place}", strong.slice)
        yield from _of_feature(f"top{place}", strong.feature)
    for each in inputs:
        yield from _of_slice(f"channel_{each.index}", each)
    for sibling in siblings:
        yield f"sibling_{sibling.channel}.index", sibling.channel
        yield from _of_feature(f"sibling_{sibling.channel}", sibling)


def _of_feature(prefix: str, feature: Feature) -> Iterator[tuple[str, Value]]:
    return ((f"{prefix}.{key}", get(feature)) for key, get in FEATURE.items())


def _of_slice(prefix: str, each: InputSlice) -> Iterator[tuple[str, Value]]:
    return ((f"{prefix}.{key}", get(each)) for key, get in SLICE.items())


def _text(value: Value) -> str:
    if value is None:
        return NOT_MEASURED
    return value.shown if isinstance(value, Quantity) else str(value)
