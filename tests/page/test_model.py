from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from pydantic import ValidationError

from tests.page import example
from tools.references import circuit_schema_text as schema_text
from vizengine.figures.quantities import Documented, Picture, Quantity
from vizengine.page.report import Missing, Report

REPOSITORY = Path(__file__).resolve().parent.parent.parent


def models() -> list[type[Documented]]:
    found: list[type[Documented]] = []
    waiting = [Documented]
    while waiting:
        waiting += (children := waiting.pop().__subclasses__())
        found += children
    return found


@pytest.mark.parametrize("report", [example.report(), example.first_layer_report()], ids=["full", "bare"])
def test_json_gives_back_the_same_report(report: Report) -> None:
    text = report.model_dump_json()
    again = Report.model_validate_json(text)
    assert again == report
    assert again.model_dump_json() == text


@pytest.mark.parametrize(
    "report",
    [example.report(kept=example.kept_notice()), example.first_layer_report()],
    ids=["kept", "bare"],
)
def test_reports_satisfy_the_schema(report: Report) -> None:
    schema = json.loads(schema_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(report.model_dump_json()), schema)


def test_every_field_is_described() -> None:
    silent = [
        f"{model.__name__}.{name}"
        for model in models()
        for name, field in model.model_fields.items()
        if not field.description
    ]
    assert len(models()) > 15
    assert silent == []


def test_reports_are_immutable() -> None:
    with pytest.raises(ValidationError):
        example.report().title = "another"  # type: ignore[misc]


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
        Report.model_validate({**example.first_layer_report().model_dump(), "name": name})
