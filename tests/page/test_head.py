"""What a page has besides its content: policy, script, direction, address, citation, and a config to start from."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from pathlib import Path

import pytest

from tests.page import example
from vizengine.config.load import load
from vizengine.config.schema import CircuitSection
from vizengine.page.render import address, bibtex, is_right_to_left, render_circuit, render_index
from vizengine.page.render import load as assets
from vizengine.page.report import Report


def test_the_policy_admits_exactly_what_is_inlined_and_comes_before_it() -> None:
    page = render_index(example.site(example.missing()))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    directives = policy[1].replace("&#39;", "'").split("; ")
    for tag in ("style", "script"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in directives
    assert "default-src 'none'" in directives and "unsafe" not in policy[1]
    assert page.index("Content-Security-Policy") < page.index("<style>") < page.index("<script>")


def test_the_script_is_small_and_nothing_is_fetched() -> None:
    loaded = assets()
    assert len(loaded.script) < 30_000
    assert not any(word in loaded.style for word in ("@import", "url(", "@font-face"))
    assert not any(word in loaded.script for word in ("fetch(", "XMLHttpRequest", "import(", "eval(", "innerHTML"))


@pytest.mark.parametrize(
    ("language", "from_the_right"),
    [
        *(("ar", True), ("AR-eg", True), ("fa-IR", True), ("he", True), ("ur-Arab-PK", True), ("az-Arab", True)),
        *(("en", False), ("pt-BR", False), ("az", False), ("ar-Latn", False), ("arn", False), ("zh-Hant-TW", False)),
    ],
)
def test_a_page_runs_as_its_language_is_written(language: str, from_the_right: bool) -> None:
    assert is_right_to_left(language) == from_the_right
    page = render_index(example.site(example.missing()).model_copy(update={"language": language}))
    assert (f'<html lang="{language}" dir="rtl">' in page) == from_the_right


def test_an_address_is_absolute_or_none() -> None:
    report = example.report()
    two = example.site(report, example.bare_report())
    assert address(report, two) == f"https://example.org/circuits/{report.name}/"
    assert address(report, example.site(report).model_copy(update={"url": "https://example.org"})) == (
        "https://example.org/"
    )
    assert address(report, two.model_copy(update={"url": ""})) == ""


def test_a_citation_names_title_author_unit_and_version() -> None:
    report = example.report(title="Dots & 50 % glow")
    site = example.site(report).model_copy(update={"url": "https://example.org/a_b/"})
    lines = bibtex(report, site).splitlines()
    assert lines[0] == f"@misc{{{report.name}," and lines[-1] == "}"
    assert "  title = {{Dots \\& 50 \\% glow}}," in lines
    assert "  author = {A. Author}," in lines
    assert "  howpublished = {\\url{https://example.org/a_b/}}," in lines
    assert any("unit 195" in line and "vizengine" in line and "\\_" in line for line in lines if "note" in line)
    bare = bibtex(report, site.model_copy(update={"url": "", "author": ""}))
    assert "author" not in bare and "howpublished" not in bare


@pytest.mark.parametrize("report", [example.report(), example.bare_report()], ids=["full", "bare"])
def test_the_offered_config_names_the_unit_and_its_network(report: Report, tmp_path: Path) -> None:
    page = render_circuit(report, example.site(report))
    offered = re.search(r'aria-label="A config to start from"><code>(.*?)</code>', page, re.DOTALL)
    assert offered
    path = tmp_path / "unit.yaml"
    path.write_text(html.unescape(offered[1]), encoding="utf-8")
    (circuit,) = load(path).circuits
    assert isinstance(circuit, CircuitSection)
    assert (circuit.unit.layer, circuit.unit.index) == (report.layer, report.unit)
    assert circuit.network.model == report.config["network"]["model"]
