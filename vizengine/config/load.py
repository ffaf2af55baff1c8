"""From a YAML file to a `Config`, or to everything that is wrong with it, each with its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from pydantic import TypeAdapter, ValidationError

from vizengine.config.explain import Finding, explain, in_file, nearest
from vizengine.config.lines import Location, YamlTree
from vizengine.config.schema import CircuitSection, Config, Entry, SweepSection
from vizengine.errors import ConfigError, Problem

Check: TypeAlias = Callable[[CircuitSection | SweepSection, Path], Iterable[tuple[Location, str]]]
"""Looks deeper into one circuit or sweep than its types: takes its section and the config's folder, and gives the place
of each flaw inside the section, for example ("unit", "layer"), with a message."""
CheckTogether: TypeAlias = Callable[
    [Mapping[int, CircuitSection | SweepSection], Collection[str]], Iterable[tuple[int, Location, str]]
]
"""Takes the sound circuits and sweeps by number, and the names of all; yields number, path and message of each flaw."""
LONGEST_SHOWN = 200
"""Characters of a path that a message shows."""
_INHERITED = ("photos", "visualization")
_PROSE = re.compile(r"[\s-]*(?:[\w-]+:\s*\{\s*)?(?P<name>[\w-]+):\s+(?P<text>[^\s'\"|>].*)")
"""A line with a setting, perhaps the first inside of a section in braces, and text without quotes."""
_ENTRY: TypeAdapter[CircuitSection | SweepSection] = TypeAdapter(Entry)


def load(
    path: Path, checks: Sequence[Check] = (), confined: bool = False, together: Sequence[CheckTogether] = ()
) -> Config:
    """Read and check a config, in which each circuit gets the site's photos and visualization settings if it has none.

    Deeper `checks` of each circuit, and those of all `together`, also run on the sound circuits of a config that is
    wrong elsewhere, so that the user sees all problems at once. `confined`, the site goes into the config's folder.

    Raises:
        ConfigError: with every problem.
    """
    tree = _parse(path, _read(path))
    context = {"folder": path.parent}
    findings = [Finding(line, tree.key(location), message) for line, location, message in tree.flaws]
    config: Config | None = None
    try:
        config = Config.model_validate(tree.value, context=context)
        circuits = {index: Sound(circuit) for index, circuit in enumerate(_with_inherited(config))}
    except ValidationError as error:
        findings += explain(error, tree)
        circuits = dict(_sound_circuits(tree.value, error, context))
    findings += [*_check_out(tree, path.parent, confined), *_check_names(tree)]
    sections = {index: circuit.section for index, circuit in circuits.items()}
    flaws = [
        (index, inside, message)
        for index, section in sections.items()
        for check in checks
        for inside, message in _checked(check, section, path.parent)
    ]
    for check_all in together:
        flaws += check_all(sections, _names(tree))
    for index, inside, message in flaws:
        findings.append(_finding(tree, _location(tree, index, circuits[index].in_the_file(inside)), message))
    if findings or config is None:
        raise ConfigError([Problem(str(path), *finding) for finding in findings])
    config = config.model_copy(update={"circuits": tuple(sections.values())})
    config._source = path
    return config


@dataclass(frozen=True)
class Sound:
    """A circuit whose form is right, or what is right of it, with defaults for what is wrong.

    Of each list inside it from which wrong items were taken, `numbers` has those of the other items in the file.
    """

    section: CircuitSection | SweepSection
    numbers: Mapping[Location, Sequence[int]] = field(default_factory=dict)

    def in_the_file(self, inside: Location) -> Location:
        """Where something in the section stands in the file; both locations begin inside the circuit."""
        for depth, step in enumerate(inside):
            if isinstance(step, int) and inside[:depth] in self.numbers:
                return (*inside[:depth], self.numbers[inside[:depth]][step], *inside[depth + 1 :])
        return inside


def _finding(tree: YamlTree, location: Location, message: str) -> Finding:
    return Finding(tree.line(location), tree.key(location), message)


def _entries(value: Any) -> list[Any]:
    """The circuits of a document, right or wrong; none where there is no list of them."""
    entries = value.get("circuits")
    return entries if isinstance(entries, list) else []


def _location(tree: YamlTree, index: int, inside: Location) -> Location:
    """Where a setting of a circuit stands: with the site's settings, where the circuit has none of its own."""
    sections = tree.value["circuits"]
    name = inside[0] if inside else None
    inherited = name in _INHERITED and sections[index].get(name) is None and tree.value.get(name) is not None
    return inside if inherited else ("circuits", index, *inside)


def _checked(check: Check, circuit: CircuitSection | SweepSection, folder: Path) -> list[tuple[Location, str]]:
    """What a check finds; a path that the system won't even look at is a finding too."""
    try:
        return list(check(circuit, folder))
    except OSError as error:
        name = str(error.filename or "")
        short = name if len(name) <= LONGEST_SHOWN else name[:LONGEST_SHOWN] + " …"
        words = (error.strerror or str(error)).lower()
        return [((), f"{words}: {short}; expected paths of files and folders that can be read")]


def _read(path: Path) -> str:
    """The file's text, or a ConfigError."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        folder = path.parent
        beside = [file.name for file in folder.glob("*.y*ml")] if folder.is_dir() else []
        hint = nearest(path.name, beside) or ", for example config.yaml"
        raise _whole(path, f"there is no such file; expected a config in YAML{hint}") from None
    except IsADirectoryError:
        raise _whole(path, "a folder; expected a config in YAML, for example config.yaml in it") from None
    except (OSError, ValueError) as error:
        words = getattr(error, "strerror", None) or str(error)
        raise _whole(path, f"{words.lower()}; expected a config in YAML that may be read") from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = f"byte 0x{raw[error.start]:02x} isn't UTF-8; save the file as UTF-8"
        raise _whole(path, message, line) from None


def _parse(path: Path, text: str) -> YamlTree:
    """The file's values with their lines, or a ConfigError."""
    try:
        tree = YamlTree(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        words = ", ".join(filter(None, (error.context, error.problem)))
        hint = "; indent with spaces" if "'\\t'" in words else _quotes_hint(text, error)
        raise _whole(path, f"not valid YAML: {words}{hint}", mark.line + 1 if mark else 1) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        character = error.character
        code = f"U+{character if isinstance(character, int) else ord(character):04X}"
        raise _whole(path, f"not valid YAML: the character {code} isn't allowed", line) from None
    except RecursionError:
        raise _whole(path, "nested too deeply; expected a config as docs/config.md describes it") from None
    if tree.value is None and not tree.flaws:
        raise _whole(path, "the file is empty; expected the sections `site` and `circuits`")
    if not isinstance(tree.value, dict):
        message = f"{tree.shown(())}; expected the sections `site` and `circuits`, as in `site:` on a line of its own"
        raise _whole(path, message, tree.line(()))
    return tree


def _quotes_hint(text: str, error: yaml.MarkedYAMLError) -> str:
    """What to do where YAML takes prose for settings: a text with `: ` in it, or one that begins with `{{`."""
    marks = [mark for mark in (error.problem_mark, error.context_mark) if mark]
    lines = text.splitlines()
    for line in (lines[mark.line] for mark in marks if mark.line < len(lines)):
        written = _PROSE.match(line)
        if written and ("{{" in written["text"] or ": " in written["text"]):
            return f"; if it is text, put quotes around it: {written['name']}: '…'"
    return ""


def _whole(path: Path, message: str, line: int = 1) -> ConfigError:
    return ConfigError([Problem(str(path), line, "file", message)])


def _with_inherited(config: Config) -> Iterator[CircuitSection | SweepSection]:
    for circuit in config.circuits:
        left_out = [name for name in _INHERITED if name not in circuit.model_fields_set]
        yield circuit.model_copy(update={name: getattr(config, name) for name in left_out})


def _sound_circuits(value: Any, error: ValidationError, context: dict[str, Path]) -> Iterator[tuple[int, Sound]]:
    """Of a config that is wrong, the circuits whose network and unit are right, with defaults for what is wrong."""
    failed = {in_file(flaw["loc"]) for flaw in error.errors(include_url=False, include_input=False)}
    inherited = {
        name: value[name]
        for name in _INHERITED
        if value.get(name) is not None and name not in {location[0] for location in failed if location}
    }
    for index, section in enumerate(_entries(value)):
        wrong = {location[2:] for location in failed if location[:2] == ("circuits", index) and len(location) > 2}
        if not isinstance(section, dict) or {location[0] for location in wrong} & {"network", "unit"}:
            continue
        numbers: dict[Location, Sequence[int]] = {}
        patched = _without(section, (), {_removable(location) for location in wrong}, numbers)
        patched.setdefault("name", f"circuit-{index}")
        patched |= {name: setting for name, setting in inherited.items() if patched.get(name) is None}
        with suppress(ValidationError):
            yield index, Sound(_ENTRY.validate_python(patched, context=context), numbers)


def _removable(location: Location) -> Location:
    """What has to go where the setting at `location` is wrong: the whole item of a list, else the setting alone."""
    number = next((depth for depth, step in enumerate(location) if isinstance(step, int)), len(location))
    return location[: number + 1]


def _without(value: Any, here: Location, wrong: Collection[Location], numbers: dict[Location, Sequence[int]]) -> Any:
    """A value without what is wrong in it; `numbers` gets those of the items that stay of each list."""
    if isinstance(value, dict):
        return {
            name: _without(setting, (*here, name), wrong, numbers)
            for name, setting in value.items()
            if (*here, name) not in wrong
        }
    if isinstance(value, list) and any(location[:-1] == here for location in wrong):
        numbers[here] = [number for number in range(len(value)) if (*here, number) not in wrong]
        return [value[number] for number in numbers[here]]
    return value


def _names(tree: YamlTree) -> list[str]:
    """The names of all circuits, also of those that are wrong; `circuit-N` for one without."""
    names = [entry.get("name") if isinstance(entry, dict) else None for entry in _entries(tree.value)]
    return [str(name) if name else f"circuit-{index}" for index, name in enumerate(names)]


def _check_names(tree: YamlTree) -> Iterator[Finding]:
    """Two circuits can't share a folder."""
    first: dict[str, int] = {}
    for index, section in enumerate(_entries(tree.value)):
        name = section.get("name") if isinstance(section, dict) else None
        if not isinstance(name, str):
            continue
        location = ("circuits", index, "name")
        if name in first:
            message = f"`{name}` is also the name of the circuit in line {first[name]}; expected a name of its own"
            yield _finding(tree, location, message)
        else:
            first[name] = tree.line(location)


def _check_out(tree: YamlTree, folder: Path, confined: bool) -> Iterator[Finding]:
    """The site's folder is replaced as a whole, so it can't be one that holds the config; see `load` for the rest."""
    location: Location = ("site", "out")
    site = tree.value.get("site")
    out = site.get("out") if isinstance(site, dict) else None
    if not isinstance(out, str) or not out.strip():
        return
    try:
        target = Path(folder, Path(out).expanduser()).resolve()
        holds_config = folder.resolve().is_relative_to(target)
    except (OSError, RuntimeError, ValueError) as error:
        yield _finding(tree, location, f"`{out!r}` can't be a folder: {error}")
        return
    if holds_config:
        message = f"`{out}` holds the config itself and would be replaced; expected a folder of its own, as `site`"
        yield _finding(tree, location, message)
    elif confined and not target.is_relative_to(folder.resolve()):
        message = f"`{out}` lies outside the config's folder, where --confined writes nothing; expected a folder in it"
        yield _finding(tree, location, message)
