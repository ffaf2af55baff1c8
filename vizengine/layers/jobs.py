"""Which layers and units a sweep names. Nothing here needs the network's weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Literal

from vizengine.config.schema import SweepSection, UnitsSection
from vizengine.network.architecture import Architecture, expected_layers, nearest_layers, no_such_layer, readable_layers

Flaw = tuple[tuple[str | int, ...], str]


def chosen_layers(units: UnitsSection, architecture: Architecture) -> tuple[str, ...]:
    """The conv layers that a sweep names, in order of computation, without those whose units can't have pages."""
    return tuple(name for name in _named_layers(units, architecture) if not architecture.obstacle(name))


def left_out(units: UnitsSection, architecture: Architecture) -> tuple[str, ...]:
    """Why each conv layer that a sweep names and whose units can't have pages is left out."""
    return tuple(filter(None, map(architecture.obstacle, _named_layers(units, architecture))))


def _named_layers(units: UnitsSection, architecture: Architecture) -> tuple[str, ...]:
    return tuple(
        layer.name
        for layer in architecture.conv_layers
        if any(fnmatchcase(layer.name, pattern) for pattern in units.layer)
    )


def named_units(units: UnitsSection, channels: int) -> tuple[int, ...]:
    """The units of a layer of so many channels that a sweep names by their indices, ascending."""
    ranges = [range(first, channels if last is None else min(last + 1, channels)) for first, last in units.index or ()]
    return tuple(sorted(set().union(*ranges)))


def source_layers(architecture: Architecture, layer: str) -> tuple[str, ...]:
    """The makers of a conv layer's inputs, each once; `input` for the colours of the image."""
    return tuple(dict.fromkeys(source.layer for source in architecture.source_channels(layer)))


def selection_flaws(section: SweepSection, architecture: Architecture) -> Iterator[Flaw]:
    """What is wrong with the layers and units that a sweep names."""
    names = [layer.name for layer in architecture.conv_layers]
    for place, pattern in enumerate(section.unit.layer):
        if not any(fnmatchcase(name, pattern) for name in names):
            nearest = nearest_layers(pattern, readable_layers(architecture))
            hint = f"did you mean {nearest[0]}? Expected" if nearest else "expected"
            where = ("unit", "layer", place) if len(section.unit.layer) > 1 else ("unit", "layer")
            yield where, f"{no_such_layer(pattern, architecture)}; {hint} {expected_layers(architecture)}"
    refused = left_out(section.unit, architecture)
    if refused and not chosen_layers(section.unit, architecture):
        yield ("unit", "layer"), refused[0]
    for layer in chosen_layers(section.unit, architecture):
        channels = architecture.channels(layer)
        for first, last in section.unit.index or ():
            highest = first if last is None else last
            if highest >= channels:
                yield (
                    ("unit", "index"),
                    f"unit {highest} is out of range; expected 0 to {channels - 1}, since {layer} has {channels} units",
                )
                return


# Photos of one survey job; a larger set is shared out among processes.
PHOTOS_OF_A_JOB = 64


@dataclass(frozen=True)
class Job:
    """One piece of work.

    Attributes:
        kind: `survey` (some photos through a layer), `selectivity` (drawn stimuli through a layer), `pictures`, or
            `groups` (units' top examples by what drove them).
        channels: whose pictures or groups; empty for the others.
        part: which photos of a survey, as a count of `PHOTOS_OF_A_JOB`.
    """

    kind: Literal["survey", "selectivity", "pictures", "groups"]
    layer: str
    channels: tuple[int, ...] = ()
    part: int = 0

    @property
    def title(self) -> str:
        """The job in words."""
        if self.channels:
            first, last = self.channels[0], self.channels[-1]
            which = str(first) if first == last else f"{first} to {last}"
            return f"{'pictures' if self.kind == 'pictures' else 'groups of examples'} of {self.layer}:{which}"
        return f"photos through {self.layer}" if self.kind == "survey" else f"stimuli through {self.layer}"

    def halves(self) -> tuple[Job, Job]:
        """The same pictures in two jobs."""
        middle = len(self.channels) // 2
        return replace(self, channels=self.channels[:middle]), replace(self, channels=self.channels[middle:])


@dataclass(frozen=True)
class Done:
    """A job whose result is kept, the processor seconds of all its threads, and the process that did it, in words."""

    job: Job
    seconds: float
    processor_seconds: float
    worker: str


@dataclass(frozen=True)
class Failed:
    """A job that gave no result, and why, in words."""

    job: Job
    reason: str
