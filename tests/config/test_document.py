"""The schema and the reference that are made from the models."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.places import REPOSITORY
from vizengine.check import check_entry
from vizengine.config.json_schema import schema as config_schema
from vizengine.config.load import load
from vizengine.errors import ConfigError


def _validator() -> Any:
    schema = json.loads((REPOSITORY / "config.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_default_config_fits_the_schema() -> None:
    text = (REPOSITORY / "config.yaml").read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=config.schema.json\n")
    _validator().validate(yaml.safe_load(text))


@pytest.mark.parametrize(
    ("more", "fits"),
    [
        ("photos:", True),
        ("visualization: null", True),
        ("siblings: [1, 2]", True),
        ("hypothesis: {unit: {file: unit.md}}", True),
        ("inputs:", True),
        ("hypothesis: {unit: {fil: unit.md}}", False),
        ("colour: red", False),
        ("siblings: [-1]", False),
        ("visualization: {size: 100}", False),
        ("optional: maybe", False),
        ("title: 1.5", False),
    ],
)
def test_schema_and_loader_agree(tmp_path: Path, more: str, fits: bool) -> None:
    text = "site: {title: T}\ncircuits:\n- name: a\n  network: {model: vgg19}\n  unit: {layer: x, index: 1}\n  " + more
    (tmp_path / "unit.md").write_text("text")
    (tmp_path / "config.yaml").write_text(text)
    assert _validator().is_valid(yaml.safe_load(text)) == fits
    if fits:
        load(tmp_path / "config.yaml")
    else:
        with pytest.raises(ConfigError):
            load(tmp_path / "config.yaml")


def test_every_setting_is_explained() -> None:
    schema = config_schema()
    sections = {"Config": schema, **schema["$defs"]}
    reference = (REPOSITORY / "docs" / "config.md").read_text(encoding="utf-8")
    for name, section in sections.items():
        for setting, about in section["properties"].items():
            assert len(about.get("description", "")) > 10, (name, setting)
            assert name == "TextFile" or f"| `{setting}` |" in reference


def test_the_example_in_the_reference_is_fine(tmp_path: Path) -> None:
    reference = (REPOSITORY / "docs" / "config.md").read_text(encoding="utf-8")
    example = re.search("```yaml\n(.+?)```", reference, re.DOTALL)
    assert example is not None
    (tmp_path / "config.yaml").write_text(example[1])
    (tmp_path / "circuit.md").write_text("text")
    assert load(tmp_path / "config.yaml", (check_entry,)).circuits[0].name == "fire4-23"
