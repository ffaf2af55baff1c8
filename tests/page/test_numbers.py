"""Every number on a page is one of its `circuit.json`."""

from __future__ import annotations

import json

import pytest

from tests.page import example
from tests.page.numbers_shown import in_data, in_templates, shown
from tests.places import REPOSITORY
from vizengine.page.render import render_circuit, render_index
from vizengine.page.report import Report

SITE = REPOSITORY / "site"
CIRCUITS = sorted(path.parent.name for path in SITE.glob("*/circuit.json"))


@pytest.mark.parametrize("report", [example.report(), example.bare_report()], ids=["full", "bare"])
def test_a_page_says_no_number_that_its_data_has_not(report: Report) -> None:
    missing = example.missing()
    site = example.site(report, missing)
    data = in_data(json.loads(report.model_dump_json())) | in_data(missing.model_dump()) | in_templates()
    for page in (render_circuit(report, site), render_index(site)):
        said = shown(page)
        assert len(said) > 30
        assert said - data == set()


def test_a_number_that_is_not_in_the_data_is_found() -> None:
    report = example.report()
    wrong = report.model_copy(update={"bias": report.bias.model_copy(update={"text": "98.7654"})})
    said = shown(render_circuit(wrong, example.site(wrong)))
    assert said - in_data(json.loads(report.model_dump_json())) - in_templates() == {"98.7654"}


def test_the_committed_index_says_no_number_that_its_circuits_have_not() -> None:
    known = in_templates()
    for name in CIRCUITS:
        known |= in_data(json.loads((SITE / name / "circuit.json").read_text(encoding="utf-8")))
    assert len(CIRCUITS) == 2
    assert shown((SITE / "index.html").read_text(encoding="utf-8")) - known == set()
