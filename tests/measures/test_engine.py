"""All evidence at once: on real units, on awkward ones, and claims held against it, true ones and false ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.measures.setups import REAL, circuit_of, measured, noise, picture_of, save_split
from tests.page import example
from vizengine import encoding
from vizengine.config.claims import ClaimSection, StimuliSection
from vizengine.measures import MEASURES
from vizengine.measures.claims import Checked, check, holds
from vizengine.measures.engine import BY_NAME, Evidence
from vizengine.measures.inputs import Circuit
from vizengine.measures.photos import Photos
from vizengine.measures.stimuli import Stimulus
from vizengine.measures.stream import EvidenceSettings
from vizengine.network.model import Network
from vizengine.network.probes import Probe
from vizengine.page.render import render_circuit
from vizengine.page.report import evidence_report, report_parts
from vizengine.page.verify import PageReader

SMALL = EvidenceSettings(examples=6, sample=400, cluster_examples=24, patches=2, downstream_photos=2)
PICTURE = (noise(64, 64, 77) * 255).astype(np.uint8)
_MEASURED: dict[str, tuple[Circuit, Evidence]] = {}


def _real(request: pytest.FixtureRequest, fixture: str) -> tuple[Circuit, Evidence]:
    """The evidence of a real unit on the sample photos, measured once."""
    network: Network = request.getfixturevalue(fixture)
    layer, unit = {each[0]: each[1:] for each in REAL}[fixture]
    if fixture not in _MEASURED:
        circuit = circuit_of(network, layer, unit)
        photos = Photos("samples", Path()).found
        calls: list[int] = []
        settings = EvidenceSettings(downstream_photos=2)
        _MEASURED[fixture] = circuit, measured(network, circuit, photos, PICTURE, settings, calls.append)
        assert sum(calls) == len(photos)
    return _MEASURED[fixture]


def _stored(evidence: Evidence) -> tuple[Any, dict[str, np.ndarray]]:
    arrays: dict[str, np.ndarray] = {}
    return {measure.name: encoding.encode(getattr(evidence, measure.name), arrays) for measure in MEASURES}, arrays


def _read_again(evidence: Evidence) -> Evidence:
    structure, arrays = _stored(evidence)
    return Evidence({name: encoding.decode(BY_NAME[name].result, value, arrays) for name, value in structure.items()})


def _equal(first: Evidence, second: Evidence) -> None:
    (one, arrays), (other, others) = _stored(first), _stored(second)
    assert one == other and arrays.keys() == others.keys()
    for name, values in arrays.items():
        np.testing.assert_array_equal(values, others[name])


@pytest.mark.parametrize(
    ("unit", "sizes"),
    [
        (("tiny_network", "first", 2, 6), [(33, 35)]),
        (("tiny_network", "left", 1, 6), [(64, 80), (40, 40)]),
        (("tiny_network", "last", 3, 4), [(33, 35)]),
        (("tiny_network", "last", 3, 4), [(64, 80), (40, 40)]),
        (("squeezenet", "conv1", 5, 6), [(33, 35)]),
        (("vgg19", "block3_conv1", 7, 6), [(64, 80), (40, 40)]),
        (("tiny_network", "last", 3, 4), [(64, 80), (40, 40), *[(36, 44)] * 8]),
        (("squeezenet", "fire2/squeeze1x1", 5, 6), [(64, 80), (40, 40), *[(36, 44)] * 8]),
    ],
)
def test_every_kind_of_layer_and_small_photos(
    unit: tuple[str, str, int, int], sizes: list[tuple[int, int]], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    fixture, *place = unit
    network: Network = request.getfixturevalue(fixture)
    circuit = circuit_of(network, *place)
    photos = save_split(tmp_path, sizes[:2], sizes[2:])
    found = measured(network, circuit, photos, PICTURE, SMALL)
    strongest = len(circuit.strongest)
    assert len(found.ablations.single) == strongest and len(found.tuning.labels) == 1 + strongest
    assert found.examples.top and found.examples.photos == len(sizes)
    drive = found.contributions.drive
    assert drive.held_out == (len(sizes) > 2) and drive.photos.sum() == len(sizes[2:] or sizes)
    assert drive.held_out <= all(not photos[example.photo_index].held_out for example in found.examples.top)
    assert (found.downstream is None) == (fixture != "squeezenet")
    assert found.contributions.parts.shape == (len(found.examples.top), len(circuit.inputs))
    _equal(found, _read_again(found))
    _equal(found, measured(network, circuit, photos, PICTURE, SMALL))


@pytest.mark.parametrize("dead", ["never fires", "never changes", "inputs are silent"])
def test_a_dead_unit_is_measured_without_a_warning(
    tiny_network: Network, dead: str, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    weights = dict(tiny_network.weights)
    kernel, bias = (array.copy() for array in weights["last"])
    if dead == "never fires":
        bias[3] = -1e6
    elif dead == "never changes":
        kernel[..., 3] = 0
    else:
        for name in ("left", "right"):
            weights[name] = (np.zeros_like(weights[name][0]), np.full_like(weights[name][1], -1))
    weights["last"] = (kernel, bias)
    network = Network(tiny_network.architecture, weights)
    circuit = circuit_of(network, "last", 3)
    found = measured(network, circuit, save_split(tmp_path, [(60, 60), (50, 70)], [(56, 44)] * 8), PICTURE, SMALL)
    if dead == "never fires":
        assert found.examples.distribution.positive_share == 0
        assert all(np.isnan(index.value.value) for index in found.tuning.indices if index.channel == 0)
    else:
        assert found.examples.distribution.deviation == 0
        assert np.isnan(found.tuning.responses[:, 0]).all()
        assert np.isnan(found.faithfulness.by_norm.correlations.value).all()
    claims = [{"excites": 0}, {"inhibits": 1}, {"stands_out": 2}, {"arranged": True}, {"arranged": 0}]
    claims += [{"invariant_to": "hue"}, {"polysemantic": False}]
    claims += [{"sufficient": {"inputs": 3, "correlation": 0.5}}, {"prefers": {"disk": {}, "over": {"bar": {}}}}]
    checked = check([ClaimSection.model_validate(claim) for claim in claims], circuit, found)
    if dead != "never fires":
        assert "supported" not in [claim.verdict for claim in checked]
    _equal(found, _read_again(found))
    # The page's other parts are another unit's.
    groups = tuple(picture_of(channel) for channel in range(len(found.factors.factors)))
    report = evidence_report(report_parts(found, groups, circuit), (), circuit)
    whole = example.report(evidence=report, strongest=example.report().strongest[: len(report.effects.inputs)])
    assert PageReader(render_circuit(whole, example.site(whole))).problems == []
    assert (report.faithfulness is None) == (dead != "never fires") == (not report.tuning.strongest)
    assert not [str(each.message) for each in recwarn if issubclass(each.category, RuntimeWarning)]


@pytest.mark.parametrize("fixture", ["squeezenet", "vgg19"])
def test_top_examples_are_the_highest_of_shown_photos(fixture: str, request: pytest.FixtureRequest) -> None:
    circuit, found = _real(request, fixture)
    network: Network = request.getfixturevalue(fixture)
    photos = [photo for photo in Photos("samples", Path()).found if not photo.held_out]
    probe = Probe(network, circuit.layer, [circuit.unit])
    best = max(float(probe.numpy(photo.pixels()[None]).max()) for photo in photos)
    values = [example.pre for example in found.examples.top]
    names = [example.photo for example in found.examples.top]
    assert values[0] == pytest.approx(best, rel=1e-4) and values == sorted(values, reverse=True)
    assert max(names.count(name) for name in names) <= 3
    assert [row.quantile for row in found.examples.quantiles] == [0.1, 0.25, 0.5, 0.75, 0.9, 0.99]
    parts = found.contributions.parts.sum(1, dtype=np.float64) + found.contributions.bias
    np.testing.assert_allclose(parts, found.contributions.pre, rtol=1e-4)
    faithfulness = found.faithfulness
    six = [curve.correlations.value[5] for curve in (faithfulness.by_norm, faithfulness.jointly)]
    assert 0.5 < six[0] < 1 and min(six) > faithfulness.random_correlation[5]


def _check(request: pytest.FixtureRequest, fixture: str, claim: dict[str, Any]) -> Checked:
    circuit, evidence = _real(request, fixture)
    (found,) = check([ClaimSection.model_validate(claim)], circuit, evidence)
    return found


@pytest.mark.parametrize(
    ("fixture", "claim", "expected"),
    [
        ("vgg19", {"excites": 244}, "supported"),
        ("vgg19", {"inhibits": 244}, "contradicted"),
        ("vgg19", {"excites": 124}, "contradicted"),
        ("vgg19", {"excites": "block3_conv2:113"}, "supported"),
        ("vgg19", {"prefers": {"disk": {"radius": [3, 8], "polarity": "light"}, "over": {"bar": {}}}}, "supported"),
        ("vgg19", {"prefers": {"bar": {}, "over": {"disk": {"radius": [3, 8], "polarity": "light"}}}}, "contradicted"),
        ("vgg19", {"invariant_to": "hue"}, "supported"),
        ("vgg19", {"arranged": True}, "supported"),
        ("vgg19", {"stands_out": 244}, "supported"),
        ("vgg19", {"stands_out": 104}, "contradicted"),
        ("vgg19", {"invariant_to": "polarity"}, "contradicted"),
        ("vgg19", {"sufficient": {"inputs": "top6", "correlation": 0.5}}, "supported"),
        ("vgg19", {"sufficient": {"inputs": 1, "correlation": 0.99}}, "contradicted"),
        ("squeezenet", {"excites": 12}, "supported"),
        ("squeezenet", {"inhibits": 12}, "contradicted"),
        ("squeezenet", {"inhibits": 9}, "supported"),
        ("squeezenet", {"arranged": True}, "supported"),
        ("squeezenet", {"arranged": 30}, "contradicted"),
        ("squeezenet", {"stands_out": 12}, "supported"),
        ("squeezenet", {"invariant_to": "rotation"}, "contradicted"),
        ("squeezenet", {"sufficient": {"inputs": "top6", "correlation": 0.99}}, "contradicted"),
    ],
)
def test_claims_come_out_both_ways(
    fixture: str, claim: dict[str, Any], expected: str, request: pytest.FixtureRequest
) -> None:
    found = _check(request, fixture, claim)
    assert found.verdict == expected, found
    assert found.shuffled is None or 0 <= found.shuffled <= 19
    assert found.low <= found.value <= found.high and found.sample > 0 and found.measure and found.sample_of


def test_stimulus_sets() -> None:
    light = StimuliSection.model_validate({"disk": {"polarity": "light", "radius": [3, 8]}})
    assert holds(light, Stimulus("disk", radius=8.0)) and not holds(light, Stimulus("disk", radius=8.1))
    assert not holds(light, Stimulus("disk", "dark", radius=5.0)) and not holds(light, Stimulus("ring", radius=5.0))
    coloured = StimuliSection.model_validate({"disk": {"hue": [0, 360]}})
    assert not holds(coloured, Stimulus("disk", radius=5.0))
