"""Write `config.schema.json` and `docs/config.md` from the models: `python -m tools.config_reference`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vizengine.config.schema import PATTERNS, Config
from vizengine.config.section import NOT_BLANK

_INTRODUCTION = """\
# The config

<!-- Made by `python -m tools.config_reference` from `vizengine/config/schema.py`: change it there. -->

A config is one YAML file in UTF-8. This is a whole one:

```yaml
# yaml-language-server: $schema=config.schema.json
site:
  title: A unit of SqueezeNet
circuits:
  - name: fire4-23
    network: {model: squeezenet1.1}
    unit: {layer: fire4/expand3x3, index: 23}
    hypothesis:
      unit: It reaches {{ unit.reached }} on its own picture.
      circuit: {file: circuit.md}
```

The first line gives names and explanations in editors that know `config.schema.json`. A setting that is left out or
left empty takes its default. `python generate.py config.yaml --check` says what is wrong with a config, all at once,
each with its line. Numbers are written in decimal digits; text that YAML would read as something else (`no`, `1.10`,
a text with `: ` in it or with `{{` at its beginning) goes in quotes.

Texts are Markdown, in the config itself or in a file: `{file: path}`. HTML in them is shown as text. In double braces
they may name any measured value of their circuit, so that prose and figures can't disagree; `--check` lists the names
when one is wrong.

What a config names lies in its folder or below it, links resolved: texts, labels, models and weights. Weights may lie
in the folder of `VIZENGINE_WEIGHTS` and in Keras' cache as well, and photos in a folder elsewhere that the config names
outright; `--check` and the end of a run then say that pictures from there are on the pages. `--confined`, for a config
that somebody else wrote, refuses all that lies outside the config's folder, and `trust: true`.
"""
_HEADINGS = {
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
_TYPES = {
    "array": "list of",
    "boolean": "true or false",
    "integer": "whole number",
    "null": "nothing",
    "number": "number",
    "object": "section",
    "string": "text",
}


def schema() -> dict[str, Any]:
    """The JSON Schema of a config, as editors and validators read it."""
    made = Config.model_json_schema()
    circuits = made["properties"]["circuits"]
    # A circuit of one unit may be written in a way that a sweep of one would be as well.
    circuits["items"] = {"anyOf": circuits["items"]["oneOf"]}
    sections = {"Config": made, **made["$defs"]}
    for name, section in sections.items():
        section.pop("title", None)
        section.pop("description", None)
        required = section.get("required", [])
        for key, setting in section["properties"].items():
            setting.pop("title", None)
            if setting.pop("inherits", None):
                del setting["default"]
            if name != "TextFile" and key not in required:
                section["properties"][key] = _or_empty(setting)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "vizengine config",
        "description": "What docs/config.md explains.",
        **made,
    }


def schema_text() -> str:
    """The content of `config.schema.json`."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def reference_text() -> str:
    """The content of `docs/config.md`."""
    made = Config.model_json_schema()
    sections = {"Config": made, **made["$defs"]}
    parts = [_INTRODUCTION]
    for name, (heading, introduction) in _HEADINGS.items():
        section = sections[name]
        rows = ["| setting | value | default | meaning |", "| --- | --- | --- | --- |"]
        for key, setting in section["properties"].items():
            default = _default(key, setting, key in section.get("required", []))
            meaning = setting["description"].replace("|", "\\|")
            rows.append(f"| `{key}` | {_value(setting, made['$defs'])} | {default} | {meaning} |")
        table = "\n".join(rows)
        words = introduction or section["description"]
        parts.append(f"## {heading}\n\n{words}\n\n{table}\n")
    return "\n".join(parts)


def write(root: Path) -> None:
    """Write both files into a checkout."""
    (root / "config.schema.json").write_text(schema_text(), encoding="utf-8", newline="\n")
    (root / "docs" / "config.md").write_text(reference_text(), encoding="utf-8", newline="\n")


def _or_empty(setting: dict[str, Any]) -> dict[str, Any]:
    """The same setting, which may also be left empty."""
    alternatives = setting.get("anyOf")
    if alternatives is not None:
        nothing = [] if {"type": "null"} in alternatives else [{"type": "null"}]
        return {**setting, "anyOf": [*alternatives, *nothing]}
    about: dict[str, Any] = {key: setting[key] for key in ("description", "default") if key in setting}
    rest = {key: each for key, each in setting.items() if key not in about}
    return {**about, "anyOf": [rest, {"type": "null"}]}


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


def _value(setting: dict[str, Any], definitions: dict[str, Any]) -> str:
    """What may stand there, in words."""
    if "anyOf" in setting or "oneOf" in setting:
        alternatives = setting.get("anyOf") or setting["oneOf"]
        kinds = [_value(each, definitions) for each in alternatives if each != {"type": "null"}]
        return " or ".join(dict.fromkeys(kinds))
    if "$ref" in setting:
        return "`{file: path}`" if setting["$ref"].endswith("/TextFile") else "section"
    if "enum" in setting:
        return ", ".join(f"`{each}`" for each in setting["enum"])
    words = _TYPES[setting["type"]]
    if setting["type"] == "array":
        inner = _value(setting["items"], definitions)
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


if __name__ == "__main__":
    write(Path(__file__).resolve().parent.parent)
