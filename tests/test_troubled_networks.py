"""Pages of networks as people bring them: U-Nets, segmentation, pruned and broken units, other normalisations."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.places import REPOSITORY
from vizengine.build import Options, Outcome, build
from vizengine.check import check
from vizengine.errors import ConfigError
from vizengine.output import SILENT
from vizengine.page.report import Report

# Name of each circuit: function that makes the network, layer and index of the unit.
CIRCUITS = {
    "unet-first": ("unet", "first", 1),
    "added-down": ("added", "down", 1),
    "segmentation": ("segmentation", "classes", 1),
    "dead": ("pruned", "middle", 0),
    "nan": ("broken", "middle", 1),
    "beside-nan": ("broken", "middle", 2),
    "before-nan": ("broken", "first", 2),
    "before-norm": ("normalised", "plain", 1),
    "behind-norm": ("normalised", "following", 1),
    "spectral": ("normalised", "spectral", 1),
}
HEAD = "site: {title: Own}\nphotos: photos\nvisualization: {size: 32, steps: 2, attempts: 1}\ncircuits:\n"


def _section(name: str, function: str, layer: str, index: int) -> str:
    network = f"{{model: 'troubled:{function}', trust: true, preprocess: {{scale: 255}}}}"
    return f"  - name: {name}\n    network: {network}\n    unit: {{layer: {layer}, index: {index}}}\n    inputs: 3\n"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    folder = tmp_path_factory.mktemp("troubled")
    (folder / "troubled.py").write_text((REPOSITORY / "tests" / "network" / "troubled.py").read_text())
    (folder / "photos").mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (31, 36, 3), np.uint8)
    Image.fromarray(pixels).resize((73, 63)).save(folder / "photos" / "noise.png")
    config = folder / "config.yaml"
    config.write_text(HEAD + "".join(_section(name, *place) for name, place in CIRCUITS.items()))
    return folder, build(check(config), Options(), SILENT)


def _page(folder: Path, name: str) -> tuple[Report, str]:
    page = folder / "site" / name
    return Report.model_validate_json((page / "circuit.json").read_bytes()), (page / "index.html").read_text()


def test_each_has_its_page_but_the_unit_that_isnt_a_number(built: tuple[Path, Outcome]) -> None:
    folder, outcome = built
    assert [failure.partition(":")[0] for failure in outcome.failed] == ["nan"]
    assert "Photos drive middle:1 to nan" in (folder / "site" / "nan" / "index.html").read_text()
    for name in CIRCUITS.keys() - {"nan"}:
        report, page = _page(folder, name)
        assert report.dead == "" or name == "dead"
        assert ("This unit is dead" in page) == (name == "dead")


def test_readers_that_cannot_be_measured_are_left_out_and_said(built: tuple[Path, Outcome]) -> None:
    report, page = _page(built[0], "unet-first")
    assert report.outputs.layers == ("inner",)
    assert [layer.layer for layer in report.outputs.unread] == ["behind"]
    assert "up (Conv2DTranspose) lies before it" in page
    report, page = _page(built[0], "added-down")
    assert [layer.layer for layer in report.outputs.unread] == ["after"]
    # Behind the upsampling lies a classifier that can be computed all the same.
    assert len(report.classification.photos) == 1 and report.evidence.downstream is not None


def test_a_class_for_each_position_is_not_taken_for_one_of_the_image(built: tuple[Path, Outcome]) -> None:
    for name in ("unet-first", "segmentation"):
        report, page = _page(built[0], name)
        assert report.classification.photos == () and report.evidence.downstream is None
        assert page.count("gives the class of every position and not of the image") == 2
        assert "The weights file ends before the classifier" not in page


def test_a_dead_unit_says_so_and_what_does_not_exist(built: tuple[Path, Outcome]) -> None:
    report, page = _page(built[0], "dead")
    assert "so it gives its bias, 0, whatever it sees" in report.dead
    assert report.study.spread is None and report.evidence.effects.top_share is None
    assert report.evidence.faithfulness is None
    assert report.evidence.examples.mean.value == 0 == report.evidence.examples.deviation.value
    assert not re.search(r">[^<]*\bnan\b", page, re.IGNORECASE)


def test_a_unit_beside_one_that_isnt_a_number_is_whole(built: tuple[Path, Outcome]) -> None:
    report, page = _page(built[0], "beside-nan")
    assert 0 <= report.study.likeness.value <= 1 + 1e-6 and len(report.study.diverse) == 4
    assert "The network’s outputs aren’t all numbers" in page and report.evidence.downstream is None
    report, page = _page(built[0], "before-nan")
    assert [(layer.layer, layer.reason) for layer in report.outputs.unread] == [
        ("middle", "the weights of 1 of its units aren’t all numbers")
    ]
    assert {unit.label for unit in (*report.outputs.excited, *report.outputs.inhibited)} <= {"middle:2", "middle:3"}


def test_a_unit_at_a_group_normalisation_says_what_it_is(built: tuple[Path, Outcome]) -> None:
    report, page = _page(built[0], "behind-norm")
    assert {strong.slice.layer for strong in report.strongest} == {"plain_norm"}
    assert "group normalisation" in page
    assert "group normalisation" in _page(built[0], "before-norm")[1]
    assert "group normalisation" not in _page(built[0], "dead")[1]


def test_check_names_what_cannot_be_measured(built: tuple[Path, Outcome]) -> None:
    config = built[0] / "behind.yaml"
    config.write_text(HEAD + _section("one", "unet", "last", 1))
    with pytest.raises(ConfigError, match=r"behind.yaml:7: .*last can't be looked at: up \(Conv2DTranspose\)"):
        check(config)
