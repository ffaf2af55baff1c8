"""Groups of examples, of inputs and of classes, as the page says them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vizengine.circuit.factors import Factors
from vizengine.circuit.model import Circuit
from vizengine.evidence.downstream_model import ClassChange, Downstream
from vizengine.evidence.results import Evidence
from vizengine.featurevis.model import Visualization
from vizengine.report.figures import Quantity
from vizengine.report.group_parts import (
    ClassReport,
    ClusterReport,
    ClustersReport,
    DownstreamReport,
    FactorReport,
    FactorsReport,
    Weighted,
)
from vizengine.report.numbers import change, decimals, fixed, percent, significant, whole
from vizengine.report.pictures import patch, picture
from vizengine.report.slices import kernel_of

PATCHES = 4
LEADING = 3
CHANNELS = 6
CLASSES = 5
# Twice the side in CSS pixels at which the page shows a group.
GROUP_PIXELS = 224


def clusters_report(evidence: Evidence, circuit: Circuit) -> ClustersReport:
    """The best grouping of the top examples."""
    groups = evidence.polysemanticity
    return ClustersReport(
        count=groups.count,
        examples=whole(groups.examples),
        silhouette=_two_places(groups.silhouette.mean),
        low=_two_places(groups.silhouette.low),
        high=_two_places(groups.silhouette.high),
        threshold=fixed(groups.threshold, 2),
        clusters=tuple(
            ClusterReport(
                size=whole(len(each.members)),
                silhouette=fixed(each.silhouette, 2),
                pictures=tuple(patch(one.crop, f"Patch of the photo {one.photo}") for one in examples[:PATCHES]),
                leading=_heaviest(each.mean, circuit, LEADING),
            )
            for each, examples in zip(groups.clusters, evidence.clustered, strict=True)
        ),
    )


def _two_places(value: float) -> Quantity | None:
    return fixed(value, 2) if math.isfinite(value) else None


def factors_report(factors: Factors, circuit: Circuit, pictures: Sequence[Visualization]) -> FactorsReport:
    """The groups of inputs, each with its picture and the kernel through which the unit reads it."""
    kernels = [each.positive - each.negative for each in factors.factors]
    scale = max((float(np.abs(kernel).max()) for kernel in kernels), default=0.0)
    return FactorsReport(
        factors=tuple(
            FactorReport(
                label=f"group {number}",
                share=percent(each.share),
                kernel=kernel_of(kernel, decimals([float(np.abs(kernel).max())], 3)),
                channels=_heaviest(each.channels, circuit, CHANNELS),
                picture=picture(
                    shown.image,
                    f"Synthetic image that drives group {number} of the inputs",
                    GROUP_PIXELS,
                ),
                reached=significant(shown.reached),
                photo_best=significant(shown.photo_best),
                photo_best_name=shown.photo_best_name,
                verdict="converged" if shown.converged else "not converged",
            )
            for number, (each, kernel, shown) in enumerate(zip(factors.factors, kernels, pictures, strict=True), 1)
        ),
        explained=percent(factors.explained[-1]) if factors.explained else None,
        scale=significant(scale),
    )


def _heaviest(weights: NDArray[np.float64], circuit: Circuit, count: int) -> tuple[Weighted, ...]:
    order = np.argsort(-np.abs(weights), kind="stable")[:count].tolist()
    return tuple(
        Weighted(label=circuit.inputs[index].label, weight=significant(float(weights[index])))
        for index in order
        if weights[index]
    )


def downstream_report(given: Downstream | None) -> DownstreamReport | None:
    """What the classifier loses."""
    if given is None:
        return None
    return DownstreamReport(
        photos=whole(len(given.photos)),
        looked=whole(given.looked),
        changed=whole(sum(photo.before != photo.after for photo in given.photos)),
        falling=_classes(given.falling),
        rising=_classes(given.rising),
        mean_size=significant(given.mean_size if math.isfinite(given.mean_size) else 0.0, 2),
    )


def _classes(changes: Sequence[ClassChange]) -> tuple[ClassReport, ...]:
    return tuple(ClassReport(label=each.label, change=change(each.change, 2)) for each in changes[:CLASSES])
