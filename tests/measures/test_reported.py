"""The evidence on the page: figures equal what was measured, of a real unit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.page import example
from vizengine import Analysis
from vizengine.figures.drawing import weight_colour
from vizengine.figures.pictures import decoded
from vizengine.figures.quantities import significant, whole
from vizengine.measures.examples import TOP_SHOWN
from vizengine.measures.expanded import MOST_POSITIONS, expanded_report
from vizengine.measures.stimuli import Stimulus, battery
from vizengine.measures.tuning import EXTREMES, Rival, describe, rival_reports
from vizengine.page.render import render_circuit
from vizengine.page.report import Report


@pytest.fixture(scope="module")
def report() -> Report:
    return example.report()


def test_a_bar_adds_up_to_its_example(report: Report) -> None:
    effects, top = report.evidence.effects, report.evidence.examples.top
    assert len(effects.bars) == len(top) == TOP_SHOWN
    for bar, each in zip(effects.bars, top, strict=True):
        parts = [float(value.value) for value in (report.bias, *bar.inputs, bar.others)]
        assert sum(parts) == pytest.approx(float(each.pre.value), rel=1e-4)


def test_figures_are_those_that_were_measured(analysis: Analysis) -> None:
    report, evidence, of = analysis.report, analysis.evidence, analysis.circuit
    effects = report.evidence.effects
    for place, channel in enumerate(of.strongest):
        effect = effects.inputs[place]
        mean = evidence.contributions.mean
        assert effect.contribution.mean.value == pytest.approx(mean[channel.index], rel=1e-9)
        assert report.strongest[place].slice.contribution.value == pytest.approx(mean[channel.index], rel=1e-9)
        assert effect.to_mean.mean.value == evidence.ablations.single[place].value
        assert effect.share and effect.share.value == pytest.approx(100 * mean[channel.index] / abs(mean.sum()))
    assert float(effects.baseline.value) == pytest.approx(float(effects.drive.value) + of.bias)
    assert effects.photos.value == sum(evidence.contributions.drive.photos)
    shares = [float(effect.share.value) for effect in effects.inputs if effect.share]
    assert effects.top_share is not None and sum(shares) == pytest.approx(float(effects.top_share.value))
    counts = [float(each.count.value) for each in report.evidence.examples.histogram.bins]
    assert sum(counts) == evidence.examples.distribution.count
    curve = report.evidence.faithfulness
    assert curve is not None and curve.counts[0] == 1 and curve.counts[-1] == 64
    assert curve.by_norm[curve.counts.index(6)] == pytest.approx(float(curve.correlation.value), rel=1e-3)
    assert curve.by_norm[-1] == curve.by_contribution[-1] == curve.jointly[-1] == pytest.approx(1)
    joint = evidence.faithfulness.jointly
    assert curve.joint_inputs == tuple(of.inputs[index].label for index in joint.order[:6])
    assert curve.joint.value == pytest.approx(joint.correlations.value[5])
    null = report.evidence.shuffled
    drives = [drive.mean.sum() for drive in evidence.shuffled.drives]
    assert null.drives == pytest.approx(sorted(drives), rel=1e-3) and null.draws.value == len(drives) == 19
    assert null.drive_above.value == sum(evidence.contributions.mean.sum() > np.array(drives))
    strongest = [float(each.response.value) for each in report.evidence.tuning.strongest if each.response]
    assert strongest[0] == evidence.tuning.responses[:, 0].max() and strongest == sorted(strongest, reverse=True)


def test_the_extreme_stimuli_are_one_of_each_family(analysis: Analysis) -> None:
    tuning, report = analysis.evidence.tuning, analysis.report.evidence.tuning
    responses = tuning.responses[:, 0]
    families = dict.fromkeys(each.family for each in tuning.stimuli)
    for shown, sign in ((report.strongest, 1), (report.weakest, -1)):
        best = set()
        for family in families:
            members = [index for index, each in enumerate(tuning.stimuli) if each.family == family]
            best.add(describe(tuning.stimuli[max(members, key=lambda index: sign * responses[index])]))
        assert len({each.name for each in shown} & best) == len(shown) == min(EXTREMES, len(families))


def test_kernels_to_earlier_layers_are_drawn_a_pixel_for_each_position(analysis: Analysis) -> None:
    for section, layer in zip(analysis.expanded.sections, analysis.report.expanded.layers, strict=True):
        scale = np.abs(section.linear).max()
        assert float(layer.scale.value) == scale
        for kernel, shown in zip(section.linear, layer.kernels, strict=True):
            expected = np.array([[weight_colour(float(value), float(scale)) for value in row] for row in kernel])
            # Colours are rounded to a level; between two lie at most as many steps of a channel.
            assert np.abs(np.asarray(decoded(shown.linear).convert("RGB"), int) - expected).max() <= 5


def test_a_wide_kernel_is_made_smaller(analysis: Analysis) -> None:
    section = analysis.expanded.sections[0]
    wide = np.random.default_rng(2).normal(size=(len(section.linear), 200, 200)).astype(np.float32)
    report = expanded_report(replace(analysis.expanded, sections=(replace(section, linear=wide),)))
    assert report.layers[0].kernels[0].linear.width == MOST_POSITIONS


def test_readers_are_named_with_their_share(analysis: Analysis) -> None:
    report, found = analysis.report.outputs, analysis.readings
    assert [each.label for each in report.excited] == [f"{each.layer}:{each.unit}" for each in found.excited]
    assert report.excited[0].share.value == pytest.approx(100 * found.excited[0].share)
    assert float(report.scale.value) == max(np.abs(each.kernel).max() for each in (*found.excited, *found.inhibited))


def test_every_rank_row_is_among_the_top_of_one(report: Report) -> None:
    rows = report.evidence.ranks.rows
    assert all(min(row.norm_place, row.photo_place, row.drop_place) <= 6 for row in rows)
    for places in zip(*((row.norm_place, row.photo_place, row.drop_place) for row in rows), strict=True):
        assert set(range(1, 7)) <= set(places)


def test_claims_are_words_with_verdicts(report: Report) -> None:
    claims, tally = report.evidence.claims, report.evidence.tally
    found = [each.finding for each in claims]
    assert tally and len(set(found)) == 3
    assert tally.claims.value == len(claims)
    for finding in ("supported", "contradicted", "undecided"):
        assert getattr(tally, finding).value == found.count(finding)
    page = render_circuit(report, example.site(report))
    assert all(claim.words in page and claim.measure in page and claim.unjudged in page for claim in claims)


def test_a_page_says_how_many_photos_it_takes_and_what_is_telling(report: Report) -> None:
    claim, tally = report.evidence.claims[0], report.evidence.tally
    few = "it takes 8 held-out photos, as about 12 photos have"
    cases = [
        ({"finding": "undecided", "unjudged": few, "telling": None}, f"Not judged: {few}."),
        ({"finding": "supported", "unjudged": "", "telling": True}, '<span class="telling">telling</span>'),
        ({"finding": "supported", "unjudged": "", "telling": False}, '<span class="telling">not telling</span>'),
        ({"finding": "supported", "telling": False, "shuffled": whole(7)}, "holds of 7 of 19 units with shuffled"),
        ({"finding": "supported", "holds_corrected": False}, "Corrected for 1 claims it is undecided."),
    ]
    for changes, words in cases:
        evidence = {"claims": (claim.model_copy(update=changes),), "tally": tally}
        changed = example.report(evidence=report.evidence.model_copy(update=evidence))
        assert words in render_circuit(changed, example.site(changed))


def test_rivals_are_named_beside_a_preference_and_where_it_answers(published: Report) -> None:
    rivals = rival_reports([Rival("dark rings", 11.7), Rival("light crossing lines", 9.2)])
    claim = published.evidence.claims[0].model_copy(update={"highest": significant(12.4), "rivals": rivals})
    tuning = published.evidence.tuning.model_copy(update={"rivals": rivals})
    evidence = published.evidence.model_copy(update={"claims": (claim,), "tuning": tuning})
    named = published.model_copy(update={"evidence": evidence})
    page = render_circuit(named, example.site(named))
    assert page.count("dark rings (11.7), light crossing lines (9.20)") == 2
    assert "gives 12.4 standard deviations" in page and "a design and no sample" in page


def test_every_drawn_stimulus_has_a_name_of_its_own_family() -> None:
    assert all(describe(each) for each in battery(40))
    assert describe(Stimulus("disk", hue=60.0, radius=4.0)) == "light disk, radius 4 px, hue 60°"
    assert describe(Stimulus("uniform", brightness=0.25)) == "plain colour, grey 25%"
