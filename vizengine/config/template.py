"""A config to start from, in which the models' own descriptions explain every setting."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from vizengine.config.claims import Chosen, ClaimSection
from vizengine.config.network import NetworkSection
from vizengine.config.schema import (
    CircuitSection,
    Config,
    HypothesisSection,
    SiteSection,
    UnitSection,
    VisualizationSection,
)

HYPOTHESIS = "hypotheses/my-unit.md"
"""The file that the config names for its author's words, relative to the config."""
HYPOTHESIS_TEXT = """\
[//]: # (Lines such as these three are notes to you, which the page's text leaves out. Below goes, in Markdown,)
[//]: # (what you think that the unit detects. A name in double braces becomes what was measured; if you write one)
[//]: # (that there isn't, you are told which there are.)

I think that this unit looks for … Its picture reaches {{ unit.reached }}, where the best of the photos reaches
{{ unit.photo_best }}.
"""
"""What stands in that file at first. It holds for any unit of any network."""
_INTRODUCTION = f"""\
# yaml-language-server: $schema=config.schema.json
#
# A config to start from: it makes a page of one unit of SqueezeNet, whose weights come with this program.
# A setting behind a # has its default; take the # away, and nothing else, to change it.
# Your words about the unit are in {HYPOTHESIS}.
"""
_VALUES: Mapping[str, Any] = {
    "site": {"title": "My circuits"},
    "circuits": [
        {
            "name": "my-unit",
            "network": {"model": "squeezenet1.1"},
            "unit": {"layer": "fire5/expand3x3", "index": 7},
            "hypothesis": {
                "unit": {"file": HYPOTHESIS},
                "circuit": "Its strongest input, {{ top1.label }}, is {{ top1.sign }}.",
                "claims": [{"polysemantic": False}, {"sufficient": {"inputs": "top6", "correlation": 0.8}}],
            },
        }
    ],
    "visualization": {},
}
"""What is set, and the sections that are unfolded."""
_SECTIONS: Mapping[str, type[BaseModel]] = {
    "site": SiteSection,
    "visualization": VisualizationSection,
    "circuits": CircuitSection,
    "network": NetworkSection,
    "unit": UnitSection,
    "hypothesis": HypothesisSection,
    "claims": ClaimSection,
}
_COLUMNS = 100


def starting_text() -> str:
    """The whole file: YAML, and a config that can be built, with each setting's description above it."""
    return "\n".join([_INTRODUCTION, *_section(Config, _VALUES, "")])


def _section(section: type[BaseModel], values: Mapping[str, Any], indent: str) -> Iterator[str]:
    """Lines of a section: what is set comes first, then what may be set."""
    fields = section.model_fields
    alternatives = issubclass(section, Chosen)
    for name in [*values, *(name for name in fields if name not in values and not alternatives)]:
        comment = f"{indent}# "
        yield from textwrap.wrap(
            fields[name].description or "", _COLUMNS, initial_indent=comment, subsequent_indent=comment
        )
        if name in values:
            yield from _set(name, values[name], indent)
        else:
            yield f"{indent}#{name}: {_default(fields[name])}".rstrip()
        if not indent:
            yield ""


def _set(name: str, value: Any, indent: str) -> Iterator[str]:
    """Lines of a setting that has a value."""
    if name not in _SECTIONS or "file" in value:
        yield f"{indent}{name}: {_in_a_line(value)}"
        return
    yield f"{indent}{name}:"
    if isinstance(value, Mapping):
        yield from _section(_SECTIONS[name], value, indent + "  ")
    for item in value if isinstance(value, list) else ():
        yield from _item(list(_section(_SECTIONS[name], item, indent + "    ")))


def _item(lines: list[str]) -> Iterator[str]:
    """Lines of a section as an item of a list: the first setting, and what explains it, behind and above a dash."""
    first = next(index for index, line in enumerate(lines) if not line.lstrip().startswith("#"))
    yield from (line[2:] for line in lines[:first])
    indent = len(lines[first]) - len(lines[first].lstrip()) - 2
    yield f"{' ' * indent}- {lines[first].lstrip()}"
    yield from lines[first + 1 :]


def _default(field: FieldInfo) -> str:
    """A setting's default as YAML; nothing where leaving it empty says more, since empty means the default."""
    inherited = isinstance(field.json_schema_extra, dict) and "inherits" in field.json_schema_extra
    if inherited or field.default in (None, "", ()) or isinstance(field.default, BaseModel):
        return ""
    return _in_a_line(field.default)


def _in_a_line(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=1000, sort_keys=False)
    return text.removesuffix("...\n").rstrip()
