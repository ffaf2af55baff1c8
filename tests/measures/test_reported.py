"""The evidence on the page: figures equal what was measured, on a synthetic circuit and on the tiny network."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from tests.measures.setups import circuit_of, noise, save_photos
from tests.page import example
from tests.page.example_evidence import evidence as synthetic
from vizengine.figures import drawing as charts
from vizengine.measures.claims import check, read_claim
from vizengine.measures.engine import measure
from vizengine.measures.examples import TOP_SHOWN
from vizengine.measures.stimuli import Stimulus, battery
from vizengine.measures.stream import EvidenceSettings
from vizengine.measures.tuning import describe
from vizengine.network.model import Network
from vizengine.page.render import render_circuit
from vizengine.page.report import Measured, Report, evidence_report, report_parts
from vizengine.page.verify import PageReader

SMALL = EvidenceSettings(examples=6, sample=400, cluster_examples=24, patches=2, downstream_photos=2)
PICTURE = (noise(64, 64, 77) * 255).astype(np.uint8)


@pytest.fixture(scope="module")
def report() -> Report:
    return example.report()


def test_a_bar_adds_up_to_its_example(report: Report) -> None:
    effects, top = report.evidence.effects, report.evidence.examples.top
    assert len(effects.bars) == len(top) == TOP_SHOWN
    for bar, each in zip(effects.bars, top, strict=True):
        parts = [float(value.value) for value in (report.bias, *bar.inputs, bar.others)]
        assert sum(parts) == pytest.approx(float(each.pre.value), rel=1e-4)


def test_figures_are_those_that_were_measured(report: Report) -> None:
    of = example.circuit()
    given = synthetic(of, example.PHOTOS)
    effects = report.evidence.effects
    for place, channel in enumerate(of.strongest):
        effect = effects.inputs[place]
        assert effect.contribution.value == given.contributions.mean[channel.index]
        assert effect.to_zero.mean.value == pytest.approx(-given.contributions.mean[channel.index], rel=1e-5)
        assert report.strongest[place].slice.contribution.value == effect.contribution.value
    shares = [float(effect.share.value) for effect in effects.inputs if effect.share]
    assert effects.top_share is not None and sum(shares) == pytest.approx(float(effects.top_share.value))
    assert sum(float(bar.count.value) for bar in report.evidence.examples.histogram.bins) == 600
    curve = report.evidence.faithfulness
    assert curve is not None and curve.counts[0] == 1 and curve.counts[-1] == 256
    assert curve.by_norm[curve.counts.index(6)] == pytest.approx(float(curve.correlation.value), rel=1e-3)
    assert curve.by_norm[-1] == pytest.approx(1) and curve.by_contribution[-1] == pytest.approx(1)
    strongest = [float(each.response.value) for each in report.evidence.tuning.strongest if each.response]
    assert strongest[0] == given.tuning.responses[:, 0].max() and strongest == sorted(strongest, reverse=True)


def test_every_rank_row_is_among_the_top_of_one(report: Report) -> None:
    rows = report.evidence.ranks.rows
    assert all(min(row.norm_place, row.photo_place, row.drop_place) <= 6 for row in rows)
    for places in zip(*((row.norm_place, row.photo_place, row.drop_place) for row in rows), strict=True):
        assert set(range(1, 7)) <= set(places)


def test_claims_are_words_with_verdicts(report: Report) -> None:
    claims = report.evidence.claims
    assert len(claims) == len(example.CLAIMS)
    assert claims[2].words == "It prefers light disks (radius 2 to 6) to bars"
    impossible = claims[3]
    assert impossible.finding == "undecided" and impossible.value is None
    tally = report.evidence.tally
    assert tally
    found = [each.finding for each in claims]
    assert [each.value for each in (tally.claims, tally.supported, tally.contradicted, tally.undecided)] == [
        len(claims),
        found.count("supported"),
        found.count("contradicted"),
        found.count("undecided"),
    ]
    assert {claims[5].words, claims[6].words} == {"It is not polysemantic", "It is polysemantic"}
    page = render_circuit(report, example.site(report))
    for claim in claims:
        assert claim.words in page and claim.measure in page


def test_every_drawn_stimulus_has_a_name_of_its_own_family() -> None:
    assert all(describe(each) for each in battery(40))
    assert describe(Stimulus("disk", hue=60.0, radius=4.0)) == "light disk, radius 4 px, hue 60°"
    assert describe(Stimulus("uniform", brightness=0.25)) == "plain colour, grey 25%"


def test_bars_lie_side_by_side(report: Report) -> None:
    effects = report.evidence.effects
    axis = charts.bar_axis(effects, report.bias)
    for bar in effects.bars:
        parts = [(str(place), value) for place, value in enumerate((report.bias, *bar.inputs, bar.others))]
        pieces = charts.stacked(parts, axis)
        assert all(float(each.x) >= -0.01 and float(each.x) + float(each.width) <= 100.02 for each in pieces)
        ends = sorted((float(each.x), float(each.x) + float(each.width)) for each in pieces if float(each.width))
        for (_, end), (start, _) in zip(ends, ends[1:], strict=False):
            assert start == pytest.approx(end, abs=0.03)


def test_counts_lie_on_a_logarithmic_axis() -> None:
    assert [charts.logarithmic(count, 100) for count in (1, 10, 100)] == pytest.approx([0, 50, 100])
    assert charts.logarithmic(1, 1) == 50
    assert charts.curve((1, 10, 100), (0.0, 0.5, -3.0), 300, 100, 0.0) == "0,100 150,50 300,100"


@pytest.mark.parametrize(("layer", "unit"), [("first", 2), ("left", 1), ("last", 3)])
@pytest.mark.parametrize("dead", ["", "never fires", "never changes"])
def test_the_tiny_network_gives_a_whole_page(
    tiny_network: Network, layer: str, unit: int, dead: str, report: Report, tmp_path: Path
) -> None:
    weights = dict(tiny_network.weights)
    kernel, bias = (array.copy() for array in weights[layer])
    if dead == "never fires":
        bias[unit] = -1e6
    elif dead == "never changes":
        kernel[..., unit] = 0
    network = Network(tiny_network.architecture, {**weights, layer: (kernel, bias)})
    circuit = circuit_of(network, layer, unit, 6)
    found = measure(network, circuit, save_photos(tmp_path, [(60, 60), (50, 70)]), PICTURE, SMALL)
    claims = check([read_claim({"polysemantic": False}), read_claim({"excites": 0})], circuit, found)
    made = evidence_report(report_parts(Measured(found, claims, example.groups(found)), circuit), claims, circuit)
    fires = float(made.examples.fires.value)
    assert (fires == 0) == (dead == "never fires") or dead == "never changes"
    assert (made.faithfulness is None) == (dead == "never changes" or circuit.ranked[0].norm == 0)
    assert bool(made.tuning.strongest) == (dead != "never changes")
    assert len(made.effects.inputs) == len(circuit.strongest)
    sizes = [float(each.contribution.value) for each in made.effects.inputs]
    assert all(map(math.isfinite, sizes)) and (any(sizes) or dead == "never changes")
    assert made.model_validate_json(made.model_dump_json()) == made
    # The page's other parts are the example's, cut to as many inputs.
    count = len(made.effects.inputs)
    whole = report.model_copy(update={"evidence": made, "strongest": report.strongest[:count]})
    assert PageReader(render_circuit(whole, example.site(whole))).problems == []
