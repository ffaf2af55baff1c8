from __future__ import annotations

import json

import jinja2
import jsonschema
import pytest
from pydantic import ValidationError

from tests.page import example
from tools.references import circuit_schema_text as schema_text
from vizengine.figures.quantities import Documented, Picture, Quantity, percent
from vizengine.measures.inputs import TermReport
from vizengine.page.render import render_circuit, render_index
from vizengine.page.report import Missing, Report, SweepReport


def models() -> list[type[Documented]]:
    found: list[type[Documented]] = []
    waiting = [Documented]
    while waiting:
        waiting += (children := waiting.pop().__subclasses__())
        found += children
    return found


@pytest.mark.parametrize("report", [example.report(kept=example.kept_notice()), example.bare_report()])
def test_a_report_satisfies_the_schema_and_comes_back_from_its_json(report: Report) -> None:
    text, schema = report.model_dump_json(), json.loads(schema_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(text), schema)
    again = Report.model_validate_json(text)
    assert again == report and again.model_dump_json() == text


def test_every_field_is_described() -> None:
    silent = [
        f"{model.__name__}.{name}"
        for model in models()
        for name, field in model.model_fields.items()
        if not field.description
    ]
    assert len(models()) > 15
    assert silent == []


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_are_finite(value: float) -> None:
    with pytest.raises(ValidationError):
        Quantity(value=value, text="?")


def test_whole_numbers_stay_whole_and_others_don_t() -> None:
    for value in (3, 3.0):
        again = Quantity.model_validate_json(Quantity(value=value, text="3").model_dump_json())
        assert again.value == value
        assert type(again.value) is type(value)


@pytest.mark.parametrize("source", ["https://example.org/a.webp", "data:text/html;base64,AA==", "javascript:alert(1)"])
def test_pictures_travel_inside_the_page(source: str) -> None:
    with pytest.raises(ValidationError):
        Picture(source=source, width=1, height=1, alt="")


@pytest.mark.parametrize("name", ["..", "../up", "a/b", "A", "", "a\\b", "a b"])
def test_a_name_is_one_plain_folder(name: str) -> None:
    with pytest.raises(ValidationError):
        Missing(name=name, title="", reason="", mend="")
    with pytest.raises(ValidationError):
        Report.model_validate({**example.bare_report().model_dump(), "name": name})


def test_templates_use_exactly_the_fields_that_the_models_document(
    published: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    full, bare = example.report(), example.bare_report()
    site = example.site(full, bare, example.missing())
    used: set[tuple[str, str]] = set()
    original = jinja2.Environment.getattr

    def recording(environment: jinja2.Environment, value: object, attribute: str) -> object:
        if isinstance(value, Documented):
            used.add((type(value).__name__, attribute))
        return original(environment, value, attribute)

    monkeypatch.setattr(jinja2.Environment, "getattr", recording)
    kept = full.model_copy(update={"kept": example.kept_notice()})
    render_circuit(kept, site, previous=full, next=bare)
    render_circuit(bare, site)
    strong = published.strongest[0].model_copy(update={"terms": (TermReport(label="left:3", share=percent(0.81)),)})
    render_circuit(published.model_copy(update={"strongest": (strong, *published.strongest[1:])}), site)
    swept = SweepReport(name="all", title="All units", network="Tiny", trained=True, units=7, layers=2, failures=1)
    index = render_index(site.model_copy(update={"circuits": (*site.circuits, swept)}))
    assert 'href="all/index.html"' in index and "1 of them failed" in index
    documented = {(model.__name__, field) for model in models() for field in model.model_fields}
    assert used == documented
