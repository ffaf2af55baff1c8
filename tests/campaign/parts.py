"""What each photo gives of a unit, kept on disk, and the evidence that any of the photos give together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray

from tests.places import REPOSITORY
from vizengine.cache import Cache
from vizengine.config.network import NetworkSection
from vizengine.measures.ablations import like_norm, mean_contributions
from vizengine.measures.by_photo import Correlations, Drive, correlations
from vizengine.measures.inputs import Circuit, analyse
from vizengine.measures.patches import KINDS
from vizengine.measures.photos import Photo
from vizengine.measures.statistics import SHUFFLES
from vizengine.measures.stream import (
    PHOTO,
    EvidenceSettings,
    Extremes,
    PhotoPart,
    Sample,
    Selectors,
    identity,
    photo_part,
    shuffled_kernels,
)
from vizengine.measures.tuning import TUNING, measure_tuning
from vizengine.measures.unit import Forward, Positions
from vizengine.network.model import Network
from vizengine.network.source import open_source

TOP = 6
"""Inputs that a page shows."""
DRAWS = SHUFFLES + 1
"""Shuffled kernels: one stands for the unit, and the others are its null."""
_SAMPLED = 512
_VERSION = 1


@dataclass(frozen=True)
class Units:
    """A network and units of it.

    Attributes:
        section: as in a config.
        units: layer and index.
    """

    section: NetworkSection
    units: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Parts:
    """What each photo gave of one unit and of the units with its kernel shuffled.

    Attributes:
        contributions: (photos, 1 + draws, inputs) float64, mean contributions where each of them is strongest: of the
            unit, then of each shuffled draw.
        sums: (photos, 6, 1 + draws, `TOP`) float64, for `correlations`, of each of them with its first inputs by norm.
        invariances: (photos, kinds) float64, of the unit; not a number where a photo holds no whole patch.
    """

    contributions: NDArray[np.float64]
    sums: NDArray[np.float64]
    invariances: NDArray[np.float64]


@dataclass(frozen=True)
class Subject:
    """A unit and its parts."""

    circuit: Circuit
    parts: Parts

    @property
    def channels(self) -> list[int]:
        """The strongest inputs by norm, and those that give or take most over all photos."""
        most = np.argsort(-np.abs(self.parts.contributions[:, 0].mean(axis=0)), kind="stable")[:TOP]
        return sorted({*most.tolist(), *(channel.index for channel in self.circuit.strongest)})


def subjects(wanted: Units, photos: Sequence[Photo], patches: bool) -> Iterator[Subject]:
    """The units of one network, measured or from an earlier run; none where its weights aren't on this machine.

    Args:
        wanted: network and units.
        photos: at least one.
        patches: whether invariances are wanted.
    """
    cache = Cache(REPOSITORY / ".vizengine-cache")
    layers = tuple(dict.fromkeys(layer for layer, _ in wanted.units))
    source = open_source(wanted.section, layers, REPOSITORY, cache)
    if source.missing_weights:
        return
    seen = [identity(photo.pixels()) for photo in photos]
    for layer, unit in wanted.units:
        kernel, bias = source.kernel_and_bias(layer)
        circuit = analyse(layer, unit, kernel, bias, source.architecture.source_channels(layer, unit), TOP)
        key = {
            "weights": source.identity.sha256,
            "unit": [layer, unit],
            "photos": seen,
            "patches": patches,
            "versions": {"campaign": _VERSION, "photo": PHOTO.version, "tuning": TUNING.version},
        }
        parts = cache.get_or_compute(
            "campaign-parts", key, Parts, lambda circuit=circuit: measure(source.network, circuit, photos, patches)
        )
        yield Subject(circuit, parts)


def measure(network: Network, circuit: Circuit, photos: Sequence[Photo], patches: bool) -> Parts:
    """Each photo through the network once, by the tool's own functions."""
    forward = Forward(network, circuit)
    kernels = np.concatenate([shuffled_kernels(forward.kernel, 0), shuffled_kernels(forward.kernel, 1)[:1]])
    none = Extremes(0, 0, 1)
    selectors = Selectors(none, none, none, none, Sample(_SAMPLED, 0), kernels)
    groups = np.zeros((len(circuit.inputs), 0))
    photo_parts = [photo_part(forward, photo, selectors, groups).of_photo(place) for place, photo in enumerate(photos)]
    of_draws = np.concatenate([part.strongest.sums for part in photo_parts])[..., :TOP]
    return Parts(
        contributions=np.stack(
            [np.concatenate([part.strongest.contributions, part.strongest.shuffled[0]]) for part in photo_parts]
        ),
        sums=np.concatenate([_sums(forward, photo_parts)[:, :, None], of_draws], axis=2),
        invariances=_invariances(forward, photos, photo_parts, patches),
    )


def _sums(forward: Forward, photo_parts: Sequence[PhotoPart]) -> NDArray[np.float64]:
    """(photos, 6, `TOP`) of the unit over positions drawn from each photo, weighted by how many the photo has."""
    below = photo_parts[0].below
    for part in photo_parts[1:]:
        below += part.below
    drawn = Positions.join([part.drawn.positions for part in photo_parts])
    at_mean = mean_contributions(forward, SimpleNamespace(activation_mean=below.mean), drawn.inside)
    order = [channel.index for channel in forward.circuit.strongest]
    whole = drawn.contributions.sum(axis=1, dtype=np.float64)
    followed = at_mean.sum(axis=1)[:, None] + np.cumsum((drawn.contributions - at_mean)[:, order], axis=1)
    x, y = np.broadcast_arrays((whole - whole.mean())[:, None], followed - followed.mean(axis=0))
    terms = np.stack([np.ones_like(y), x, x**2, y, y**2, x * y])
    sums = np.stack([terms[:, drawn.photo == place].mean(axis=1) for place in range(len(photo_parts))])
    return sums * np.array([float(part.counts.moment.count[0]) for part in photo_parts])[:, None, None]


def _invariances(
    forward: Forward, photos: Sequence[Photo], photo_parts: Sequence[PhotoPart], patches: bool
) -> NDArray[np.float64]:
    invariances = np.full((len(photos), len(KINDS)), np.nan)
    if not patches:
        return invariances
    counts, makers = photo_parts[0].counts, photo_parts[0].makers
    for part in photo_parts[1:]:
        counts, makers = counts + part.counts, makers + part.makers
    places = Positions.join([part.whole for part in photo_parts])
    streamed = SimpleNamespace(
        distribution=counts.distribution(),
        maker_mean=makers.mean,
        maker_deviation=makers.deviation,
        shown_patches=places.take(np.zeros(0, np.int64)),
        judged_patches=places,
    )
    for index in measure_tuning(forward, streamed, photos, EvidenceSettings()).indices:
        kind = index.name.removesuffix(" invariance")
        if index.channel == 0 and kind in KINDS:
            invariances[places.photo, KINDS.index(kind)] = index.by_photo
    return invariances


def evidence_of(subject: Subject, photos: NDArray[np.integer], unit: int = 0) -> SimpleNamespace:
    """What claims read of a unit, from some of the photos, all of them held out.

    Args:
        subject: the unit.
        photos: their places; one that comes twice counts twice.
        unit: 0 for the unit itself, 1 to `DRAWS` for one with shuffled kernel in its place.
    """
    parts = subject.parts
    null = [draw for draw in range(1, DRAWS + 1) if draw != unit][:SHUFFLES]
    drives = [Drive(np.ones(len(photos)), parts.contributions[photos, place], True) for place in (unit, *null)]
    of_all = correlations(parts.sums[photos][:, :, [unit, *null]])
    of_unit, of_null = (
        Correlations(of_all.value[places], of_all.error[places], of_all.groups) for places in (0, slice(1, None))
    )
    invariances = dict(zip(KINDS, parts.invariances[photos].T, strict=True))
    return SimpleNamespace(
        contributions=SimpleNamespace(drive=drives[0]),
        shuffled=SimpleNamespace(drives=tuple(drives[1:]), correlations=of_null),
        ablations=SimpleNamespace(control_pool=tuple(like_norm(subject.circuit))),
        faithfulness=SimpleNamespace(
            by_norm=SimpleNamespace(correlations=of_unit), random_correlation=np.full(TOP, np.nan), positions=0, draws=0
        ),
        tuning=SimpleNamespace(
            stimuli=(),
            responses=np.zeros((0, 1)),
            shuffled=np.zeros((0, SHUFFLES)),
            indices=tuple(
                SimpleNamespace(name=f"{kind} invariance", by_photo=values) for kind, values in invariances.items()
            ),
        ),
        examples=None,
    )
