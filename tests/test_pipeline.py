"""The whole way on real weights: what is computed, cached, kept, left out, and left standing."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from tests import runs
from tests.page.words import markup_shown
from tests.runs import CIRCUIT, contents
from vizengine.page.report import Report

VGG19 = """\
  - name: vgg
    optional: {optional}
    network: {{model: vgg19, weights_folder: weights}}
    unit: {{layer: block2_conv1, index: 5}}
    visualization: {{size: 32, steps: 2, attempts: 1}}
"""


def _config(folder: Path, more: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(CIRCUIT + more)
    return path


def _run(config: Path, *options: str, code: int = 0, trace: bool = False) -> subprocess.CompletedProcess[str]:
    """Without weights from the environment and without a network."""
    nowhere = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY"), "http://127.0.0.1:9") | {"NO_PROXY": ""}
    nowhere |= {"VIZENGINE_WEIGHTS": "", "KERAS_HOME": str(config.parent / "keras")}
    return runs.run(config.parent, str(config), *options, code=code, trace=trace, **nowhere)


def _page(folder: Path, name: str) -> str:
    return (folder / "site" / name / "index.html").read_text()


def _report(folder: Path) -> Report:
    return Report.model_validate_json((folder / "circuit.json").read_bytes())


def test_one_circuit_is_the_sites_first_page(circuit_site: Path) -> None:
    report = _report(circuit_site / "site")
    assert (report.layer, report.unit) == ("fire2/squeeze1x1", 3)
    assert len(report.inputs) == 64 and len(report.strongest) == 6 and len(report.siblings) == 1
    assert report.strongest[0].slice.path == ("maxpool1",)
    assert report.feature.reached is not None and report.feature.reached.text in report.unit_hypothesis
    assert report.strongest[0].slice.label in report.circuit_hypothesis
    assert [photo.name for photo in report.classification.photos][1] == "chelsea"
    assert {"date", "seconds", "seconds_by_stage"} <= set(
        json.loads((circuit_site / "site" / "build.json").read_text())
    )
    assert markup_shown((circuit_site / "site" / "index.html").read_text(encoding="utf-8")) == set()


def test_a_second_run_computes_nothing_and_gives_the_same(circuit_copy: Path) -> None:
    before = contents(circuit_copy / "site")
    done = _run(circuit_copy / "config.yaml", trace=True)
    assert "tensorflow" not in done.stderr and "keras" not in done.stderr.replace("KERAS", "")
    assert contents(circuit_copy / "site") == before
    assert json.loads((circuit_copy / "site" / "build.json").read_text())["seconds_by_stage"] == {}


def test_fresh_gives_the_same_to_the_byte(circuit_copy: Path) -> None:
    before = contents(circuit_copy / "site")
    _run(circuit_copy / "config.yaml", "--fresh")
    assert contents(circuit_copy / "site") == before
    assert json.loads((circuit_copy / "site" / "build.json").read_text())["seconds_by_stage"]["pictures"] > 0


def test_an_optional_circuit_without_weights_leaves_a_notice(circuit_copy: Path) -> None:
    done = _run(_config(circuit_copy, VGG19.format(optional="true")))
    index = (circuit_copy / "site" / "index.html").read_text()
    assert "VIZENGINE_WEIGHTS" in index and "VIZENGINE_WEIGHTS" in done.stderr
    assert (circuit_copy / "site" / "squeeze" / "index.html").is_file()
    assert "VIZENGINE_WEIGHTS" in (circuit_copy / "site" / "vgg" / "index.html").read_text()


def test_under_strict_what_must_be_there_fails_the_build_and_the_old_site_stands(circuit_copy: Path) -> None:
    before = contents(circuit_copy / "site")
    done = _run(_config(circuit_copy, VGG19.format(optional="true")), "--strict", code=1)
    assert "Traceback" not in done.stderr and "weights" in done.stderr and "--strict" in done.stderr
    assert done.stdout == ""
    assert contents(circuit_copy / "site") == before


def test_missing_weights_cost_their_own_circuit_alone(circuit_copy: Path) -> None:
    """The others are built; in place of the page stands what is missing, and the exit code says so."""
    done = _run(_config(circuit_copy, VGG19.format(optional="false")), code=1)
    assert "Traceback" not in done.stderr and done.stdout == ""
    assert "1 circuit failed" in done.stderr and "vgg: No weights of VGG19" in done.stderr
    assert _report(circuit_copy / "site" / "squeeze").unit == 3
    for page in ("index.html", "vgg/index.html"):
        assert "VIZENGINE_WEIGHTS" in (circuit_copy / "site" / page).read_text(), page
    # Where no circuit can be computed the site that stood stays.
    before = contents(circuit_copy / "site")
    config = circuit_copy / "config.yaml"
    config.write_text("site: {title: Test}\ncircuits:\n" + VGG19.format(optional="false"))
    assert "No weights of VGG19" in _run(config, code=1).stderr
    assert contents(circuit_copy / "site") == before


def test_a_page_is_kept_while_its_config_section_is_the_same(circuit_copy: Path, shared_weights: Path) -> None:
    shutil.copytree(shared_weights, circuit_copy / "weights")
    config = _config(circuit_copy, VGG19.format(optional="true"))
    _run(config)
    made = _report(circuit_copy / "site" / "vgg")
    assert made.kept is None and "classifier: true" in made.classification.missing
    (circuit_copy / "weights").rename(circuit_copy / "away")
    done = _run(config)
    kept = _report(circuit_copy / "site" / "vgg")
    assert kept.kept is not None and kept.kept.weights_sha256 == made.provenance.weights_sha256
    assert kept.model_copy(update={"kept": None}) == made
    for page in ("index.html", "vgg/index.html"):
        assert "kept from an earlier build" in (circuit_copy / "site" / page).read_text().lower()
    assert "kept from an earlier build" in done.stderr
    before = contents(circuit_copy / "site")
    _run(config)
    assert contents(circuit_copy / "site") == before
    # It is kept too where a run was killed between the two renames of its swap.
    (circuit_copy / "site").rename(circuit_copy / ".site.vizengine-previous")
    _run(config)
    assert contents(circuit_copy / "site") == before
    # With the weights back it is the computed page again; with another section it is a notice.
    (circuit_copy / "away").rename(circuit_copy / "weights")
    _run(config)
    assert _report(circuit_copy / "site" / "vgg") == made
    shutil.rmtree(circuit_copy / "weights")
    config.write_text(config.read_text().replace("index: 5", "index: 6"))
    _run(config)
    assert not (circuit_copy / "site" / "vgg" / "circuit.json").exists()


def test_unreadable_photos_are_warned_of_and_fail_under_strict(circuit_copy: Path) -> None:
    (circuit_copy / "mine").mkdir()
    (circuit_copy / "mine" / "broken.png").write_text("no image")
    config = circuit_copy / "config.yaml"
    config.write_text(config.read_text().replace("photos: photos", "photos: mine"))
    assert "None of the photos" in _run(config, code=1).stderr
    shutil.copyfile(circuit_copy / "photos" / "chelsea.jpg", circuit_copy / "mine" / "cat.jpg")
    assert "broken.png" in _run(config).stderr
    assert "broken.png" in _run(config, "--strict", code=1).stderr


def test_first_and_concatenated_layers_have_pages(circuit_copy: Path) -> None:
    """A last layer's page is that of test_own_models.py: far behind the image, stimuli are large and take minutes."""
    layers = {"conv1": 3, "fire5/squeeze1x1": 256}
    head = "site: {title: Test}\nphotos: photos\nvisualization: {size: 32, steps: 2, attempts: 1}\ncircuits:\n"
    entry = "  - {name: in-%s, network: {model: squeezenet1.1}, unit: {layer: %s, index: 3}}\n"
    config = circuit_copy / "config.yaml"
    config.write_text(head + "".join(entry % (layer.partition("/")[0], layer) for layer in layers))
    _run(config)
    for layer, expected in layers.items():
        report = _report(circuit_copy / "site" / f"in-{layer.partition('/')[0]}")
        assert len(report.inputs) == expected and len(report.strongest) == min(6, expected)
        if layer == "conv1":
            assert {each.label for each in report.inputs} == {"red", "green", "blue"}
            assert all(each.feature.verdict == "exact" for each in report.strongest)


def test_only_computes_the_named_circuit(circuit_copy: Path) -> None:
    more = "  - name: other\n    network: {model: squeezenet1.1}\n    unit: {layer: fire2/squeeze1x1, index: 3}\n"
    config = _config(circuit_copy, more)
    _run(config, "--only", "squeeze")
    assert (circuit_copy / "site" / "squeeze" / "index.html").is_file() and "--only" in _page(circuit_copy, "other")
    _run(config)
    assert (circuit_copy / "site" / "other" / "index.html").is_file()
    _run(config, "--only", "squeeze")
    assert (circuit_copy / "site" / "other" / "index.html").is_file()
