"""What pydantic finds wrong, in words: what came, what was expected, and the nearest name."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from pydantic import ValidationError

from vizengine.config.lines import Location, YamlTree
from vizengine.config.schema import MANY, ONE, PATTERNS, CircuitSection, Config, SweepSection
from vizengine.config.section import Section


class Finding(NamedTuple):
    """One thing that is wrong: its line, counted from 1, the dotted path of the setting, and a message."""

    line: int
    key: str
    message: str


_EXPECTED = {
    "bool_type": "true or false",
    "float_type": "a number",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "int_from_float": "a whole number",
    "int_type": "a whole number",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "string_too_long": "at most {max_length} characters",
    "string_too_short": "at least {min_length} characters",
    "string_unicode": "text in Unicode without lone surrogates",
    "too_long": "at most {max_length}",
    "too_short": "at least one",
    "tuple_type": "a list",
}
_MOVED = {
    # What a scheduler answers is unpickled, and a pickle runs code: only who runs the command may name one.
    "execution.scheduler": "the address of a scheduler comes from the command line or the environment alone, since a "
    "scheduler can run code in this process; expected no such setting: remove it, and run with `--scheduler ADDRESS` "
    "or set VIZENGINE_SCHEDULER",
}
"""Settings that configs once had, each with where it went."""


def nearest(name: str, names: Iterable[str]) -> str:
    """`; did you mean …?` with the closest of `names`, or nothing where none is close.

    Case and the kind of dash make no difference.
    """
    plain = {known.lower().replace("_", "-"): known for known in names}
    matches = difflib.get_close_matches(name.lower().replace("_", "-"), plain, n=1, cutoff=0.6)
    return f"; did you mean `{plain[matches[0]]}`?" if matches else ""


def in_file(location: Location) -> Location:
    """Where a problem lies in the file: without the kinds of circuits and of photos that pydantic puts into it."""
    # None of them comes first, where such a word is a key in the file.
    return (*location[:1], *(step for step in location[1:] if step not in (ONE, MANY)))


def explain(error: ValidationError, tree: YamlTree) -> Iterator[Finding]:
    """Every problem that pydantic found in the document `tree`."""
    for flaw in error.errors(include_url=False, include_input=False):
        location: Location = tuple(flaw["loc"])
        if flaw["type"] == "too_short" and tree.length(in_file(location)):
            # pydantic counts the sound items only; the others have their own messages.
            continue
        yield _explain_one(flaw["type"], location, flaw.get("ctx", {}), flaw["msg"], tree)


def _explain_one(kind: str, full: Location, context: dict[str, Any], message: str, tree: YamlTree) -> Finding:
    location = in_file(full)
    key = tree.key(location)
    if kind == "extra_forbidden":
        if key in _MOVED:
            message = _MOVED[key]
        elif full[2:3] == (MANY,) and len(full) == 4 and full[-1] in CircuitSection.model_fields:
            message = (
                "not for a sweep, and this is one, since its `unit` names many units; leave it out, or name one layer, "
                "without `*`, `?` and `[`, and one index"
            )
        else:
            message = f"unknown setting; {_expected(str(full[-1]), _section(full[:-1]).model_fields)}"
        return Finding(tree.key_line(location), key, message)
    if kind == "missing":
        description = _section(full[:-1]).model_fields[str(full[-1])].description or ""
        return Finding(tree.key_line(location), key, f"missing; expected here: {description}".rstrip())
    line = tree.line(location)
    if kind == "text":
        return Finding(line, key, message)
    received = tree.shown(location)
    if kind == "claim":
        return Finding(line, key, f"received {received}; expected {context['expected']}")
    if kind == "literal_error":
        # pydantic gives the names as `'a', 'b' or 'c'`.
        names = context["expected"].replace(" or ", ", ").replace("'", "").split(", ")
        return Finding(line, key, f"received {received}; {_expected(received.strip('`'), names)}")
    if kind == "network":
        near = nearest(received.strip("`"), context["names"]) or f"; expected {context['expected']}."
        return Finding(line, key, f"received {received}{near} docs/networks.md has all names")
    if kind == "model_type":
        return Finding(line, key, f"received {received}; expected a section of settings, as `{_form(full)}`")
    if kind == "string_type":
        scalar = received not in ("nothing", "a section") and not received.startswith(("a list", "an empty"))
        expected = "text; put quotes around it" if scalar else "text"
    elif kind == "string_pattern_mismatch":
        expected = PATTERNS[context["pattern"]]
    else:
        expected = _EXPECTED[kind].format(**context) if kind in _EXPECTED else message
    return Finding(line, key, f"received {received}; expected {expected}")


def _expected(name: str, names: Iterable[str]) -> str:
    """The nearest of `names` to a name that isn't one of them, and all of them."""
    near = nearest(name, names).removeprefix("; ")
    all_names = ", ".join(f"`{name}`" for name in names)
    return f"{near} Expected one of {all_names}" if near else f"expected one of {all_names}"


def _form(location: Location) -> str:
    """How the section at `location` is written: as it says itself, or with what it needs, or its first setting."""
    section = _section(location)
    fields = section.model_fields
    needed = [name for name, field in fields.items() if field.is_required()] or list(fields)[:1]
    form = section.form or f"{{{', '.join(f'{name}: …' for name in needed)}}}"
    last = in_file(location)[-1]
    return f"{last}: {form}" if isinstance(last, str) else form


def _section(location: Location) -> type[Section]:
    """The section at `location`, which may have pydantic's kinds of circuit in it."""
    model: type[Section] = Config
    for step in location:
        if step in (ONE, MANY):
            model = CircuitSection if step == ONE else SweepSection
        elif isinstance(step, str):
            inner = _model(model.model_fields[step].annotation)
            assert inner is not None
            model = inner
    return model


def _model(annotation: Any) -> type[Section] | None:
    """The section inside an annotation such as `tuple[CircuitSection, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next(filter(None, map(_model, typing.get_args(annotation))), None)
