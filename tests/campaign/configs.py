"""Configs that nobody would write: made from the schema, broken in every way, and never more than an error of lines.

Some of the inputs are drawn by Hypothesis from the config's own JSON schema, so that they get past its checks and into
what comes behind; the others are sound configs whose text or structure is broken.
"""

from __future__ import annotations

import copy
import io
import json
import os
import re
import resource
import signal
import string
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.campaign import Campaign, Case
from tests.places import REPOSITORY
from tests.runs import run

SECONDS_PER_INPUT = 20
MOST_MEMORY = 6 * 2**30
SOUND = """\
site: {title: Sound, description: two circuits, out: site}
photos: samples
visualization: {size: 64, steps: 8}
circuits:
  - name: one
    title: The first
    network: {model: squeezenet1.1}
    unit: {layer: fire2/squeeze1x1, index: 3}
    siblings: [4, 5]
    hypothesis:
      unit: It reads {{ unit.label }}.
      claims: [{excites: 3}]
  - name: two
    network: {model: vgg19}
    optional: true
    unit: {layer: block3_conv3, index: all}
"""
# What breaks parsers, paths, numbers and pages.
HOSTILE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 10**400, -(10**30), 2**63, 0.1, 1e308, -1e308, float("nan"), float("inf"), "", " ",
    "\x00", "\x1b[31m", "\u202e", "\ufeff", "\ud83d\ude00", "a" * 1_000_000, "../../etc/passwd", "/", "/etc/passwd",
    "~root", "link", "..", ".", "con", "a/../../b", "config.yaml", "*", "{{ unit.label.__class__ }}",
    "{{ 7 * 7 }}", "{% for a in b %}", "<script>alert(1)</script>", "javascript:alert(1)", "!!python/object:os.system",
    "file:///etc/passwd", "http://[", "https://example.org:99999999/", "é" * 300, [], {}, [[]], [{}], {"a": {}},
    [None] * 50, {"file": "../secret"}, {"file": "/dev/zero"}, {"file": "link"}, {"file": "."}, "2001-01-01", b"bytes",
    {"": ""}, "0x10", "1e3", "1_000", "yes", "0-9999999999", "[0-5]", [0, "1-3"], {"top": 3, "by": "strength"}, "a:b",
    "squeezenet1.1", "resnet50", "imagenet", "random", "mine:model", "fire2/squeeze1x1", "fire*",
)  # fmt: skip
_CONTROL = "".join(map(chr, (*range(32), 127, 133, 0x2028, 0xFFFE)))
_BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + level)}: &{chr(98 + level)} [{','.join([f'*{chr(97 + level)}'] * 9)}]\n" for level in range(9)
)
CORPUS: tuple[bytes, ...] = (
    b"",
    b"\xef\xbb\xbf" + SOUND.encode(),
    SOUND.encode("utf-16"),
    SOUND.encode("utf-32"),
    SOUND.replace("first", "f\xefrst").encode("latin-1"),
    SOUND.replace("\n", "\r\n").encode(),
    SOUND.replace("\n", "\r").encode(),
    _BOMB.encode(),
    (SOUND + _BOMB).encode(),
    b"site: &a {title: *a}\ncircuits: []\n",
    b"a: &a\n  <<: *a\n",
    b"<<: [{site: {title: a}}, {site: {title: b}}]\ncircuits: []\n",
    b"[" * 100_000,
    b"{a: " * 20_000,
    b"- " * 50_000,
    b"a: " + b"'" * 99_999,
    b"site: !!binary |\n  AAAA\n",
    b"site: !!python/object/apply:os.system ['exit 1']\n",
    b"site: !!set {a, b}\n",
    b"%YAML 9.9\n---\nsite: {}\n",
    b"---\n---\n",
    b"\x00" * 1000,
    bytes(range(256)),
    SOUND.encode() * 3,
    SOUND.replace("name: two", "name: One").encode(),
    SOUND.replace("name: two", "name: 'one '").encode(),
    SOUND.replace("name: two", "name: ONE").encode(),
    # As pydantic's locations name the kinds of circuit.
    SOUND.replace("site:", "(one):").encode(),
    SOUND.replace("    optional: true", "    (one): 1\n    (many): {(one): 2}").encode(),
    SOUND.replace("out: site", "out: ../..").encode(),
    SOUND.replace("out: site", "out: /").encode(),
    SOUND.replace("out: site", "out: link").encode(),
    SOUND.replace("index: 3", "index: 1" + "0" * 5000).encode(),
    SOUND.replace("size: 64", "size: .nan").encode(),
    SOUND.replace("steps: 8", "steps: .inf").encode(),
    SOUND.replace("The first", '"' + "x" * 2_000_000 + '"').encode(),
    b"".join(b"key%d: 1\n" % number for number in range(20_000)),
    *(SOUND.replace("unit: It reads {{ unit.label }}.", f"unit: {{file: {path}}}").encode()
      for path in ("/dev/zero", "/dev/stdin", "pipe", ".", "link", "loop", "huge", "../secret")),
    *(SOUND.replace("photos: samples", f'photos: "{half}"').encode() for half in ("\\ud83d", "\\ude00\\ud83d")),
    SOUND.replace("photos: samples", "photos: " + "a" * 5000).encode(),
    SOUND.replace("photos: samples", "photos: " + "a" * 5000 + "/*").encode(),
    *(SOUND.replace("model: vgg19", each % ("a" * 5000)).encode()
      for each in ("model: %s.keras, preprocess: {}", "model: vgg19, labels: %s", "model: resnet50, weights: %s")),
    SOUND.replace("title: The first", 'title: "\\ud83d\\ude00"').encode(),
)  # fmt: skip


# A copy, since what holds it may be changed.
_HOSTILE = st.sampled_from(HOSTILE).map(copy.deepcopy)
_SCHEMA: dict[str, Any] = json.loads((REPOSITORY / "config.schema.json").read_text())
_WORDS = [value for value in HOSTILE if isinstance(value, str) and len(value) < 100]


@st.composite
def _broken_structure(draw: st.DrawFn) -> bytes:
    """A sound config with some of its values, keys or sections replaced, doubled, moved or taken away."""
    tree = yaml.safe_load(SOUND)
    for _ in range(draw(st.integers(1, 4))):
        parent = draw(st.sampled_from(list(_containers(tree))))
        keys = list(parent) if isinstance(parent, dict) else list(range(len(parent)))
        if not keys:
            continue
        key = draw(st.sampled_from(keys))
        match draw(st.sampled_from(["replace", "delete", "rename", "add", "wrap"])):
            case "replace":
                parent[key] = draw(_HOSTILE | st.integers() | st.floats() | st.text(max_size=40))
            case "delete":
                del parent[key]
            case "wrap":
                parent[key] = [parent[key]]
            case _ if isinstance(parent, list):
                parent.append(parent[key])
            case "rename":
                parent[draw(st.text(string.printable, max_size=12))] = parent.pop(key)
            case "add":
                parent[draw(st.text(max_size=12))] = draw(_HOSTILE)
    return _dumped(tree)


def _containers(tree: Any) -> Iterator[Any]:
    if isinstance(tree, (dict, list)):
        yield tree
        for value in tree.values() if isinstance(tree, dict) else tree:
            yield from _containers(value)


def _dumped(tree: Any) -> bytes:
    try:
        return yaml.safe_dump(tree, allow_unicode=True, sort_keys=False).encode("utf-8", "surrogatepass")
    except (yaml.YAMLError, ValueError):
        return json.dumps(tree, default=str).encode()


@st.composite
def _broken_text(draw: st.DrawFn) -> bytes:
    """A sound config's text with some of its bytes cut, doubled or replaced."""
    text = bytearray(SOUND.encode())
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(text)))
        end = start + draw(st.integers(0, 30))
        marks = st.text(_CONTROL + "&*!|>%@`{}[]:,-?#'\"\\ \n\t", max_size=8).map(str.encode)
        text[start:end] = draw(st.binary(max_size=8) | marks | st.just(bytes(text[start:end]) * 2))
    return bytes(text)


@st.composite
def _of_schema(draw: st.DrawFn, schema: dict[str, Any], depth: int = 0) -> Any:
    """A value that a JSON schema admits, by its types; now and then one that it doesn't."""
    if draw(st.integers(0, 60)) == 0:
        return draw(_HOSTILE)
    if "$ref" in schema:
        return draw(_of_schema(_SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]], depth))
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return draw(_of_schema(draw(st.sampled_from(choices)), depth))
    if "const" in schema or "enum" in schema:
        return draw(st.sampled_from(schema.get("enum", [schema.get("const")])))
    low, high = schema.get("minimum"), schema.get("maximum")
    match schema.get("type"):
        case "object":
            known, required = schema.get("properties", {}), schema.get("required", [])
            names = [name for name in known if name in required or draw(st.integers(0, 2 + depth)) == 0]
            return {name: draw(_of_schema(known[name], depth + 1)) for name in names}
        case "array":
            count = draw(st.integers(schema.get("minItems", 0), 3))
            return [draw(_of_schema(schema.get("items", {}), depth + 1)) for _ in range(count)]
        case "integer":
            return draw(st.integers(low, high))
        case "number":
            return draw(st.floats(low, high, allow_nan=False))
        case "boolean":
            return draw(st.booleans())
        case "null":
            return None
        case "string":
            return draw(st.sampled_from(_WORDS) | st.text(max_size=30))
    return draw(_HOSTILE)


INPUTS = st.one_of(_broken_structure(), _broken_text(), _of_schema(_SCHEMA).map(_dumped))
"""Configs, as bytes."""


def hostile_folder(place: Path) -> Path:
    """A folder with what paths in configs may lead to: a secret beside it, links, a pipe, a file that is huge."""
    (place / "secret").write_text("not for you")
    inside = place / "inside"
    inside.mkdir()
    (inside / "link").symlink_to(place / "secret")
    (inside / "loop").symlink_to(inside / "loop")
    # Nobody writes into it, so to read it is to wait.
    os.mkfifo(inside / "pipe")
    with (inside / "huge").open("wb") as stream:
        stream.truncate(2**40)
    return inside


@contextmanager
def _limited() -> Iterator[None]:
    """Stop after some seconds; what unfolds fails, and doesn't take the machine's memory."""

    def stop(*_: object) -> None:
        raise AssertionError(f"it took longer than {SECONDS_PER_INPUT} s")

    handler, memory = signal.signal(signal.SIGALRM, stop), resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, memory[1]))
    signal.setitimer(signal.ITIMER_REAL, SECONDS_PER_INPUT)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        resource.setrlimit(resource.RLIMIT_AS, memory)
        signal.signal(signal.SIGALRM, handler)


def check(content: bytes, folder: Path) -> str:
    """Check one config with the command's own `main`: `fine`, or `refused` with its name, its lines and no more.

    Raises:
        AssertionError: a traceback, an unexpected error, a hang, another exit code, or words without a place.
    """
    from vizengine.cli import main

    path = folder / "config.yaml"
    path.write_bytes(content)
    err = io.StringIO()
    with _limited(), redirect_stdout(io.TextIOWrapper(io.BytesIO())), redirect_stderr(err):
        code = main([str(path), "--check", "-q"])
    end = _end(code, err.getvalue(), content)
    if end == "refused":
        assert re.search(r"config\.yaml:\d+: ", err.getvalue()), (err.getvalue()[-600:], content[:400])
        assert not set(err.getvalue()) & set(_CONTROL.replace("\n", "")), (err.getvalue()[-600:], content[:400])
    return end


def _end(code: int, said: str, content: bytes) -> str:
    assert code in (0, 2), (code, said[-600:], content[:400])
    assert "Traceback" not in said and "unexpected error" not in said, (said[-600:], content[:400])
    return "refused" if code else "fine"


def check_drawn(number: int, count: int, folder: Path) -> Counter[str]:
    """Check so many inputs that Hypothesis draws from a seed."""
    ends = Counter[str]()

    def check_one(content: bytes) -> None:
        ends[check(content, folder)] += 1

    # None is made smaller: all are wanted.
    options = settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    seed(number)(options(given(INPUTS)(check_one)))()
    return ends


def _check_by_command(content: bytes, folder: Path) -> str:
    (folder / "config.yaml").write_bytes(content)
    done = run(folder, "config.yaml", "-q", "--check")
    return f"{_end(done.returncode, done.stderr, content)} by a process of its own"


def _build(content: bytes, folder: Path) -> str:
    (folder / "config.yaml").write_bytes(content)
    done = run(folder, "config.yaml", "-q", code=0)
    assert "Traceback" not in done.stderr and (folder / "site" / "index.html").is_file(), done.stderr
    return "built"


def _odd_but_sound() -> Iterator[bytes]:
    small = SOUND.replace("steps: 8", "steps: 2").replace("size: 64", "size: 32").partition("  - name: two")[0]
    yield small.encode("utf-8-sig")
    yield small.replace("\n", "\r\n").encode()
    yield small.replace("The first", '"' + "x" * 20_000 + '"').encode()
    anchored = "&a {title: &b Sound, author: *b}"
    yield small.replace("{title: Sound, description: two circuits, out: site}", anchored).encode()


def _cases(folder: Path) -> Iterator[Case]:
    inside = hostile_folder(folder)
    for number in range(100):
        yield f"drawn from seed {number}", partial(check_drawn, number, 100, inside)
    for content in CORPUS:
        yield repr(content[:80]), partial(check, content, inside)
        yield f"{content[:80]!r} by the command", partial(_check_by_command, content, inside)
    for content in _odd_but_sound():
        yield f"{content[:80]!r} to a site", partial(_build, content, inside)


CONFIGS = Campaign(
    "Whatever a config holds, it is either sound or refused, with the line and what was expected.",
    "A corpus of bombs, encodings, paths and doubled names, and inputs drawn by Hypothesis: from the config's JSON "
    "schema, and sound configs whose text or structure is broken; each by the command's own `main` with `--check`; the "
    "corpus by real processes too, and odd but sound configs to a site",
    f"what was refused was refused with its lines, and none took over {SECONDS_PER_INPUT} s or 6 GB",
    _cases,
)
