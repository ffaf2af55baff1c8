"""A problem with one circuit costs that circuit alone: its place says what happened, the others are built."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.places import REPOSITORY
from tests.runs import write_photos
from vizengine import build as builder
from vizengine import circuit
from vizengine.build import Failure, Options, Outcome, build, keep
from vizengine.check import check
from vizengine.config.load import load
from vizengine.config.schema import CircuitSection
from vizengine.errors import BuildFailed
from vizengine.layers import pages as sweep_run
from vizengine.output import SILENT
from vizengine.page.render import render_circuit
from vizengine.page.report import Report

CONFIG = """\
site: {title: Test}
photos: photos
visualization: {size: 32, steps: 2, attempts: 1}
circuits:
  - {name: first, network: {model: squeezenet1.1}, unit: {layer: fire2/squeeze1x1, index: 3}}
  - {name: second, network: {model: squeezenet1.1}, unit: {layer: fire2/squeeze1x1, index: 4}}
"""
SWEEP = "  - {name: many, network: {model: squeezenet1.1}, unit: {layer: fire2/squeeze1x1, index: 0-1}}\n"
Failing = Callable[[str, Exception], None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose cache has all circuits."""
    folder = tmp_path_factory.mktemp("entries")
    write_photos(folder)
    (folder / "config.yaml").write_text(CONFIG + SWEEP)
    assert _build(folder, "whole").failed == ()
    return folder


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Failing]:
    """Has the work on a circuit end in an error."""
    reports = circuit.CircuitRun.report
    broken: dict[str, Exception] = {}

    def report(run: Any) -> Report:
        if run.section.name in broken:
            raise broken[run.section.name]
        return reports(run)

    monkeypatch.setattr(circuit.CircuitRun, "report", report)
    yield broken.__setitem__


def _build(folder: Path, out: str = "site", **options: Any) -> Outcome:
    config = check(folder / "config.yaml")
    return build(config, Options(out=folder / out, **options), SILENT)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TypeError("only 0-dimensional arrays"), "Unexpected error: TypeError: only 0-dimensional arrays"),
        (MemoryError(), "Memory ran out"),
        (BuildFailed("None of the photos can be read."), "None of the photos can be read."),
    ],
)
def test_an_error_in_one_circuit_leaves_the_others_their_pages(
    folder: Path, failing: Failing, caplog: pytest.LogCaptureFixture, error: Exception, words: str
) -> None:
    failing("second", error)
    with caplog.at_level(logging.INFO, "vizengine"):
        outcome = _build(folder, "apart")
    assert len(outcome.failed) == 1 and outcome.failed[0].startswith(f"second: {words}")
    assert "Traceback" not in caplog.text
    site = folder / "apart"
    assert (site / "first" / "circuit.json").is_file() and not (site / "second" / "circuit.json").exists()
    for page in ("index.html", "second/index.html"):
        assert words in (site / page).read_text(), page
    assert "first/index.html" in (site / "index.html").read_text()
    with caplog.at_level(logging.DEBUG, "vizengine"):
        _build(folder, "apart")
    assert "Traceback" in caplog.text


def test_the_page_of_an_earlier_build_is_kept_and_says_so(folder: Path, failing: Failing) -> None:
    _build(folder, "kept")
    failing("second", RuntimeError(f"a fault in {folder.resolve()}/config.yaml"))
    assert _build(folder, "kept").failed
    kept = Report.model_validate_json((folder / "kept" / "second" / "circuit.json").read_bytes()).kept
    # What is published has no path of the machine.
    assert kept is not None and "RuntimeError: a fault in config.yaml" in kept.reason


def test_a_page_that_cannot_be_rendered_leaves_the_others_theirs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    render = render_circuit

    def rendered(report: Report, *others: Any) -> str:
        if report.name == "second":
            raise ValueError("no such figure")
        return render(report, *others)

    def explorer(*others: Any) -> str:
        raise TypeError("no explorer")

    monkeypatch.setattr(builder, "render_circuit", rendered)
    monkeypatch.setattr(sweep_run, "render_explorer", explorer)
    outcome = _build(folder, "rendered")
    site = folder / "rendered"
    assert [failure.partition(":")[0] for failure in outcome.failed] == ["second", "many"]
    assert "no such figure" in (site / "second" / "index.html").read_text()
    assert {path.name for path in (site / "many").rglob("*")} == {"index.html"}
    assert "no explorer" in (site / "many" / "index.html").read_text()
    index = (site / "index.html").read_text()
    assert "no such figure" in index and "no explorer" in index and "first/index.html" in index


def test_where_all_fail_the_site_that_stood_stays(folder: Path, failing: Failing) -> None:
    (folder / "config.yaml").write_text(CONFIG)
    _build(folder, "stands")
    before = {path: path.read_bytes() for path in (folder / "stands").rglob("*") if path.is_file()}
    failing("first", RuntimeError("one"))
    failing("second", RuntimeError("two"))
    with pytest.raises(BuildFailed, match=r"(?s)2 of 2 circuits failed:.*first: .*one.*second: .*two"):
        _build(folder, "stands")
    same = OSError(28, "No space left on device")
    failing("first", same)
    failing("second", same)
    with pytest.raises(OSError, match="No space left"):
        _build(folder, "stands")
    failing("second", KeyboardInterrupt())  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        _build(folder, "stands")
    assert {path: path.read_bytes() for path in (folder / "stands").rglob("*") if path.is_file()} == before


def test_a_page_made_before_a_setting_was_there_is_kept(tmp_path: Path) -> None:
    section = load(REPOSITORY / "config.yaml").circuits[1]
    assert isinstance(section, CircuitSection)
    folder = REPOSITORY / "site" / section.name
    report = json.loads((folder / "circuit.json").read_text())
    report["config"]["network"].pop("classifier", None)
    (tmp_path / "circuit.json").write_text(json.dumps(report))
    (tmp_path / "build.json").write_bytes((folder / "build.json").read_bytes())
    why = Failure("No weights.", "Get some.")
    assert keep(tmp_path, section, why) is not None
    other = section.network.model_copy(update={"classifier": True})
    assert keep(tmp_path, section.model_copy(update={"network": other}), why) is None
