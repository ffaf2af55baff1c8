"""The campaign of the evidence on photos and units of which the truth is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.campaign import evidence
from tests.campaign.parts import DRAWS, TOP, Parts, Subject, evidence_of, measure
from tests.measures.setups import circuit_of, save_photos
from vizengine.measures.faithfulness import measure_faithfulness
from vizengine.measures.stream import EvidenceSettings, stream
from vizengine.measures.unit import Forward
from vizengine.network.model import Network

PHOTOS = 64


def made_up(network: Network, learned: bool) -> Subject:
    """A unit whose figures are drawn: photos alike, and the unit as its shuffled draws but where it has learned."""
    generator = np.random.default_rng(0)
    circuit = circuit_of(network, "last", 3)
    inputs, units = len(circuit.inputs), 1 + DRAWS
    means = np.linspace(-1, 3, inputs) * (1 + 2 * (learned * (np.arange(units) == 0))[:, None])
    contributions = means + generator.normal(0, 0.5, (PHOTOS, units, inputs))
    sums = np.empty((PHOTOS, 6, units, TOP))
    for photo in range(PHOTOS):
        x = generator.normal(size=(50, units, 1))
        y = x + generator.normal(size=(50, units, TOP))
        terms = np.broadcast_arrays(1.0, x, x**2, y, y**2, x * y)
        sums[photo] = [term.sum(axis=0) * np.ones((units, TOP)) for term in terms]
    return Subject(circuit, Parts(contributions, sums, generator.random((PHOTOS, 6)) ** 2))


def test_parts_are_what_a_run_measures(tiny_network: Network, tmp_path: Path) -> None:
    photos = save_photos(tmp_path, [(96, 120), (128, 100), (90, 90)])
    circuit = circuit_of(tiny_network, "last", 3)
    forward = Forward(tiny_network, circuit)
    streamed = stream(forward, photos, EvidenceSettings())
    parts = measure(tiny_network, circuit, photos, patches=True)
    subject = Subject(circuit, parts)
    assert parts.contributions[:, 0] == pytest.approx(streamed.strongest.contributions)
    assert parts.contributions[:, 1:DRAWS] == pytest.approx(streamed.strongest.shuffled)
    assert parts.sums[:, :, 1:DRAWS] == pytest.approx(streamed.strongest.sums[..., :TOP])
    # Of photos as small as these, all positions are in both samples.
    measured = evidence_of(subject, np.arange(3)).faithfulness.by_norm.correlations
    expected = measure_faithfulness(circuit, forward, streamed, EvidenceSettings()).by_norm.correlations
    assert measured.value == pytest.approx(expected.value[:TOP])
    assert measured.error == pytest.approx(expected.error[:TOP])
    assert parts.invariances.shape == (3, 6) and np.nanmax(parts.invariances) <= 1


def test_figures_are_as_theory_has_them(tiny_network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "SETS", 100)
    dull, learned = made_up(tiny_network, learned=False), made_up(tiny_network, learned=True)
    for kind, share in evidence.coverage(dull, 20, again=True).items():
        assert 0.85 <= share <= 1, (kind, share)
    monkeypatch.setattr(evidence, "SETS", 10)
    ends = evidence.verdicts(learned, 20)
    assert evidence.share(ends, "excites", "wrong", "decided") < 0.1
    # One of twenty that are alike is among the first two in a tenth of cases.
    assert evidence.share(evidence.nulls(dull, shuffled=True), "arranged", "telling", "claims") <= 0.2
    assert evidence.share(evidence.nulls(learned, shuffled=False), "arranged", "telling", "claims") == 1


def test_tables_hold_every_figure_and_cases_what_misses(tiny_network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "SETS", 3)
    monkeypatch.setattr(evidence, "DRAWS", 2)
    monkeypatch.setattr(evidence, "LEAST_COVERAGE", 1.01)
    subject = made_up(tiny_network, learned=True)
    text, cases = evidence.coverage_cases([subject])
    assert text.count("**") == 2 * len(cases) == 2 * 4 * 10
    with pytest.raises(AssertionError, match="expected at least 1.010"):
        cases[0][1]()
    text, cases = evidence.look_cases([subject], np.arange(PHOTOS) % 3 > 0)
    assert len(cases) == 6 and text.count("\n| ") == 3
    text, cases = evidence.null_cases([subject], [made_up(tiny_network, learned=False)])
    assert len(cases) == 10 and text.count("\n| ") == 6


def test_too_few_photos_are_refused(tmp_path: Path) -> None:
    save_photos(tmp_path, [(40, 40)] * 2)
    with pytest.raises(SystemExit, match="2 readable photos; expected at least 60"):
        evidence.readable(tmp_path)
