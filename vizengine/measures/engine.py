"""Measure a unit: each measurement once, each photo through the network once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vizengine.cache import Stage
from vizengine.measures import MEASURES
from vizengine.measures.inputs import Circuit
from vizengine.measures.measure import Measure
from vizengine.measures.photos import Photo
from vizengine.measures.readings import Slices
from vizengine.measures.stream import PHOTO, EvidenceSettings, Remember, Streamed, stream
from vizengine.measures.unit import Forward, Positions
from vizengine.network.architecture import Architecture
from vizengine.network.model import Network

BY_NAME: Mapping[str, Measure] = {measure.name: measure for measure in MEASURES}
# Gives a stage's result from an earlier run with the same key, or else calls what computes it.
Keep = Callable[[Stage[Any], Mapping[str, object], Callable[[], Any]], Any]


class Evidence:
    """What was measured of one unit: `evidence.NAME` is the result of `vizengine/measures/NAME.py`."""

    def __init__(self, results: Mapping[str, Any]) -> None:
        self._results = dict(results)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._results:
            raise AttributeError(f"nothing of the name {name!r} was measured; there are {', '.join(BY_NAME)}")
        return self._results[name]

    def __dir__(self) -> Iterable[str]:
        return sorted(self._results)


@dataclass(eq=False)
class Sources:
    """What measurements read besides each other's results.

    Attributes:
        open_network: opens the network, with all weights up to the unit.
        photos: readable ones, at least one.
        image: (height, width, 3) uint8, the unit's feature visualization.
        labels: class names in the order of the classifier's outputs, where the config names them.
        earlier: earlier layers that are compared with the unit.
        missing_classifier: why the network can't classify photos; empty where it can.
        slices_of: a conv layer's kernel, or None where its weights aren't there.
        advance: called with 1 after each photo.
        remember: as for `stream`.
    """

    open_network: Callable[[], Network]
    architecture: Architecture
    circuit: Circuit
    photos: Sequence[Photo]
    image: NDArray[np.uint8]
    settings: EvidenceSettings
    labels: Sequence[str] = ()
    earlier: Sequence[str] = ()
    missing_classifier: str = ""
    slices_of: Callable[[str], Slices | None] = lambda layer: None
    advance: Callable[[int], None] = lambda count: None
    remember: Remember = lambda photo, rate, compute: compute()

    @cached_property
    def network(self) -> Network:
        """The network; loads TensorFlow."""
        return self.open_network()

    @cached_property
    def forward(self) -> Forward:
        """The network up to the unit."""
        return Forward(self.network, self.circuit)

    @cached_property
    def picture(self) -> Positions:
        """All positions of the unit on its feature visualization."""
        unit_map = self.forward.one(self.image.astype(np.float32) / 255.0).unit_map
        return unit_map.at(np.arange(unit_map.pre.size))


class Engine:
    """The measurements of one unit.

    Args:
        facts: what results depend on besides the network and the code, by what reads it, for their keys.
        keep: keeps results.
    """

    def __init__(
        self,
        sources: Sources,
        facts: Mapping[str, object] = {},
        keep: Keep = lambda stage, key, compute: compute(),
    ) -> None:
        self._sources = sources
        self._facts = facts
        self._keep = keep
        self._results: dict[str, Any] = {}

    def result(self, name: str) -> Any:
        """The result of one measurement, measured at most once."""
        if name not in self._results:
            measure = BY_NAME[name]
            self._results[name] = self._keep(
                stage_of(measure),
                self.key(measure),
                lambda: measure.compute(**{read: self._read(read) for read in measure.reads}),
            )
        return self._results[name]

    def evidence(self) -> Evidence:
        """The results of all measurements."""
        return Evidence({measure.name: self.result(measure.name) for measure in MEASURES})

    def key(self, measure: Measure) -> dict[str, object]:
        """What a result depends on besides the network and the versions of its stages."""
        circuit, names = self._sources.circuit, _everything_read(measure)
        if "streamed" in names:
            names |= {"photos", "settings"}
        facts = {name: self._facts[name] for name in sorted(names & self._facts.keys())}
        return {"layer": circuit.layer, "unit": circuit.unit, "inputs": circuit.top, **facts}

    def _read(self, name: str) -> Any:
        if name == "streamed":
            return self._streamed
        return self.result(name) if name in BY_NAME else getattr(self._sources, name)

    @cached_property
    def _streamed(self) -> Streamed:
        sources, factors = self._sources, self.result("factors").factors
        directions = np.array([factor.channels for factor in factors]).reshape(-1, len(sources.circuit.inputs)).T
        return stream(sources.forward, sources.photos, sources.settings, directions, sources.advance, sources.remember)


def stage_of(measure: Measure) -> Stage[Any]:
    """The stage under which a measurement is kept."""
    reads = [stage_of(BY_NAME[name]) for name in measure.reads if name in BY_NAME]
    if "streamed" in measure.reads:
        reads.append(PHOTO)
    return Stage(measure.name.replace("_", "-"), measure.result, measure.version, (measure.compute,), tuple(reads))


def _everything_read(measure: Measure) -> set[str]:
    measures = [BY_NAME[name] for name in measure.reads if name in BY_NAME]
    return set(measure.reads).union(*map(_everything_read, measures))
