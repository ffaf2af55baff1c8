"""Sweeps on real weights: what is shared, what is kept, what a killed or failing run leaves."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from tests.layers.setups import command, digests, environment, run, write_config
from tests.page.markup_shown import markup_shown
from vizengine.network.model import Network


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a config and the site of its sweep of 80 units; not to be changed."""
    folder = tmp_path_factory.mktemp("sweep")
    done = run(write_config(folder))
    assert done.stdout.strip().endswith("index.html")
    return folder


@pytest.fixture
def copied(built: Path, tmp_path: Path) -> Path:
    """A copy of `built` with its cache."""
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_each_unit_has_a_page_and_a_picture(built: Path) -> None:
    site = built / "site"
    for folder, count in (("conv1", 64), ("fire2-squeeze1x1", 16)):
        assert {path.name for path in (site / folder).glob("*.html")} == {f"{unit}.html" for unit in range(count)}
        assert all((site / folder / f"{unit}.jpg").is_file() for unit in range(count))
    page = (site / "fire2-squeeze1x1" / "3.html").read_text()
    assert len(re.findall(r'<a href="\.\./conv1/\d+\.html"', page)) >= 3
    assert 'rel="prev" href="../fire2-squeeze1x1/2.html"' in page and 'rel="up" href="../index.html"' in page
    # A unit that reads pixels shows the colours, which have pictures but no pages.
    assert "../input/0.jpg" in (site / "conv1" / "0.html").read_text()
    assert (site / "index.html").read_text().count("<img ") == 80
    assert {path.name for path in site.rglob("*.html") if markup_shown(path.read_text(encoding="utf-8"))} == set()


def test_figures_are_those_of_the_weights(built: Path, squeezenet: Network) -> None:
    kernel = squeezenet.weights["fire2/squeeze1x1"][0].astype(np.float64)
    for entry in json.loads((built / "site" / "fire2-squeeze1x1" / "units.json").read_text()):
        norms = np.sqrt(np.square(kernel[..., entry["unit"]]).sum(axis=(0, 1)))
        order = np.argsort(-norms)[:3]
        assert [each["name"] for each in entry["inputs"]] == [f"conv1:{index}" for index in order]
        np.testing.assert_allclose([each["norm"] for each in entry["inputs"]], norms[order], rtol=1e-6)
    read = squeezenet.weights["fire2/squeeze1x1"][0].astype(np.float64)[0, 0]
    shares = np.square(read) / np.square(read).sum(axis=0)
    for entry in json.loads((built / "site" / "conv1" / "units.json").read_text()):
        best = int(shares[entry["unit"]].argmax())
        assert entry["outputs"][0]["name"] == f"fire2/squeeze1x1:{best}"


def test_a_second_run_computes_nothing_and_gives_the_same(copied: Path) -> None:
    before = digests(copied / "site")
    done = run(copied / "config.yaml", trace=True)
    assert "tensorflow" not in done.stderr
    assert digests(copied / "site") == before


def test_fresh_gives_the_same_to_the_byte(copied: Path) -> None:
    before = digests(copied / "site")
    run(copied / "config.yaml", "--fresh")
    assert digests(copied / "site") == before
    assert json.loads((copied / "site" / "build.json").read_text())["seconds_by_stage"]["pictures"] > 0


def test_a_picture_is_shared_by_all_pages_and_made_once(built: Path) -> None:
    kept = [json.loads(path.read_text()) for path in (built / ".vizengine-cache" / "pictures").glob("*.json")]
    made = [(entry["value"]["layer"], entry["value"]["channel"]) for entry in kept]
    assert len(made) == len(set(made)) == 3 + 64 + 16


def test_a_killed_run_goes_on_where_it_was(built: Path, tmp_path: Path) -> None:
    config = write_config(tmp_path)
    kept = tmp_path / ".vizengine-cache" / "pictures"
    process = subprocess.Popen(command(config), env=environment(), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(kept.glob("*.json")) and time.monotonic() < deadline:
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "site").exists()
    before = {path.name: path.stat().st_mtime_ns for path in kept.glob("*.json")}
    assert 0 < len(before) < 83
    run(config)
    after = {path.name: path.stat().st_mtime_ns for path in kept.glob("*.json")}
    assert len(after) == 83 and before.items() <= after.items()
    assert digests(tmp_path / "site") == digests(built / "site")


def test_a_unit_that_fails_has_a_page_that_says_so(tmp_path: Path, squeezenet: Network) -> None:
    kernel, bias = squeezenet.weights["fire2/squeeze1x1"]
    broken = kernel.copy()
    broken[0, 0, 5, 2] = np.nan
    network = Network(squeezenet.architecture, {**squeezenet.weights, "fire2/squeeze1x1": (broken, bias)})
    network.model_upto("fire2/squeeze1x1").save_weights(tmp_path / "broken.weights.h5")
    config = write_config(tmp_path, "{layer: fire2/squeeze1x1, index: 0-3}")
    config.write_text(config.read_text().replace("squeezenet1.1}", "squeezenet1.1, weights: broken.weights.h5}"))
    done = run(config, code=1)
    assert done.stdout == ""
    assert "1 of the units failed" in done.stderr and "small: fire2/squeeze1x1:2: its weights" in done.stderr
    site = tmp_path / "site"
    assert "This unit failed" in (site / "fire2-squeeze1x1" / "2.html").read_text()
    assert "This unit failed" not in (site / "fire2-squeeze1x1" / "1.html").read_text()
    index = (site / "index.html").read_text()
    assert "1 unit failed" in index and index.count("<img ") == 3


def test_a_channel_that_breaks_its_batch_is_found(tmp_path: Path, squeezenet: Network) -> None:
    # The units' own weights are sound; one of the channels that they read isn't, and breaks all that it touches.
    kernel, bias = squeezenet.weights["fire2/expand3x3"]
    broken = bias.copy()
    broken[7] = np.nan
    network = Network(squeezenet.architecture, {**squeezenet.weights, "fire2/expand3x3": (kernel, broken)})
    network.model_upto("fire2/concat").save_weights(tmp_path / "broken.weights.h5")
    config = write_config(tmp_path, "{layer: 'fire2/expand*', index: 6-8}")
    config.write_text(config.read_text().replace("squeezenet1.1}", "squeezenet1.1, weights: broken.weights.h5}"))
    done = run(config, code=1)
    assert "1 of the units failed" in done.stderr and "small: fire2/expand3x3:7" in done.stderr
    assert "failed" not in (tmp_path / "site" / "fire2-expand3x3" / "6.html").read_text()


def test_the_highest_by_a_measure(copied: Path) -> None:
    def units(by: str) -> list[int]:
        config = write_config(copied, f"{{layer: conv1, top: 5, by: {by}}}")
        run(config)
        return [each["unit"] for each in json.loads((copied / "site" / "conv1" / "units.json").read_text())]

    every = json.loads((copied / "site" / "conv1" / "units.json").read_text())
    for by in ("strength", "firing", "orientation"):
        values = {each["unit"]: each[by] for each in every if each[by] is not None}
        assert units(by) == sorted(sorted(values, key=lambda unit: (-values[unit], unit))[:5])


def test_a_sweep_beside_a_circuit(copied: Path) -> None:
    circuit = "  - name: one\n    network: {model: squeezenet1.1}\n    unit: {layer: conv1, index: 3}\n"
    config = write_config(copied, more=circuit)
    run(config, "--only", "small")
    index = (copied / "site" / "index.html").read_text()
    assert 'href="small/index.html"' in index and "Build without --only" in index
    assert (copied / "site" / "small" / "conv1" / "3.html").is_file()
    assert not (copied / "site" / "one").exists()


def test_a_scheduler_that_does_not_answer_is_named(tmp_path: Path) -> None:
    done = run(write_config(tmp_path), "--scheduler", "tcp://127.0.0.1:9", code=1)
    assert "tcp://127.0.0.1:9" in done.stderr and "dask scheduler" in done.stderr and "Traceback" not in done.stderr


def test_the_log_has_every_job_and_the_time_left(built: Path) -> None:
    lines = (built / ".vizengine-cache" / "log" / "small.log").read_text().splitlines()
    done = [line for line in lines if ": done in" in line]
    # Photos through the image and two layers, stimuli through two, and four batches of pictures.
    assert len(done) == 3 + 2 + 4
    assert all(re.search(r"by this process; \d+ of \d+, [\d.]+ a second, about .* left$", line) for line in done)
    assert re.match(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}", lines[0])
    stages = json.loads((built / "site" / "build.json").read_text())["seconds_by_stage"]
    assert all(stages[f"{kind}, processor"] > 0 for kind in ("survey", "selectivity", "pictures", "pages"))


def test_the_estimate_computes_nothing_that_it_was_not_asked_for(tmp_path: Path) -> None:
    config = write_config(tmp_path, "{layer: [conv1, fire2/squeeze1x1], index: 0-9}")
    done = run(config, "--estimate")
    said = done.stdout
    # Ten units of each layer; conv1 reads three colours, and the ten of the next read three each of 64 channels.
    assert "small: 20 units, 53 pictures" in said
    seconds = re.search(r"time: about .*photos and stimuli (?:(\d+) min )?([\d.]+) s, pictures", said)
    assert seconds and float(seconds[2]) + 60 * int(seconds[1] or 0) > 0
    assert float(re.search(r"memory: about ([\d.]+) GB", said)[1]) > 0.2  # type: ignore[index]
    assert re.search(r"disk: about \d+ MB of site", said)
    assert not (tmp_path / "site").exists() and not (tmp_path / ".vizengine-cache" / "pictures").exists()
