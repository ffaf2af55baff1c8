"""A config's JSON Schema, for editors and validators."""

from __future__ import annotations

import json
from typing import Any

from vizengine.config.schema import Config


def schema() -> dict[str, Any]:
    """The JSON Schema of a config."""
    config = Config.model_json_schema()
    circuits = config["properties"]["circuits"]
    # A circuit of one unit may be written in a way that a sweep of one would be as well.
    circuits["items"] = {"anyOf": circuits["items"]["oneOf"]}
    sections = {"Config": config, **config["$defs"]}
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
        **config,
    }


def schema_text() -> str:
    """The content of `config.schema.json`."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _or_empty(setting: dict[str, Any]) -> dict[str, Any]:
    """The same setting, which may also be left empty."""
    alternatives = setting.get("anyOf")
    if alternatives is not None:
        nothing = [] if {"type": "null"} in alternatives else [{"type": "null"}]
        return {**setting, "anyOf": [*alternatives, *nothing]}
    about: dict[str, Any] = {key: setting[key] for key in ("description", "default") if key in setting}
    rest = {key: value for key, value in setting.items() if key not in about}
    return {**about, "anyOf": [rest, {"type": "null"}]}
