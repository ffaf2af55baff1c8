"""Sweeps on real weights: what is shared, what is kept, what a killed or failing run leaves."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

import numpy as np

from tests.layers.setups import break_weights, run, units, write_config
from tests.page.words import markup_shown
from tests.runs import contents
from vizengine.network.model import Network


def test_each_unit_has_a_page_and_a_picture(sweep_site: Path) -> None:
    site = sweep_site / "site"
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


def test_figures_are_those_of_the_weights(sweep_site: Path, squeezenet: Network) -> None:
    kernel = squeezenet.weights["fire2/squeeze1x1"][0].astype(np.float64)
    for entry in units(sweep_site / "site" / "fire2-squeeze1x1"):
        norms = np.sqrt(np.square(kernel[..., entry["unit"]]).sum(axis=(0, 1)))
        order = np.argsort(-norms)[:3]
        assert [each["name"] for each in entry["inputs"]] == [f"conv1:{index}" for index in order]
        np.testing.assert_allclose([each["norm"] for each in entry["inputs"]], norms[order], rtol=1e-6)
    read = squeezenet.weights["fire2/squeeze1x1"][0].astype(np.float64)[0, 0]
    shares = np.square(read) / np.square(read).sum(axis=0)
    for entry in units(sweep_site / "site" / "conv1"):
        best = int(shares[entry["unit"]].argmax())
        assert entry["outputs"][0]["name"] == f"fire2/squeeze1x1:{best}"


def test_a_second_run_computes_nothing_and_gives_the_same(sweep_copy: Path) -> None:
    before = contents(sweep_copy / "site")
    done = run(sweep_copy / "config.yaml", trace=True)
    assert "tensorflow" not in done.stderr
    assert contents(sweep_copy / "site") == before


def test_a_picture_is_shared_by_all_pages_and_made_once(sweep_site: Path) -> None:
    kept = [json.loads(path.read_text()) for path in (sweep_site / ".vizengine-cache" / "pictures").glob("*.json")]
    made = [(entry["value"]["layer"], entry["value"]["channel"]) for entry in kept]
    assert len(made) == len(set(made)) == 3 + 64 + 16


def test_a_unit_that_fails_has_a_page_that_says_so(tmp_path: Path, squeezenet: Network) -> None:
    config = write_config(tmp_path, "{layer: fire2/squeeze1x1, index: 0-3}")
    break_weights(squeezenet, "fire2/squeeze1x1", (0, 0, 5, 2), "fire2/squeeze1x1", config)
    done = run(config, code=1)
    assert done.stdout == ""
    assert "1 of the units failed" in done.stderr and "small: fire2/squeeze1x1:2: its weights" in done.stderr
    site = tmp_path / "site"
    assert "This unit failed" in (site / "fire2-squeeze1x1" / "2.html").read_text()
    assert "This unit failed" not in (site / "fire2-squeeze1x1" / "1.html").read_text()
    index = (site / "index.html").read_text()
    assert "1 unit failed" in index and index.count("<img ") == 3


def test_a_channel_that_breaks_its_batch_is_found(tmp_path: Path, squeezenet: Network) -> None:
    """The units' own weights are sound; one of the channels that they read isn't, and breaks all that it touches."""
    config = write_config(tmp_path, "{layer: 'fire2/expand*', index: 6-8}")
    break_weights(squeezenet, "fire2/expand3x3", (7,), "fire2/concat", config)
    done = run(config, code=1)
    assert "1 of the units failed" in done.stderr and "small: fire2/expand3x3:7" in done.stderr
    assert "failed" not in (tmp_path / "site" / "fire2-expand3x3" / "6.html").read_text()


def test_a_scheduler_that_does_not_answer_is_named(tmp_path: Path) -> None:
    done = run(write_config(tmp_path), "--scheduler", "tcp://127.0.0.1:9", code=1)
    assert "tcp://127.0.0.1:9" in done.stderr and "dask scheduler" in done.stderr and "Traceback" not in done.stderr


def test_a_scheduler_that_accepts_and_says_nothing_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        done = run(write_config(tmp_path), "--scheduler", address, code=1)
    assert f"No Dask scheduler answers at {address}: timed out" in done.stderr and "Traceback" not in done.stderr


def test_the_highest_by_a_measure(sweep_copy: Path) -> None:
    def highest(by: str) -> list[int]:
        config = write_config(sweep_copy, f"{{layer: conv1, top: 5, by: {by}}}")
        run(config)
        return [each["unit"] for each in units(sweep_copy / "site" / "conv1")]

    every = units(sweep_copy / "site" / "conv1")
    for by in ("strength", "firing", "orientation"):
        values = {each["unit"]: each[by] for each in every if each[by] is not None}
        assert highest(by) == sorted(sorted(values, key=lambda unit: (-values[unit], unit))[:5])


def test_a_sweep_beside_a_circuit(sweep_copy: Path) -> None:
    circuit = "  - name: one\n    network: {model: squeezenet1.1}\n    unit: {layer: conv1, index: 3}\n"
    config = write_config(sweep_copy, more=circuit)
    run(config, "--only", "small")
    index = (sweep_copy / "site" / "index.html").read_text()
    assert 'href="small/index.html"' in index and "Build without --only" in index
    assert (sweep_copy / "site" / "small" / "conv1" / "3.html").is_file()
    assert "Build without --only" in (sweep_copy / "site" / "one" / "index.html").read_text()


def test_the_log_has_every_job_and_the_time_left(sweep_site: Path) -> None:
    lines = (sweep_site / ".vizengine-cache" / "log" / "small.log").read_text().splitlines()
    done = [line for line in lines if ": done in" in line]
    # Photos through the image and two layers, stimuli through two, and four batches of pictures.
    assert len(done) == 3 + 2 + 4
    assert all(re.search(r"by this process; \d+ of \d+, [\d.]+ a second, about .* left$", line) for line in done)
    assert re.match(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}", lines[0])
    stages = json.loads((sweep_site / "site" / "build.json").read_text())["seconds_by_stage"]
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
