"""From the evidence of a unit to what the page says of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vizengine.circuit.model import Circuit
from vizengine.evidence.claims import Checked
from vizengine.evidence.distribution import Distribution
from vizengine.evidence.examples import Example
from vizengine.evidence.faithfulness import Faithfulness
from vizengine.evidence.results import Evidence
from vizengine.featurevis.model import Visualization
from vizengine.report.effects import effects_report, ranks_report
from vizengine.report.evidence_claims import claim_report, claims_tally
from vizengine.report.evidence_parts import (
    EvidenceReport,
    ExampleReport,
    ExamplesReport,
    FaithfulnessReport,
    QuantileReport,
)
from vizengine.report.figures import Bin, Histogram
from vizengine.report.groups import clusters_report, downstream_report, factors_report
from vizengine.report.maps import photo_maps
from vizengine.report.numbers import decimals, fixed, percent, significant, whole
from vizengine.report.pictures import patch
from vizengine.report.tuning import tuning_report

TOP_SHOWN = 10
BOTTOM_SHOWN = 6
QUANTILE_SHOWN = 3
CURVE_POINTS = 40
MOST_PLACES = 6


def evidence_report(
    evidence: Evidence, circuit: Circuit, claims: Sequence[Checked], groups: Sequence[Visualization]
) -> EvidenceReport:
    """What the page says of the evidence.

    Args:
        evidence: what was measured.
        circuit: the unit.
        claims: as they were checked.
        groups: a picture of each factor of the weights.
    """
    return EvidenceReport(
        examples=_examples(evidence),
        effects=effects_report(evidence, circuit, TOP_SHOWN),
        ranks=ranks_report(evidence.ranks, circuit),
        faithfulness=_faithfulness(evidence.faithfulness),
        tuning=tuning_report(evidence.tuning),
        clusters=clusters_report(evidence, circuit),
        factors=factors_report(evidence.factors, circuit, groups),
        downstream=downstream_report(evidence.downstream),
        claims=tuple(claim_report(each, circuit) for each in claims),
        tally=claims_tally(claims),
    )


def _examples(evidence: Evidence) -> ExamplesReport:
    given, spread = evidence.examples, evidence.examples.distribution
    return ExamplesReport(
        top=_shown(given.top[:TOP_SHOWN]),
        bottom=_shown(given.bottom[:BOTTOM_SHOWN]),
        quantiles=tuple(
            QuantileReport(
                quantile=percent(row.quantile),
                value=significant(row.value),
                examples=_shown(row.examples[:QUANTILE_SHOWN]),
            )
            for row in given.quantiles
        ),
        maps=photo_maps(given.maps, given.top[:TOP_SHOWN]),
        histogram=_histogram(spread),
        fires=percent(spread.positive_share),
        mean=significant(spread.mean),
        deviation=significant(spread.deviation),
        positions=whole(spread.count),
        photos=whole(given.photos),
    )


def _shown(examples: Sequence[Example]) -> tuple[ExampleReport, ...]:
    return tuple(
        ExampleReport(
            picture=patch(each.crop, f"Patch of the photo {each.photo}"),
            photo=each.photo,
            row=each.row,
            column=each.column,
            pre=significant(each.pre),
        )
        for each in examples
    )


def _histogram(spread: Distribution) -> Histogram:
    edges = spread.edges.tolist()
    # A unit that is the same everywhere has bins too narrow to write out.
    places = min(decimals((edges[0], edges[-1]), 3), MOST_PLACES)
    bins = tuple(
        Bin(low=fixed(low, places), high=fixed(high, places), count=whole(count))
        for low, high, count in zip(edges[:-1], edges[1:], spread.counts.tolist(), strict=True)
    )
    return Histogram(
        bins=bins,
        low=fixed(edges[0], places),
        high=fixed(edges[-1], places),
        tallest=whole(max(spread.counts.tolist(), default=0)),
    )


def _faithfulness(given: Faithfulness) -> FaithfulnessReport | None:
    """None where a correlation doesn't exist, since the unit or what is kept of it is the same everywhere."""
    curves = (given.by_norm.correlation, given.by_contribution.correlation, given.random_correlation)
    inputs = len(curves[0])
    marked = min(given.marked, inputs) - 1
    counts = {1, marked + 1, inputs, *np.geomspace(1, inputs, CURVE_POINTS).round().astype(int).tolist()}
    chosen = np.array(sorted(counts)) - 1
    if not all(np.isfinite(curve[chosen]).all() for curve in curves):
        return None
    by_norm, by_contribution, random = (tuple(float(f"{each:.4g}") for each in curve[chosen]) for curve in curves)
    return FaithfulnessReport(
        counts=tuple((chosen + 1).tolist()),
        by_norm=by_norm,
        by_contribution=by_contribution,
        random=random,
        correlation=fixed(given.by_norm.correlation[marked], 2),
        low=fixed(given.by_norm.low[marked], 2),
        high=fixed(given.by_norm.high[marked], 2),
        explained=percent(given.by_norm.explained[marked]),
        best=fixed(given.by_contribution.correlation[marked], 2),
        needed=tuple(None if each is None else whole(each) for each in given.by_norm.needed_correlation),
        needed_best=tuple(None if each is None else whole(each) for each in given.by_contribution.needed_correlation),
        positions=whole(given.positions),
    )
