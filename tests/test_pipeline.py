"""The whole way on real weights: what is computed, cached, kept, left out, and left standing."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import REPOSITORY
from tests.page.markup_shown import markup_shown
from vizengine.page.report import Report

CONFIG = """\
site: {{title: Test}}
visualization: {{size: 64, steps: 24, attempts: 1}}
circuits:
  - name: squeeze
    network: {{model: squeezenet1.1}}
    unit: {{layer: {layer}, index: 3}}
    siblings: [1]
    hypothesis: {{unit: "It reaches {{{{ unit.reached }}}}.", circuit: "First is {{{{ top1.label }}}}."}}
{more}"""
VGG19 = """\
  - name: vgg
    optional: {optional}
    network: {{model: vgg19, weights_folder: weights}}
    unit: {{layer: block2_conv1, index: 5}}
"""
NO_NETWORK = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": ""}


def _config(folder: Path, more: str = "", layer: str = "fire2/squeeze1x1") -> Path:
    path = folder / "config.yaml"
    path.write_text(CONFIG.format(layer=layer, more=more))
    return path


def _run(config: Path, *options: str, code: int = 0, trace: bool = False) -> subprocess.CompletedProcess[str]:
    """The real command in a process of its own, without weights from the environment and without a network."""
    environment = {**os.environ, **NO_NETWORK, "KERAS_HOME": str(config.parent / "keras")}
    environment.pop("VIZENGINE_WEIGHTS", None)
    python = [sys.executable, *(["-X", "importtime"] if trace else [])]
    command = [*python, str(REPOSITORY / "generate.py"), str(config), *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=config.parent)
    assert done.returncode == code, done.stderr[-3000:]
    return done


def _digests(folder: Path) -> dict[str, str]:
    """Hash of every file but the side files, which hold the wall-clock times."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "build.json"]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a config and the site of its one SqueezeNet circuit; not to be changed."""
    folder = tmp_path_factory.mktemp("built")
    done = _run(_config(folder))
    assert done.stdout.strip().endswith("index.html")
    return folder


@pytest.fixture
def copied(built: Path, tmp_path: Path) -> Path:
    """A copy of `built` with its cache."""
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    return tmp_path


def _page(folder: Path, name: str) -> str:
    return (folder / "site" / name / "index.html").read_text()


def _report(folder: Path) -> Report:
    return Report.model_validate_json((folder / "circuit.json").read_bytes())


def test_one_circuit_is_the_sites_first_page(built: Path) -> None:
    report = _report(built / "site")
    assert (report.layer, report.unit) == ("fire2/squeeze1x1", 3)
    assert len(report.inputs) == 64 and len(report.strongest) == 6 and len(report.siblings) == 1
    assert report.strongest[0].slice.path == ("maxpool1",)
    assert report.feature.reached is not None and report.feature.reached.text in report.unit_hypothesis
    assert report.strongest[0].slice.label in report.circuit_hypothesis
    assert [photo.name for photo in report.classification.photos][1] == "chelsea"
    assert {"date", "seconds", "seconds_by_stage"} <= set(json.loads((built / "site" / "build.json").read_text()))
    assert markup_shown((built / "site" / "index.html").read_text(encoding="utf-8")) == set()


def test_norms_in_the_json_equal_numpy(built: Path) -> None:
    from vizengine.cache import Cache
    from vizengine.network import weights
    from vizengine.network.catalogue import catalogue_entry

    entry = catalogue_entry("squeezenet1.1")
    file = weights.locate(entry, None, None, Path(), entry.architecture.layers, Cache(built / ".vizengine-cache"))
    kernel = weights.read(file, entry.architecture.layers)["fire2/squeeze1x1"][0].astype(np.float64)
    for each in _report(built / "site").inputs:
        assert each.norm.value == pytest.approx(np.linalg.norm(kernel[..., each.index, 3]), rel=1e-6)


def test_a_second_run_computes_nothing_and_gives_the_same(copied: Path) -> None:
    before = _digests(copied / "site")
    done = _run(copied / "config.yaml", trace=True)
    assert "tensorflow" not in done.stderr and "keras" not in done.stderr.replace("KERAS", "")
    assert _digests(copied / "site") == before
    assert json.loads((copied / "site" / "build.json").read_text())["seconds_by_stage"] == {}


def test_fresh_gives_the_same_to_the_byte(copied: Path) -> None:
    before = _digests(copied / "site")
    _run(copied / "config.yaml", "--fresh")
    assert _digests(copied / "site") == before
    assert json.loads((copied / "site" / "build.json").read_text())["seconds_by_stage"]["pictures"] > 0


def test_an_optional_circuit_without_weights_leaves_a_notice(copied: Path) -> None:
    done = _run(_config(copied, VGG19.format(optional="true")))
    index = (copied / "site" / "index.html").read_text()
    assert "VIZENGINE_WEIGHTS" in index and "VIZENGINE_WEIGHTS" in done.stderr
    assert (copied / "site" / "squeeze" / "index.html").is_file()
    assert "VIZENGINE_WEIGHTS" in (copied / "site" / "vgg" / "index.html").read_text()


@pytest.mark.parametrize("optional", ["true", "false"])
def test_under_strict_what_must_be_there_fails_the_build_and_the_old_site_stands(copied: Path, optional: str) -> None:
    before = _digests(copied / "site")
    done = _run(_config(copied, VGG19.format(optional=optional)), "--strict", code=1)
    assert "Traceback" not in done.stderr and "weights" in done.stderr and "--strict" in done.stderr
    assert done.stdout == ""
    assert _digests(copied / "site") == before


def test_missing_weights_cost_their_own_circuit_alone(copied: Path) -> None:
    """The others are built; in place of the page stands what is missing, and the exit code says so."""
    done = _run(_config(copied, VGG19.format(optional="false")), code=1)
    assert "Traceback" not in done.stderr and done.stdout == ""
    assert "1 circuit failed" in done.stderr and "vgg: No weights of VGG19" in done.stderr
    assert _report(copied / "site" / "squeeze").unit == 3
    for page in ("index.html", "vgg/index.html"):
        assert "VIZENGINE_WEIGHTS" in (copied / "site" / page).read_text(), page
    # Where no circuit can be computed the site that stood stays.
    before = _digests(copied / "site")
    config = copied / "config.yaml"
    config.write_text("site: {title: Test}\ncircuits:\n" + VGG19.format(optional="false").replace("{{", "{"))
    assert "No weights of VGG19" in _run(config, code=1).stderr
    assert _digests(copied / "site") == before


def test_a_page_is_kept_while_its_config_section_is_the_same(copied: Path, shared_weights: Path) -> None:
    shutil.copytree(shared_weights, copied / "weights")
    config = _config(copied, VGG19.format(optional="true"))
    _run(config)
    made = _report(copied / "site" / "vgg")
    assert made.kept is None and "classifier: true" in made.classification.missing
    shutil.rmtree(copied / "weights")
    done = _run(config)
    kept = _report(copied / "site" / "vgg")
    assert kept.kept is not None and kept.kept.weights_sha256 == made.provenance.weights_sha256
    assert kept.model_copy(update={"kept": None}) == made
    for page in ("index.html", "vgg/index.html"):
        assert "kept from an earlier build" in (copied / "site" / page).read_text().lower()
    assert "kept from an earlier build" in done.stderr
    before = _digests(copied / "site")
    _run(config)
    assert _digests(copied / "site") == before
    # With the weights back it is the computed page again; with another section it is a notice.
    config.write_text(config.read_text().replace("index: 5", "index: 6"))
    _run(config)
    assert not (copied / "site" / "vgg" / "circuit.json").exists()


def test_a_page_is_kept_after_an_interrupted_swap(copied: Path, shared_weights: Path) -> None:
    shutil.copytree(shared_weights, copied / "weights")
    config = _config(copied, VGG19.format(optional="true"))
    _run(config)
    shutil.rmtree(copied / "weights")
    # What a run leaves that is killed between the two renames of its swap.
    (copied / "site").rename(copied / ".site.vizengine-previous")
    _run(config)
    assert _report(copied / "site" / "vgg").kept is not None


def test_weights_back_means_no_kept_notice(copied: Path, shared_weights: Path) -> None:
    shutil.copytree(shared_weights, copied / "weights")
    config = _config(copied, VGG19.format(optional="true"))
    _run(config)
    first = _digests(copied / "site")
    (copied / "weights").rename(copied / "away")
    _run(config)
    (copied / "away").rename(copied / "weights")
    _run(config)
    assert _digests(copied / "site") == first


def test_unreadable_photos_are_warned_of_and_fail_under_strict(copied: Path) -> None:
    (copied / "photos").mkdir()
    (copied / "photos" / "broken.png").write_text("no image")
    config = copied / "config.yaml"
    config.write_text(config.read_text() + "    photos: photos\n")
    assert "None of the photos" in _run(config, code=1).stderr
    from PIL import Image
    from skimage import data

    Image.fromarray(data.chelsea()).save(copied / "photos" / "cat.png")
    assert "broken.png" in _run(config).stderr
    assert "broken.png" in _run(config, "--strict", code=1).stderr


@pytest.mark.parametrize("layer", ["conv1", "fire5/squeeze1x1", "conv10"])
def test_first_last_and_concatenated_layers_have_pages(tmp_path: Path, layer: str) -> None:
    _run(_config(tmp_path, layer=layer))
    report = _report(tmp_path / "site")
    expected = {"conv1": 3, "fire5/squeeze1x1": 256, "conv10": 512}[layer]
    assert len(report.inputs) == expected and len(report.strongest) == min(6, expected)
    if layer == "conv1":
        assert {each.label for each in report.inputs} == {"red", "green", "blue"}
        assert all(each.feature.verdict == "exact" for each in report.strongest)


def test_only_computes_the_named_circuit(copied: Path) -> None:
    more = "  - name: other\n    network: {model: squeezenet1.1}\n    unit: {layer: fire2/expand1x1, index: 0}\n"
    config = _config(copied, more)
    _run(config, "--only", "squeeze")
    assert (copied / "site" / "squeeze" / "index.html").is_file() and "--only" in _page(copied, "other")
    _run(config)
    assert (copied / "site" / "other" / "index.html").is_file()
    _run(config, "--only", "squeeze")
    assert (copied / "site" / "other" / "index.html").is_file()


def test_every_problem_of_a_config_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    config = tmp_path / "config.yaml"
    config.write_text(
        """\
site: {title: Test, colour: red}
circuits:
  - name: one
    network: {model: vgg19}
    unit: {layer: block3_conf3, index: 1}
  - name: two
    network: {model: squeezenet1.1, weights: imagenet}
    unit: {layer: fire4/expand3x3, index: 128}
    siblings: [128, 4, 4]
    photos: empty
    hypothesis: {unit: "{{ unit.reach }}"}
  - name: three
    network: {model: vgg20}
    unit: {layer: fire4/expand3x3, index: 128}
  - name: four
    network: {model: vgg16}
    unit: {layer: block1_pool, index: 0}
"""
    )
    lines = _run(config, "--check", code=2).stderr.splitlines()
    expected = {
        1: "colour",
        5: "block3_conv3",
        7: "embedded",
        8: "0 to 127",
        9: "twice",
        10: "empty",
        11: "unit.reached",
        13: "vgg19",
        17: "max_pool",
    }
    for number, word in expected.items():
        assert any(f"config.yaml:{number}:" in line and word in line for line in lines), (number, word, lines)
