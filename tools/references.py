"""Write what the documentation has from the code: `python -m tools.references`.

A page has parts of its own, and parts between `<!-- NAME: … -->` and `<!-- end of NAME -->` that are made here.
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from vizengine.cli import command_line, init_command_line
from vizengine.config import json_schema
from vizengine.config.schema import PATTERNS, Config
from vizengine.config.section import NOT_BLANK
from vizengine.measures import NAMES
from vizengine.page.report import Report

ROOT = Path(__file__).resolve().parent.parent
_PART = re.compile(r"(<!-- (\w+): made by .*? -->\n).*?(\n<!-- end of \2 -->)", re.DOTALL)
_SETTINGS = {
    "Config": ("Top level", "The sections of the file."),
    "SiteSection": ("`site`", ""),
    "VisualizationSection": ("`visualization`", ""),
    "CircuitSection": ("`circuits`", "A list. Of each circuit:"),
    "SweepSection": (
        "`circuits`: a sweep",
        "A circuit whose `unit` names many units is a sweep: each unit gets a light page, and an explorer leads to "
        "them (see scale.md). Of each sweep:",
    ),
    "UnitsSection": ("`unit` of a sweep", "`all` for all units of all conv layers, or:"),
    "ExecutionSection": ("`execution`", ""),
    "NetworkSection": ("`network` of a circuit", ""),
    "PreprocessSection": ("`preprocess` of a network", ""),
    "UnitSection": ("`unit` of a circuit", ""),
    "HypothesisSection": ("`hypothesis` of a circuit", ""),
    "ClaimSection": ("`claims` of a hypothesis", "A list. Each item makes one claim:"),
    "PrefersSection": ("`prefers` of a claim", ""),
    "BoundsSection": ("A family of stimuli", ""),
    "SufficientSection": ("`sufficient` of a claim", ""),
}
_SETTING_TYPES = {
    "array": "list of",
    "boolean": "true or false",
    "integer": "whole number",
    "null": "nothing",
    "number": "number",
    "object": "section",
    "string": "text",
}
_FIELD_TYPES = {
    "array": "list",
    "boolean": "true or false",
    "integer": "whole number",
    "null": "nothing",
    "object": "mapping",
}


def table(head: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def settings() -> str:
    """The sections of `docs/config.md`: every setting of a config."""
    schema = Config.model_json_schema()
    sections = {"Config": schema, **schema["$defs"]}
    return "\n\n".join(
        f"## {heading}\n\n{introduction or sections[name]['description']}\n\n"
        + table(
            ("setting", "value", "default", "meaning"),
            (
                (
                    f"`{key}`",
                    _setting_value(setting, schema["$defs"]),
                    _default(key, setting, key in sections[name].get("required", [])),
                    setting["description"],
                )
                for key, setting in sections[name]["properties"].items()
            ),
        )
        for name, (heading, introduction) in _SETTINGS.items()
    )


def _default(key: str, setting: dict[str, Any], required: bool) -> str:
    if required:
        return "required"
    if "inherits" in setting:
        return f"that of `{setting['inherits']}` above"
    default = setting.get("default")
    if default is None:
        return "see right" if key in ("weights", "title", "preprocess", "input_size", "labels", "out") else "none"
    if default in ("", []):
        return "empty"
    return "see below" if isinstance(default, dict) else f"`{json.dumps(default)}`".replace('"', "")


def _setting_value(setting: dict[str, Any], definitions: dict[str, Any]) -> str:
    """What a setting may be, in words."""
    if "anyOf" in setting or "oneOf" in setting:
        alternatives = setting.get("anyOf") or setting["oneOf"]
        kinds = [_setting_value(kind, definitions) for kind in alternatives if kind != {"type": "null"}]
        return " or ".join(dict.fromkeys(kinds))
    if "$ref" in setting:
        return "`{file: path}`" if setting["$ref"].endswith("/TextFile") else "section"
    if "enum" in setting:
        return ", ".join(f"`{value}`" for value in setting["enum"])
    words = _SETTING_TYPES[setting["type"]]
    if setting["type"] == "array":
        inner = _setting_value(setting["items"], definitions)
        if setting.get("maxItems") == 2:
            return f"two {inner}s"
        words = f"list of {inner.replace('section', 'sections').replace('number', 'numbers')}"
        return f"{words}, at least one" if setting.get("minItems") else words
    return ": ".join([words, ", ".join(_limits(setting))]).removesuffix(": ")


def _limits(setting: dict[str, Any]) -> list[str]:
    limits = []
    if "minimum" in setting and "maximum" in setting:
        limits.append(f"{setting['minimum']} to {setting['maximum']}")
    elif "minimum" in setting:
        limits.append(f"{setting['minimum']} or more")
    if "multipleOf" in setting:
        limits.append(f"multiple of {setting['multipleOf']}")
    if setting.get("pattern", NOT_BLANK) != NOT_BLANK:
        limits.append(PATTERNS[setting["pattern"]])
    if "maxLength" in setting:
        limits.append(f"at most {setting['maxLength']} characters")
    return limits


def circuit_schema_text() -> str:
    """The content of `docs/circuit.schema.json`: what a `circuit.json` holds."""
    schema = Report.model_json_schema(mode="serialization")
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps({**draft, **schema}, indent=2, ensure_ascii=False) + "\n"


def fields() -> str:
    """The sections of `docs/circuit.md`: every field of a `circuit.json`."""
    schema = Report.model_json_schema(mode="serialization")
    sections = {name: section for name, section in sorted(schema["$defs"].items()) if "properties" in section}

    def meaning(field: dict[str, Any]) -> str:
        # What is said of a section and of the field that holds it is written once.
        words = field.get("description") or sections[field["$ref"].rpartition("/")[2]]["description"]
        return " ".join(words.split())

    return "\n\n".join(
        f"## {name}\n\n{section['description']}\n\n"
        + table(
            ("field", "value", "meaning"),
            ((f"`{key}`", _field_value(field), meaning(field)) for key, field in section["properties"].items()),
        )
        for name, section in [("The file", schema), *sections.items()]
    )


def _field_value(field: dict[str, Any]) -> str:
    """What stands in a field, in words."""
    if "anyOf" in field:
        return " or ".join(map(_field_value, field["anyOf"]))
    if "$ref" in field:
        return f"*{field['$ref'].rpartition('/')[2]}*"
    if "enum" in field or "const" in field:
        return ", ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    kind = field.get("type")
    inside = field.get("items") or field.get("prefixItems") or field.get("additionalProperties")
    if kind in ("array", "object") and inside and inside is not True:
        parts = " and ".join(map(_field_value, inside)) if isinstance(inside, list) else _field_value(inside)
        return f"{_FIELD_TYPES[kind]} of {parts}"
    return _FIELD_TYPES.get(kind, kind) if kind else "anything"


def _arguments(parser: argparse.ArgumentParser) -> str:
    """What a parser takes, a row for each argument."""
    # argparse gives a parser's arguments to its own help formatter alone, in these two lists.
    groups = {
        id(action): group._group_actions
        for group in parser._mutually_exclusive_groups
        for action in group._group_actions
    }

    def row(action: argparse.Action) -> tuple[str, str, str]:
        value = action.metavar if isinstance(action.metavar, str) else ""
        written = f"[{value}]" if action.nargs == "?" else value
        names = [" ".join(filter(None, (name, written))) for name in action.option_strings or [""]]
        others = [max(other.option_strings, key=len) for other in groups.get(id(action), ()) if other is not action]
        return ", ".join(f"`{name}`" for name in names), action.help or "", ", ".join(f"`{name}`" for name in others)

    actions = sorted(parser._actions, key=lambda action: bool(action.option_strings))
    return table(("argument", "meaning", "not together with"), map(row, actions))


def _init() -> str:
    parser = init_command_line()
    return f"{parser.description} {parser.epilog}\n\n{_arguments(parser)}"


def _docstrings(names: Iterable[str]) -> str:
    """What modules of `vizengine/measures/` say of themselves, under the modules' names."""
    sections = []
    for name in names:
        text = inspect.getdoc(import_module(f"vizengine.measures.{name}"))
        sections.append(f"### {name.replace('_', ' ').capitalize()}\n\n{text}")
    return "\n\n".join(sections)


PARTS: Mapping[str, Callable[[], str]] = {
    "settings": settings,
    "fields": fields,
    "arguments": lambda: _arguments(command_line()),
    "init": _init,
    "codes": lambda: (command_line().epilog or "").replace("exit codes: ", "Exit codes: "),
    "unit": lambda: _docstrings(("inputs", "unit")),
    "photos": lambda: _docstrings(("stream", "by_photo", "statistics", "stimuli", "patches")),
    "measurements": lambda: _docstrings(NAMES),
}
SCHEMAS: Mapping[str, Callable[[], str]] = {
    "config.schema.json": json_schema.schema_text,
    "docs/circuit.schema.json": circuit_schema_text,
}
PAGES = ("docs/config.md", "docs/circuit.md", "docs/command.md", "docs/method.md")


def with_parts(text: str) -> str:
    """A page's text with its made parts as the code has them now."""
    return _PART.sub(lambda part: f"{part[1]}\n{PARTS[part[2]]()}\n{part[3]}", text)


def texts() -> dict[str, str]:
    """The content of every file that has something from the code, by its path in a checkout."""
    pages = {page: with_parts((ROOT / page).read_text(encoding="utf-8")) for page in PAGES}
    return {**{path: text() for path, text in SCHEMAS.items()}, **pages}


if __name__ == "__main__":
    for path, text in texts().items():
        (ROOT / path).write_text(text, encoding="utf-8", newline="\n")
