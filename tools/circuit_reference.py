"""Write `docs/circuit.schema.json` and `docs/circuit.md` from the models: `python -m tools.circuit_reference`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vizengine.page.report import Report

_INTRODUCTION = """\
# circuit.json

<!-- Made by `python -m tools.circuit_reference` from `vizengine/page/report.py`: change it there. -->

Beside each circuit's page lies `circuit.json` with every figure on it, under the JSON schema
[circuit.schema.json](circuit.schema.json). `schema_version` grows whenever a field is renamed or removed, or means
something else.

A figure is a *Quantity*: `value`, the number, unrounded; `text`, the number as the page prints it; and `unit`, as `%`,
which is left out where it has none. Every other name in italics is a section further down.
"""
_WORDS = {
    "array": "list",
    "boolean": "true or false",
    "integer": "whole number",
    "null": "nothing",
    "object": "mapping",
}


def schema_text() -> str:
    """The content of `docs/circuit.schema.json`: what a `circuit.json` holds, field by field."""
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Report.model_json_schema(mode="serialization")}
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def reference_text() -> str:
    """The content of `docs/circuit.md`: the same as tables, for people."""
    made = Report.model_json_schema(mode="serialization")
    sections = {name: each for name, each in sorted(made["$defs"].items()) if "properties" in each}
    parts = [_INTRODUCTION]
    for name, section in [("The file", made), *sections.items()]:
        rows = ["| field | value | meaning |", "| --- | --- | --- |"]
        for key, field in section["properties"].items():
            # What is said of a section and of the field that holds it is written once.
            words = field.get("description") or sections[field["$ref"].rpartition("/")[2]]["description"]
            rows.append(f"| `{key}` | {_value(field)} | {' '.join(words.split()).replace('|', chr(92) + '|')} |")
        table = "\n".join(rows)
        parts.append(f"## {name}\n\n{section['description']}\n\n{table}\n")
    return "\n".join(parts)


def _value(field: dict[str, Any]) -> str:
    """What stands in a field, in words."""
    if "anyOf" in field:
        return " or ".join(map(_value, field["anyOf"]))
    if "$ref" in field:
        return f"*{field['$ref'].rpartition('/')[2]}*"
    if "enum" in field or "const" in field:
        return ", ".join(f"`{each}`" for each in field.get("enum", [field.get("const")]))
    kind = field.get("type")
    inside = field.get("items") or field.get("prefixItems") or field.get("additionalProperties")
    if kind in ("array", "object") and inside and inside is not True:
        each = " and ".join(map(_value, inside)) if isinstance(inside, list) else _value(inside)
        return f"{_WORDS[kind]} of {each}"
    return _WORDS.get(kind, kind) if kind else "anything"


def write(root: Path) -> None:
    """Write the schema and the reference into a checkout."""
    (root / "docs" / "circuit.md").write_text(reference_text(), encoding="utf-8", newline="\n")
    (root / "docs" / "circuit.schema.json").write_text(schema_text(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write(Path(__file__).resolve().parent.parent)
