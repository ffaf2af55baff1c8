"""The survey of a layer on real weights: what it shares with sweeps, where it links to, what a run leaves."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path

from tests import runs
from tests.layers.setups import break_weights, run, times, units, write_config
from tests.runs import contents as digests
from vizengine.config.load import load
from vizengine.network.model import Network

LAYER = "fire2/squeeze1x1"
SHEET = Path("survey") / "squeezenet1-1-fire2-squeeze1x1"
ONE = "{layer: fire2/squeeze1x1, index: 3}"


def test_every_unit_has_a_picture_examples_and_figures(surveyed: Path) -> None:
    sheet = surveyed / SHEET
    for kind, ending in (("pictures", "jpg"), ("examples", "webp")):
        assert {path.name for path in (sheet / kind).iterdir()} == {f"{unit}.{ending}" for unit in range(16)}
    found = units(surveyed / SHEET)
    assert [each["unit"] for each in found] == list(range(16))
    for each in found:
        assert 0 < each["firing"] <= 100 and 0 <= each["sparsity"] <= 1 and len(each["nearest"]) == 3
        assert each["group_count"] >= 1 and (each["group_count"] > 1) == (each["grouping"] > each["grouping_chance"])
        assert each["likeness"] == each["nearest"][0]["correlation"]


def test_figures_are_those_of_the_sweep(surveyed: Path) -> None:
    pages = units(surveyed / "site" / "fire2-squeeze1x1")
    for page, each in zip(pages, units(surveyed / SHEET), strict=True):
        for name in ("strength", "firing", "orientation", "hue", "reached", "photo_best", "picture"):
            assert page[name] == each[name]
    pictures = [surveyed / "site" / "fire2-squeeze1x1" / "7.jpg", surveyed / SHEET / "pictures" / "7.jpg"]
    assert pictures[0].read_bytes() == pictures[1].read_bytes()


def test_units_link_to_their_pages(surveyed: Path) -> None:
    page = (surveyed / SHEET / "index.html").read_text()
    for unit in range(16):
        address = f"../../site/fire2-squeeze1x1/{unit}.html"
        assert f'href="{address}"' in page and (surveyed / SHEET / address).resolve().is_file()


def test_a_survey_outlives_the_next_build_and_leaves_the_site_alone(surveyed: Path, tmp_path: Path) -> None:
    shutil.copytree(surveyed, tmp_path, dirs_exist_ok=True)
    before = digests(tmp_path / "survey")
    run(tmp_path / "config.yaml")
    assert digests(tmp_path / "survey") == before
    run(tmp_path / "config.yaml", "--survey", LAYER)
    assert digests(tmp_path / "survey") == before


def test_the_lines_make_the_page(surveyed: Path, tmp_path: Path) -> None:
    page = (surveyed / SHEET / "index.html").read_text()
    lines = page.split('data-lines="', 1)[1].split('"', 1)[0].replace("{unit}", "7").replace("&#39;", "'")
    path = tmp_path / "config.yaml"
    path.write_text(f"site: {{title: Test}}\ncircuits:\n{lines}\n")
    (circuit,) = load(path).circuits
    assert (circuit.unit.layer, circuit.unit.index, circuit.network.model) == (LAYER, 7, "squeezenet1.1")
    assert circuit.name == "squeezenet1-1-fire2-squeeze1x1-7"


def test_a_circuit_of_the_same_unit_alone_is_linked(surveyed: Path, tmp_path: Path) -> None:
    config = write_config(tmp_path, ONE)
    # The page that stands is that of another unit than the config's.
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("<!doctype html>")
    for unit, linked in ((5, False), (3, True)):
        (tmp_path / "site" / "circuit.json").write_text(json.dumps({"layer": LAYER, "unit": unit}))
        shutil.copytree(surveyed / ".vizengine-cache", tmp_path / ".vizengine-cache", dirs_exist_ok=True)
        run(config, "--survey", LAYER)
        assert ('href="../../site/index.html"' in (tmp_path / SHEET / "index.html").read_text()) == linked


def test_another_folder_is_taken_and_strange_files_are_left_alone(surveyed: Path, tmp_path: Path) -> None:
    shutil.copytree(surveyed, tmp_path / "here", dirs_exist_ok=True)
    config, out = tmp_path / "here" / "config.yaml", tmp_path / "there"
    done = run(config, "--survey", LAYER, "--out", str(out))
    assert done.stdout.strip() == str(out / SHEET.name / "index.html")
    page = (out / SHEET.name / "index.html").read_text()
    assert 'href="../../here/site/fire2-squeeze1x1/3.html"' in page
    other = config.with_name("class.yaml")
    other.write_text(config.read_text())
    refused = run(other, "--survey", LAYER, "--out", str(out), code=1)
    assert "`--replace`" in refused.stderr and "done in" not in refused.stderr
    assert run(other, "--survey", LAYER).stdout.strip() == str(other.parent / f"class-{SHEET}" / "index.html")
    assert "replaced in" in run(other, "--survey", LAYER, "--out", str(out), "--replace").stderr
    shutil.rmtree(out / SHEET.name)
    (out / SHEET.name).mkdir()
    (out / SHEET.name / "thesis.txt").write_text("mine")
    refused = run(config, "--survey", LAYER, "--out", str(out), code=1)
    assert "left alone" in refused.stderr and (out / SHEET.name / "thesis.txt").read_text() == "mine"


def test_what_is_wrong_is_told_at_once_and_a_network_without_the_layer_is_passed_over(
    surveyed: Path, tmp_path: Path
) -> None:
    shutil.copytree(surveyed / ".vizengine-cache", tmp_path / ".vizengine-cache")
    vgg = (
        "  - name: other\n    optional: true\n    network: {model: vgg19}\n    unit: {layer: block1_conv1, index: 3}\n"
    )
    config = write_config(tmp_path, ONE, more=vgg)
    assert run(config, "--survey", LAYER).stdout.split() == [str(tmp_path / SHEET / "index.html")]
    done = run(config, "--survey", "block1_conv", "--only", "small", "--out", str(config), code=2)
    assert done.stderr.count("error: ") == 2 and "Traceback" not in done.stderr
    assert "SqueezeNet 1.1 has no layer block1_conv" in done.stderr and "VGG19" not in done.stderr
    done = run(config, "--survey", "block1_conv", code=2)
    assert "SqueezeNet 1.1 has no layer block1_conv" in done.stderr
    assert "VGG19 has no layer block1_conv; did you mean block1_conv2 or block1_conv1" in done.stderr


def test_the_estimate_is_of_the_layer_alone(surveyed: Path, tmp_path: Path) -> None:
    config = write_config(tmp_path, ONE)
    done = run(config, "--survey", LAYER, "--estimate")
    assert "squeezenet1-1-fire2-squeeze1x1: 16 units, 16 pictures" in done.stdout
    assert "groups of examples" in done.stdout and not (tmp_path / "survey").exists()


def test_an_interrupted_survey_goes_on_where_it_was(surveyed: Path, tmp_path: Path) -> None:
    config = write_config(tmp_path, ONE)
    pictures = tmp_path / ".vizengine-cache" / "pictures"
    process = runs.start(tmp_path, config.name, "--survey", "fire2/expand1x1")
    runs.wait_for(process, lambda: list(pictures.glob("*.json")))
    process.send_signal(signal.SIGINT)
    _, words = process.communicate()
    assert process.returncode == 130 and "what was finished is kept" in words
    assert not (tmp_path / "survey").exists()
    before = times(tmp_path)
    assert 0 < len(before) < 64
    run(config, "--survey", "fire2/expand1x1")
    assert len(times(tmp_path)) == 64 and before.items() <= times(tmp_path).items()


def test_processes_that_share_the_work_give_the_same(surveyed: Path, tmp_path: Path) -> None:
    config = write_config(tmp_path, f"{{layer: {LAYER}, index: all}}", execution="{workers: 2}")
    shutil.copytree(surveyed / "site", tmp_path / "site")
    run(config, "--survey", LAYER)
    assert digests(tmp_path / "survey") == digests(surveyed / "survey")


def test_a_unit_that_fails_says_so_and_all_others_are_there(tmp_path: Path, squeezenet: Network) -> None:
    config = write_config(tmp_path, ONE)
    break_weights(squeezenet, LAYER, (0, 0, 5, 2), LAYER, config)
    done = run(config, "--survey", LAYER, code=1)
    assert done.stdout == "" and f"{LAYER}:2: its weights" in done.stderr
    found = units(tmp_path / SHEET)
    assert "failure" in found[2] and sum("failure" in each for each in found) == 1
    assert all(2 not in [near["unit"] for near in each["nearest"]] for each in found if "nearest" in each)
    assert "1 unit failed" in (tmp_path / SHEET / "index.html").read_text()
