"""The config that a page offers is one that works."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from tests.page import example
from vizengine.config.load import load
from vizengine.config.schema import CircuitSection
from vizengine.page.render import render_circuit
from vizengine.page.report import Report


@pytest.mark.parametrize("report", [example.report(), example.bare_report()], ids=["full", "bare"])
def test_the_offered_config_names_the_unit_and_its_network(report: Report, tmp_path: Path) -> None:
    page = render_circuit(report, example.site(report))
    found = re.search(r'aria-label="A config to start from"><code>(.*?)</code>', page, re.DOTALL)
    assert found
    path = tmp_path / "unit.yaml"
    path.write_text(html.unescape(found[1]), encoding="utf-8")
    (circuit,) = load(path).circuits
    assert isinstance(circuit, CircuitSection)
    assert (circuit.unit.layer, circuit.unit.index) == (report.layer, report.unit)
    assert circuit.network.model == report.config["network"]["model"]
