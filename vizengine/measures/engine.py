"""Measure a unit: each measurement once, each photo through the network once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vizengine.cache import Stage
from vizengine.measures import MEASURES
from vizengine.measures.inputs import Circuit
from vizengine.measures.measure import Measure, parameters
from vizengine.measures.photos import Photo
from vizengine.measures.stream import PHOTO, EvidenceSettings, Remember, Streamed, stream
from vizengine.measures.unit import Forward, Positions
from vizengine.network.architecture import Architecture
from vizengine.network.model import Network
from vizengine.network.probes import has_classifier

BY_NAME: Mapping[str, Measure] = {measure.name: measure for measure in MEASURES}
# The stages behind what `Sources` has, and which facts of it a result depends on.
_SOURCE_STAGES: Mapping[str, tuple[Stage[Any], ...]] = {"streamed": (PHOTO,)}
_FACTS: Mapping[str, tuple[str, ...]] = {
    "photos": ("photos",),
    "streamed": ("photos", "settings"),
    "settings": ("settings",),
    "picture": ("picture",),
    "labels": ("labels",),
    "earlier": ("earlier",),
    "missing_classifier": ("missing_classifier",),
}


class Keep(Protocol):
    """Gives a stage's result from an earlier run with the same key, or else calls what computes it."""

    def __call__(self, stage: Stage[Any], key: Mapping[str, object], compute: Callable[[], Any]) -> Any: ...


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


class Sources:
    """What measurements read besides each other's results; each is made when it is first read.

    Args:
        network: opens the network; it needs all weights up to the unit.
        architecture: the network's layers.
        circuit: the unit.
        photos: readable ones, at least one.
        picture: (height, width, 3) uint8, the unit's feature visualization.
        settings: how much is measured.
        labels: class names in the order of the classifier's outputs, where the config names them.
        earlier: earlier layers that are compared with the unit.
        missing_classifier: why the network can't classify photos; empty where it can.
        kernel_of: a conv layer's kernel, (height, width, in, out), or None where its weights aren't there.
        advance: called with 1 after each photo.
        remember: as for `stream`.
    """

    def __init__(
        self,
        network: Callable[[], Network],
        architecture: Architecture,
        circuit: Circuit,
        photos: Sequence[Photo],
        picture: NDArray[np.uint8],
        settings: EvidenceSettings,
        labels: Sequence[str] = (),
        earlier: Sequence[str] = (),
        missing_classifier: str = "",
        kernel_of: Callable[[str], NDArray[np.float32] | None] = lambda layer: None,
        advance: Callable[[int], None] = lambda count: None,
        remember: Remember = lambda photo, rate, compute: compute(),
    ) -> None:
        self._open = network
        self.architecture = architecture
        self.circuit = circuit
        self.photos = photos
        self._image = picture
        self.settings = settings
        self.labels = labels
        self.earlier = earlier
        self.missing_classifier = missing_classifier
        self.kernel_of = kernel_of
        self.advance = advance
        self._remember = remember

    @cached_property
    def network(self) -> Network:
        """The network; loads TensorFlow."""
        return self._open()

    @cached_property
    def forward(self) -> Forward:
        """The network up to the unit."""
        return Forward(self.network, self.circuit)

    @cached_property
    def picture(self) -> Positions:
        """All positions of the unit on its feature visualization."""
        unit_map = self.forward.one(self._image.astype(np.float32) / 255.0).unit_map
        return unit_map.at(np.arange(unit_map.pre.size))

    def stream(self, directions: NDArray[np.float64]) -> Streamed:
        """What one pass over the photos gives.

        Args:
            directions: (inputs, groups) weights of groups of input channels, as for `stream`.
        """
        return stream(self.forward, self.photos, self.settings, directions, self.advance, self._remember)


class Engine:
    """The measurements of one unit.

    Args:
        sources: what is measured.
        facts: what results depend on besides the network and the code, by the names of `_FACTS`, for their keys.
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
            self._results[name] = self._keep(stage_of(measure), self.key(measure), lambda: self._compute(measure))
        return self._results[name]

    def evidence(self) -> Evidence:
        """The results of all measurements."""
        return Evidence({measure.name: self.result(measure.name) for measure in MEASURES})

    def key(self, measure: Measure) -> dict[str, object]:
        """What a result depends on besides the network and the versions of its stages."""
        circuit = self._sources.circuit
        needed = {fact for name in _everything_read(measure) for fact in _FACTS.get(name, ())}
        facts = {fact: self._facts[fact] for fact in sorted(needed) if fact in self._facts}
        return {"layer": circuit.layer, "unit": circuit.unit, "inputs": circuit.top, **facts}

    def _compute(self, measure: Measure) -> Any:
        return measure.compute(**{name: self._read(name) for name in measure.reads})

    def _read(self, name: str) -> Any:
        if name == "streamed":
            return self._streamed
        return self.result(name) if name in BY_NAME else getattr(self._sources, name)

    @cached_property
    def _streamed(self) -> Streamed:
        factors = self.result("factors").factors
        inputs = len(self._sources.circuit.inputs)
        return self._sources.stream(np.array([factor.channels for factor in factors]).reshape(-1, inputs).T)


def stage_of(measure: Measure) -> Stage[Any]:
    """The stage under which a measurement is kept."""
    reads = [stage_of(BY_NAME[name]) for name in measure.reads if name in BY_NAME]
    reads += [stage for name in measure.reads for stage in _SOURCE_STAGES.get(name, ())]
    return Stage(measure.name.replace("_", "-"), measure.result, measure.version, (measure.compute,), tuple(reads))


def _everything_read(measure: Measure) -> set[str]:
    names = set(measure.reads)
    for name in measure.reads:
        if name in BY_NAME:
            names |= _everything_read(BY_NAME[name])
    return names


def measure(
    network: Network,
    circuit: Circuit,
    photos: Sequence[Photo],
    picture: NDArray[np.uint8],
    settings: EvidenceSettings,
    advance: Callable[[int], None] = lambda count: None,
    remember: Remember = lambda photo, rate, compute: compute(),
) -> Evidence:
    """Measure a unit without keeping anything; the arguments are those of `Sources`.

    Raises:
        ValueError: there are no photos.
    """
    sources = Sources(
        lambda: network,
        network.architecture,
        circuit,
        photos,
        picture,
        settings,
        missing_classifier="" if has_classifier(network) else "The network has no classifier.",
        advance=advance,
        remember=remember,
    )
    return Engine(sources).evidence()


def reported(measure: Measure, values: Mapping[str, Any]) -> Any:
    """What the page says of a measurement.

    Args:
        measure: one that has a report.
        values: results by name, `circuit` and `group_pictures`.
    """
    assert measure.report is not None
    return measure.report(**{name: values[name] for name in parameters(measure.report)})
