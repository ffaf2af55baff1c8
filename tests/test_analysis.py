"""The Python API: what `analyze` gives, that it shares the command line's cache, and its page in a frame."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

import vizengine
from tests import runs
from tests.browser.checks import assert_decoded, opened
from tests.places import REPOSITORY
from tests.runs import CIRCUIT
from vizengine.measures.engine import Evidence
from vizengine.measures.inputs import Circuit
from vizengine.page.report import Report
from vizengine.pictures.result import Visualization

VGG19 = """\
  - name: vgg
    optional: true
    network: {model: vgg19, weights_folder: weights}
    unit: {layer: block2_conv1, index: 5}
"""


def _python(program: str, folder: Path, code: int = 0, **more: str) -> subprocess.CompletedProcess[str]:
    """A program in a process of its own that runs in `folder`."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), **more}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == code, done.stderr[-3000:]
    return done


def test_the_import_is_light() -> None:
    program = (
        "import sys, vizengine\n"
        "heavy = {'numpy', 'tensorflow', 'keras', 'pydantic', 'jinja2'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert {'analyze', 'Analysis', 'ConfigError', '__version__'} <= set(dir(vizengine))\n"
        "assert all(hasattr(vizengine, name) for name in vizengine.__all__)\n"
        "assert not hasattr(vizengine, 'analyse')\n"
    )
    _python(program, REPOSITORY)


def test_results_are_typed(analysis: vizengine.Analysis) -> None:
    assert isinstance(analysis, vizengine.Analysis)
    assert isinstance(analysis.circuit, Circuit) and isinstance(analysis.evidence, Evidence)
    assert (analysis.name, analysis.circuit.layer, analysis.circuit.unit) == ("squeeze", "fire2/squeeze1x1", 3)
    assert analysis.unit_picture.shape == (64, 64, 3) and analysis.unit_picture.dtype == np.uint8
    # Its inputs, itself, its sibling, and the colours that its inputs read.
    assert len(analysis.pictures) == 6 + 1 + 1 + 3
    for place, picture in analysis.pictures.items():
        assert isinstance(picture, Visualization) and place == (picture.layer, picture.channel)
        assert picture.image.dtype == np.uint8
    assert len(analysis.groups) == len(analysis.evidence.factors.factors)
    assert analysis.network.name == "squeezenet1.1" and analysis.classification.photos
    with pytest.raises(dataclasses.FrozenInstanceError):
        analysis.circuit = analysis.circuit  # type: ignore[misc]


def test_what_lies_before_and_behind_the_unit_is_on_its_page(
    analysis: vizengine.Analysis, published: Report, circuit_site: Path
) -> None:
    strongest = analysis.circuit.strongest
    assert [branch.index for branch in analysis.inner] == [channel.index for channel in strongest]
    for branch, channel, report in zip(analysis.inner, strongest, published.tree, strict=True):
        assert branch.circuit is not None and branch.reason == report.missing == ""
        assert (branch.circuit.layer, branch.circuit.unit) == ("conv1", channel.source_channel)
        assert {twig.label for twig in report.inputs} == {"red", "green", "blue"}
        assert [twig.norm.value for twig in report.inputs] == [colour.norm for colour in branch.circuit.strongest]
    assert [expansion.layer for expansion in published.expanded.layers] == ["input", "conv1"]
    assert published.outputs.layers == ("fire2/expand1x1", "fire2/expand3x3")
    assert published.outputs.units.value == 64 + 64 and not published.outputs.unread
    page = (circuit_site / "site" / "index.html").read_text(encoding="utf-8")
    assert all(f'id="{name}"' in page for name in ("tree", "expanded", "outputs"))


def test_it_says_what_it_is(analysis: vizengine.Analysis) -> None:
    text = repr(analysis)
    assert "\n" not in text and len(text) < 250
    for part in ("squeeze", "fire2/squeeze1x1", "unit 3", "64 × 64 px", analysis.inputs[0].label, "2 claims>"):
        assert part in text
    assert ("not converged" in text) != analysis.unit.converged


def test_the_arrays_are_what_the_site_says(analysis: vizengine.Analysis, published: Report) -> None:
    assert analysis.report == published and analysis.title == published.title
    assert [channel.label for channel in analysis.inputs] == [row.label for row in published.inputs]
    for row in published.inputs:
        kernel = [[cell.value for cell in cells] for cells in row.kernel.rows]
        np.testing.assert_array_equal(analysis.kernel(row.index), np.array(kernel, np.float32))
        assert analysis.kernel(row.label) is analysis.kernel(row.index)
        assert analysis.input(row.label).norm == row.norm.value
        assert analysis.evidence.contributions.mean[row.index] == row.contribution.value
    assert analysis.unit.reached == published.feature.reached.value  # type: ignore[union-attr]
    assert [claim.verdict for claim in analysis.claims] == [claim.finding for claim in published.evidence.claims]
    pictures = [(analysis.unit_picture, published.feature)]
    pictures += [(analysis.picture(strong.slice.index), strong.feature) for strong in published.strongest]
    for pixels, feature in pictures:
        with Image.open(io.BytesIO(b64decode(feature.picture.source.partition(",")[2]))) as image:
            decoded = np.asarray(image.convert("RGB"), np.float64)
        # The page's picture is a JPEG.
        assert np.abs(decoded - pixels).mean() < 12
        assert np.abs(decoded - pixels[::-1]).mean() > 20


def test_what_is_not_there_is_told(analysis: vizengine.Analysis) -> None:
    with pytest.raises(ValueError, match="no input 'conv1:99'"):
        analysis.kernel("conv1:99")
    seventh = analysis.inputs[6]
    with pytest.raises(ValueError, match=r"number 7 by norm.*`inputs: 7`"):
        analysis.picture(seventh.label)


def test_it_can_be_sent_to_another_process(analysis: vizengine.Analysis) -> None:
    again = pickle.loads(pickle.dumps(analysis))
    np.testing.assert_array_equal(again.unit_picture, analysis.unit_picture)
    assert again.report == analysis.report


def test_after_the_command_nothing_is_computed(circuit_site: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    shutil.copytree(circuit_site, tmp_path / "copy")
    program = (
        "import os, sys, vizengine\n"
        "(circuit,) = vizengine.analyze('../copy/config.yaml')\n"
        "os.chdir('/')\n"
        "assert circuit._repr_html_()\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    before = set((tmp_path / "copy").rglob("*"))
    done = _python(program, tmp_path / "elsewhere")
    assert done.stdout == "" and done.stderr == ""
    # Copies have new places on disk, whose hashes are remembered; no result was added and no site was written.
    assert {path.parent.name for path in set((tmp_path / "copy").rglob("*")) - before} <= {"files"}


def test_the_command_computes_nothing_after_it(circuit_copy: Path) -> None:
    shutil.rmtree(circuit_copy / "site")
    program = (
        "import vizengine\n"
        "from pathlib import Path\n"
        "def written(): return {path: path.stat().st_mtime_ns for path in Path().glob('.vizengine-cache/pictures/*')}\n"
        "first = vizengine.analyze('config.yaml', progress=False)\n"
        "before = written()\n"
        "again = vizengine.analyze('config.yaml', fresh=True)\n"
        "assert before.keys() == written().keys() and all(written()[path] > before[path] for path in before)\n"
        "assert first[0].report == again[0].report\n"
    )
    done = _python(program, circuit_copy)
    # Said of the second call only.
    assert done.stderr.count("pictures of conv1: done in") == 1 and done.stdout == ""
    assert not (circuit_copy / "site").exists()
    runs.run(circuit_copy, "config.yaml", code=0)
    assert json.loads((circuit_copy / "site" / "build.json").read_text())["seconds_by_stage"] == {}


def test_every_problem_of_a_config_is_in_its_error(tmp_path: Path) -> None:
    runs.write_photos(tmp_path)
    config = tmp_path / "config.yaml"
    config.write_text(CIRCUIT.replace("fire2", "fier2").replace("size: 64", "size: 65"))
    with pytest.raises(vizengine.ConfigError) as caught:
        vizengine.analyze(config)
    assert "config.yaml:3:" in str(caught.value) and "config.yaml:7:" in str(caught.value)
    assert len(caught.value.problems) == 2
    with pytest.raises(vizengine.ConfigError, match="did you mean `config.yaml`"):
        vizengine.analyze(str(tmp_path / "confg.yaml"))


def test_circuits_can_be_chosen_and_missing_weights_are_an_error(
    circuit_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(circuit_site, tmp_path, dirs_exist_ok=True)
    config = tmp_path / "config.yaml"
    config.write_text(CIRCUIT + VGG19)
    monkeypatch.delenv("VIZENGINE_WEIGHTS", raising=False)
    for name, value in {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "", "KERAS_HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(vizengine.WeightsUnavailable, match=r"vgg: .*weights.*`only`"):
        vizengine.analyze(config)
    for only in ("squeeze", ["squeeze"]):
        (circuit,) = vizengine.analyze(config, only=only)
        assert circuit.name == "squeeze"
    # Cited by its place on the whole site, though its page stands alone here.
    assert "https://example.org/site/squeeze/" in circuit.page() and "../index.html" not in circuit.page()
    with pytest.raises(ValueError, match=r"no circuit 'squeezed'.*did you mean `squeeze`"):
        vizengine.analyze(config, only="squeezed")
    with pytest.raises(ValueError, match="names no circuit"):
        vizengine.analyze(config, only=[])


def test_sweeps_are_passed_over(circuit_site: Path, tmp_path: Path) -> None:
    shutil.copytree(circuit_site, tmp_path, dirs_exist_ok=True)
    config = tmp_path / "config.yaml"
    sweep = "  - name: many\n    network: {model: squeezenet1.1}\n    unit: {layer: fire2/squeeze1x1, index: all}\n"
    config.write_text(CIRCUIT + sweep)
    assert [circuit.name for circuit in vizengine.analyze(config)] == ["squeeze"]
    config.write_text("site: {title: Test}\ncircuits:\n" + sweep)
    with pytest.raises(ValueError, match="sweeps only"):
        vizengine.analyze(config)


def test_another_backend_of_keras_is_told(circuit_site: Path) -> None:
    # Keras' other backends need packages that aren't here, so this one is only named.
    program = (
        "import os; os.environ['KERAS_BACKEND'] = 'tensorflow'\n"
        "import keras, vizengine\n"
        "assert len(vizengine.analyze('config.yaml')) == 1\n"
        "keras.src.backend.config._BACKEND = 'torch'\n"
        "vizengine.analyze('config.yaml')"
    )
    done = _python(program, circuit_site, code=1)
    assert "VizengineError: Keras was loaded in this process with the backend torch; expected tensorf" in done.stderr


def test_the_page_works_in_a_notebooks_frame(
    analysis: vizengine.Analysis,
    browser: Browser,
    tmp_path: Path,
) -> None:
    host = tmp_path / "notebook.html"
    host.write_text(
        f"<!doctype html><meta charset=utf-8><title>Notebook</title>{analysis._repr_html_()}", encoding="utf-8"
    )
    with opened(browser, host) as outer:
        assert outer.title() == "Notebook"
        frame = outer.frames[1]
        assert outer.get_by_title(analysis.title).bounding_box()["height"] >= 800  # type: ignore[index]
        assert frame.url == "about:srcdoc" and frame.locator("h1").inner_text() == analysis.title
        assert_decoded(frame)  # type: ignore[arg-type]
        # The styles and the script are those that the policy admits.
        frame.locator(".theme").click()
        assert frame.evaluate("document.documentElement.dataset.theme") == "dark"
        # A link inside the page, taken twice, stays inside; one to a file beside the page leads nowhere.
        for _ in range(2):
            frame.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
            expect(frame.locator("#made")).not_to_be_in_viewport()
            frame.locator("a[href='#made']").first.click()
            expect(frame.locator("#made")).to_be_in_viewport()
        assert frame.url == "about:srcdoc#made" and frame.locator("h1").inner_text() == analysis.title
        assert frame.locator("a[href]:not([href^='#'], [href^='http'])").count() == 0
        assert frame.locator("a[href^='http']:not([target='_blank'])").count() == 0
        # The notebook is out of the page's reach.
        assert frame.evaluate("(() => { try { return parent.document.title } catch { return null } })()") is None


def test_everything_an_analysis_has_is_documented() -> None:
    text = (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8")
    public = {name for name in vars(vizengine.Analysis) if not name.startswith("_")}
    public |= {field.name for field in dataclasses.fields(vizengine.Analysis)} - {"site"}
    assert {name for name in public if not re.search(rf"\| .*`{name}[`(].*\|", text)} == set()
