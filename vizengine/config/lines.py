"""YAML as plain values that remember their lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import yaml

Location: TypeAlias = tuple[str | int, ...]
"""Path of a setting, for example ("circuits", 0, "unit", "index")."""
Pair: TypeAlias = tuple[yaml.Node, yaml.Node]
_PREFIX = "tag:yaml.org,2002:"
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9_]*)$")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_SHOWN = 60


class _Loader(yaml.SafeLoader):
    """YAML's safe loader, in which dates and `=` are plain text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in (_PREFIX + "timestamp", _PREFIX + "value")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class YamlTree:
    """The one document of a YAML text.

    Nodes that aliases share are read once, so that a small file can't unfold into a large one. `value` is the document
    as dicts with text keys, lists and scalars, None where there is none; `flaws` has (line, location, message) of all
    that is YAML but not acceptable: keys given twice, tags, cycles.

    Raises:
        yaml.YAMLError: the text isn't YAML, or holds several documents.
        RecursionError: it is nested too deeply.
    """

    def __init__(self, text: str) -> None:
        self.flaws: list[tuple[int, Location, str]] = []
        self._loader = _Loader(text)
        self._values: dict[int, Any] = {}
        self._pairs: dict[int, dict[str, Pair]] = {}
        self._open: set[int] = set()
        try:
            self._root: yaml.Node | None = self._loader.get_single_node()
            self.value: Any = None if self._root is None else self._construct(self._root, ())
        finally:
            self._loader.dispose()

    def line(self, location: Iterable[str | int]) -> int:
        """Line of the value at `location`, counted from 1; that of the section around it where there is none."""
        line = 1
        for node in self._walk(location):
            line = node.start_mark.line + 1
        return line

    def key_line(self, location: Location) -> int:
        """Line of the key at `location`; where there is none, that of its section's key, or first line in a list."""
        *section, last = location
        pair = self._pairs.get(id(self._node(section)), {}).get(str(last))
        if pair is not None:
            return int(pair[0].start_mark.line) + 1
        return self.key_line(tuple(section)) if section and isinstance(section[-1], str) else self.line(section)

    def key(self, location: Location) -> str:
        """A location in one word, for example `circuits.curves.unit.index`.

        An item of a list that has a `name` is called by it; others by their number, counted from 0.
        """
        steps: list[str] = []
        value = self.value
        for step in location:
            known = isinstance(value, dict) or (isinstance(value, list) and isinstance(step, int) and step < len(value))
            value = (value.get(step) if isinstance(value, dict) else value[step]) if known else None
            name = value.get("name") if isinstance(step, int) and isinstance(value, dict) else None
            steps.append(name if isinstance(name, str) and _NAME.fullmatch(name) else str(step))
        return ".".join(steps) or "config"

    def length(self, location: Location) -> int:
        """Number of items in the list, or of settings in the section, at `location`; 0 where there is neither."""
        node = self._node(location)
        return len(node.value) if isinstance(node, yaml.CollectionNode) else 0

    def shown(self, location: Location) -> str:
        """What stands at `location`, in a few words, as the user wrote it."""
        node = self._node(location)
        if isinstance(node, yaml.MappingNode):
            return "a section"
        if isinstance(node, yaml.SequenceNode):
            return f"a list of {len(node.value)}" if node.value else "an empty list"
        value = self._values.get(id(node))
        if value is None or not isinstance(node, yaml.ScalarNode):
            return "nothing"
        text = " ".join(node.value.split())
        text = text if len(text) <= _SHOWN else text[:_SHOWN] + " …"
        if isinstance(value, bool) and text.lower() != str(value).lower():
            return f"`{text}`, which YAML reads as {str(value).lower()}"
        # A number in quotes is text, so the quotes are what the message is about.
        return f'`"{text}"`' if node.style in ("'", '"') else f"`{text}`"

    def _walk(self, location: Iterable[str | int]) -> Iterator[yaml.Node]:
        """The nodes from the root to `location`, as far as they exist."""
        node = self._root
        if node is None:
            return
        yield node
        for step in location:
            if isinstance(node, yaml.MappingNode) and str(step) in self._pairs.get(id(node), {}):
                node = self._pairs[id(node)][str(step)][1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and 0 <= step < len(node.value):
                node = node.value[step]
            else:
                return
            yield node

    def _node(self, location: Sequence[str | int]) -> yaml.Node | None:
        nodes = list(self._walk(location))
        return nodes[-1] if len(nodes) > len(location) else None

    def _flaw(self, node: yaml.Node, location: Location, message: str) -> None:
        self.flaws.append((node.start_mark.line + 1, location, message))

    def _construct(self, node: yaml.Node, location: Location) -> Any:
        if id(node) in self._open:
            self._flaw(node, location, "an alias stands inside its own anchor; expected a value that ends")
            return None
        if id(node) not in self._values:
            self._open.add(id(node))
            self._values[id(node)] = self._build(node, location)
            self._open.discard(id(node))
        return self._values[id(node)]

    def _build(self, node: yaml.Node, location: Location) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, location)
        expected = "seq" if isinstance(node, yaml.SequenceNode) else "map"
        if node.tag != _PREFIX + expected:
            self._refuse_tag(node, location)
        if isinstance(node, yaml.SequenceNode):
            return [self._construct(item, (*location, index)) for index, item in enumerate(node.value)]
        assert isinstance(node, yaml.MappingNode)
        pairs = self._collect(node, location)
        return {key: self._construct(pair[1], (*location, key)) for key, pair in pairs.items()}

    def _collect(self, node: yaml.MappingNode, location: Location) -> dict[str, Pair]:
        """The keys of a section, those of `<<` included where the section itself doesn't have them."""
        direct: dict[str, Pair] = {}
        merged: dict[str, Pair] = {}
        for key, value in node.value:
            if key.tag == _PREFIX + "merge":
                for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    self._construct(source, location)
                    if not isinstance(source, yaml.MappingNode):
                        self._flaw(source, location, "`<<` takes a section or a list of sections by alias")
                    merged = {**self._pairs.get(id(source), {}), **merged}
            elif not isinstance(key, yaml.ScalarNode):
                quotes = "; put quotes around text that begins with `{{`" if isinstance(key, yaml.MappingNode) else ""
                message = f"a list or a section stands as a key; expected the name of a setting{quotes}"
                self._flaw(key, location, message)
            elif key.value in direct:
                first = direct[key.value][0].start_mark.line + 1
                message = f"given twice, first in line {first}; expected it once: remove one"
                self._flaw(key, (*location, key.value), message)
            else:
                direct[key.value] = (key, value)
        self._pairs[id(node)] = {**merged, **direct}
        return self._pairs[id(node)]

    def _scalar(self, node: yaml.ScalarNode, location: Location) -> Any:
        kind = node.tag.removeprefix(_PREFIX)
        if kind not in ("str", "bool", "int", "float", "null"):
            self._refuse_tag(node, location)
            return None
        # YAML 1.1 reads 010 as eight and 1:30 as ninety: such a number stays text and is refused where a number is due.
        if kind == "int" and not _DECIMAL.match(node.value):
            return node.value
        try:
            value = self._loader.construct_object(node)
        except (ValueError, KeyError, yaml.YAMLError):
            value = node.value
        if not isinstance(value, str):
            return value
        try:
            # Escapes of half characters, as JSON has them, are joined in pairs.
            return value.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            message = "an escape such as `\\ud83d` is half a character; expected both halves or neither"
            self._flaw(node, location, message)
            return value.encode("utf-8", "replace").decode()

    def _refuse_tag(self, node: yaml.Node, location: Location) -> None:
        tag = node.tag.replace(_PREFIX, "!!")
        self._flaw(node, location, f"the YAML tag `{tag}`; expected a plain value without a tag")
