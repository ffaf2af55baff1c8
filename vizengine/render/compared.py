"""Circuits side by side: one row for each thing that was measured of all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from vizengine.report.figures import Quantity
from vizengine.report.model import Report

ABSENT = "–"


def compared(reports: Sequence[Report]) -> list[tuple[str, list[str]]]:
    """What each row is called, and its cell for each circuit."""
    rows: list[tuple[str, Callable[[Report], str]]] = [
        ("sees", lambda each: _text(each.network.receptive_field)),
        ("its picture, over the best photo", lambda each: _text(each.feature.ratio)),
        ("fires at this share of positions", lambda each: _text(each.evidence.examples.fires)),
        ("inputs", lambda each: _text(each.totals.inputs)),
        ("share of the drive from those shown", lambda each: _text(each.evidence.effects.top_share)),
        ("correlation with those alone", _correlation),
        ("inputs for a correlation of 0.9", _needed),
        ("answers most to", lambda each: _first([one.name for one in each.evidence.tuning.strongest])),
        ("groups of examples", lambda each: str(each.evidence.clusters.count)),
        ("claims", _claims),
    ]
    return [(name, [cell(report) for report in reports]) for name, cell in rows]


def _text(quantity: Quantity | None) -> str:
    if quantity is None:
        return ABSENT
    apart = "" if quantity.unit in ("%", "×") else "\N{NO-BREAK SPACE}"
    return f"{quantity.text}{apart}{quantity.unit}" if quantity.unit else quantity.text


def _first(names: Sequence[str]) -> str:
    return names[0] if names else ABSENT


def _correlation(report: Report) -> str:
    return _text(report.evidence.faithfulness.correlation if report.evidence.faithfulness else None)


def _needed(report: Report) -> str:
    return _text(report.evidence.faithfulness.needed[0] if report.evidence.faithfulness else None)


def _claims(report: Report) -> str:
    found = Counter(each.finding for each in report.evidence.claims)
    return ", ".join(f"{found[kind]} {kind}" for kind in ("supported", "contradicted", "undecided") if found[kind]) or (
        ABSENT
    )
