"""Evidence of a synthetic circuit: contributions from a seed, and every figure from them by the code that is tested.

Only what a network alone can give, responses to pictures, is drawn at random.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vizengine.measures.ablations import ablate, mean_contributions
from vizengine.measures.contributions import summarise
from vizengine.measures.downstream import ClassChange, Downstream, PhotoChange
from vizengine.measures.engine import Evidence
from vizengine.measures.examples import Example, Examples, PhotoMap, QuantileRow
from vizengine.measures.factors import factorise
from vizengine.measures.faithfulness import faithfulness
from vizengine.measures.inputs import Circuit
from vizengine.measures.patches import SWEEPS
from vizengine.measures.polysemanticity import cluster
from vizengine.measures.ranks import rank
from vizengine.measures.statistics import estimate, largest_first
from vizengine.measures.stimuli import battery
from vizengine.measures.stream import Counts
from vizengine.measures.terms import Term
from vizengine.measures.tuning import PatchSweep, Tuning, all_indices
from vizengine.measures.unit import Positions

FIELD = 24
GREY = np.tile(np.arange(64, dtype=np.uint8) * 4, (64, 1))
FIRING = np.linspace(-4, 9, 64, dtype=np.float32).reshape(8, 8)
PHOTO_COUNT = 6


def _kernel(of: Circuit) -> NDArray[np.float32]:
    return np.stack([channel.kernel for channel in of.inputs], axis=-1).astype(np.float32)


def _positions(of: Circuit, count: int, random: np.random.Generator, silent: bool) -> Positions:
    """Random activations through the circuit's own kernel, strongest first."""
    kernel = _kernel(of)
    height, width, inputs = kernel.shape
    gains = np.abs(random.normal(size=inputs)) ** 2
    fields = np.maximum(random.normal(size=(count, height, width, inputs)) * gains * 20, 0)
    contributions = np.einsum("nhwc,hwc->nc", fields, kernel) * (not silent)
    pre = contributions.sum(axis=1) + of.bias
    order = np.argsort(-pre, kind="stable")
    return Positions(
        photo=np.arange(count) % PHOTO_COUNT,
        row=np.arange(count) // 7,
        column=np.arange(count) % 7,
        pre=pre[order].astype(np.float32),
        contributions=contributions[order].astype(np.float32),
        inside=np.ones((count, height, width), bool),
        fields=fields[order][..., [channel.index for channel in of.strongest]].astype(np.float32) * (not silent),
    )


def _examples(positions: Positions, photos: tuple[str, ...]) -> tuple[Example, ...]:
    random = np.random.default_rng(len(positions))
    base = random.integers(0, 255, (len(positions), 1, 1, 3))
    return tuple(
        Example(
            photo=photos[int(positions.photo[place]) % len(photos)],
            photo_index=int(positions.photo[place]),
            row=int(positions.row[place]),
            column=int(positions.column[place]),
            top=0,
            left=0,
            pre=float(positions.pre[place]),
            crop=np.broadcast_to(base[place], (FIELD, FIELD, 3)).astype(np.uint8),
        )
        for place in range(len(positions))
    )


def evidence(
    of: Circuit, photos: tuple[str, ...], downstream: bool = True, silent: bool = False, **others: object
) -> Evidence:
    """Evidence of a synthetic circuit.

    Args:
        of: the circuit.
        photos: names of the photos.
        downstream: whether there is a classifier.
        silent: whether the inputs never fire, so that the unit is the same everywhere.
        others: results that are given and not made here.
    """
    random = np.random.default_rng(of.unit)
    sample = _positions(of, 600, random, silent)
    top, bottom = sample.take(np.arange(24)), sample.take(np.arange(599, 575, -1))
    kernel, inputs = _kernel(of), len(of.inputs)
    strongest = np.array([channel.index for channel in of.strongest], np.int64)
    size = np.abs(sample.contributions).mean(axis=0, dtype=np.float64)
    means = sample.contributions.mean(axis=0, dtype=np.float64)
    contributions = summarise(of.bias, top.pre, top.contributions, strongest, means, size, sample)
    activation = np.abs(random.normal(size=inputs)) * (not silent)
    groups = cluster(sample.take(np.arange(48)).contributions, 0)
    members = [sample.take(np.array(each.members[:6])) for each in groups.clusters]
    rows = [sample.take(np.arange(place, place + 6)) for place in (500, 300, 100)]
    factors = factorise(of)
    results = {
        "examples": Examples(
            top=_examples(top, photos),
            bottom=_examples(bottom, photos),
            quantiles=tuple(
                QuantileRow(quantile, float(row.pre.mean()), _examples(row, photos))
                for quantile, row in zip((0.1, 0.5, 0.9), rows, strict=True)
            ),
            distribution=Counts.of(sample.pre).distribution(),
            maps=(PhotoMap(photos[0], top.photo[0], 64, 64, GREY, FIRING, 1, (-4, -4), 8, FIELD),),
            photos=PHOTO_COUNT,
        ),
        "fields": top.fields,
        "contributions": contributions,
        "ranks": rank(np.array([channel.norm for channel in of.inputs]), size, contributions.mean, of.top),
        # One of the strongest inputs is a residual sum.
        "terms": tuple(
            (Term("left:3", 0.81), Term("right:3", 0.19)) if place == 1 else () for place in range(len(of.strongest))
        ),
        "ablations": ablate(of, kernel, activation, top, sample, sample.take(np.arange(49)), 0, 8),
        "faithfulness": faithfulness(
            sample.contributions,
            mean_contributions(kernel, activation, sample.inside),
            sample.photo,
            np.array([channel.index for channel in of.ranked], np.int64),
            largest_first(size),
            of.top,
            0,
            4,
        ),
        "downstream": _downstream() if downstream else None,
        "tuning": _tuning(of, random, silent),
        "polysemanticity": groups,
        "clustered": tuple(_examples(each, photos) for each in members),
        "factors": factors,
        "factor_best": tuple((400.0 + 10 * place, photos[0]) for place in range(len(factors.factors))),
    }
    return Evidence({**results, **others})


def _downstream() -> Downstream:
    changes = tuple(
        ClassChange(index, label, estimate(np.array([-1.0, -1.5]) / (index + 1)))
        for index, label in enumerate(("crossword puzzle", "honeycomb", "window screen"))
    )
    photos = (PhotoChange("coffee", 12.0, "espresso", "cup"), PhotoChange("rocket", 3.0, "a", "a"))
    return Downstream(photos, PHOTO_COUNT, changes, changes, 0.04)


def _tuning(of: Circuit, random: np.random.Generator, silent: bool) -> Tuning:
    channels = 1 + len(of.strongest)
    stimuli = battery(FIELD)
    responses = random.normal(size=(len(stimuli), channels)).astype(np.float32)
    sweeps = [
        PatchSweep(
            each.kind,
            np.array(each.steps),
            each.untouched,
            each.unit,
            random.normal(2, 1, (len(each.steps), 4, channels)).astype(np.float32),
        )
        for each in SWEEPS
    ]
    if silent:
        responses[:, 0] = np.nan
        for sweep in sweeps:
            sweep.responses[..., 0] = np.nan
    active = np.maximum(np.nan_to_num(responses), 0)
    swept = [(each.kind, np.maximum(np.nan_to_num(each.responses), 0)) for each in sweeps]
    return Tuning(
        labels=(f"{of.layer}:{of.unit}", *(channel.label for channel in of.strongest)),
        mean=np.zeros(channels),
        deviation=np.ones(channels),
        field=FIELD,
        stimuli=stimuli,
        responses=responses,
        sweeps=tuple(sweeps),
        patches=4,
        indices=all_indices(stimuli, active, swept),
    )
