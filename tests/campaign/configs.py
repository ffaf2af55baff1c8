"""Configs that nobody would write: made from the schema, broken in every way, and never more than an error of lines.

Half of the inputs are drawn by Hypothesis from the config's own JSON schema, so that they get past its checks and into
what comes behind; the others are sound configs whose text or structure is broken.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import os
import re
import resource
import signal
import string
import tempfile
import types
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.campaign import Campaign, Result, Tally
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


# A copy of each, since what holds it may be changed.
_HOSTILE = st.sampled_from(HOSTILE).map(copy.deepcopy)


class _Slow(Exception):
    """An input took longer than it may."""


@contextmanager
def _limited() -> Iterator[None]:
    def stop(number: int, frame: types.FrameType | None) -> None:
        raise _Slow

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS_PER_INPUT)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def put(content: bytes, folder: Path) -> str:
    """Check one config with the command's own `main`; how it ended.

    Returns:
        `fine`, or `refused` where every line of the error names the config, its line and what was expected.

    Raises:
        AssertionError: a traceback, an unexpected error, a hang, another exit code, or words without a place.
    """
    from vizengine.cli import main

    path = folder / "config.yaml"
    path.write_bytes(content)
    out, err = io.TextIOWrapper(io.BytesIO()), io.StringIO()
    try:
        with _limited(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([str(path), "--check", "-q"])
    except _Slow:
        raise AssertionError(f"longer than {SECONDS_PER_INPUT} s: {_short(content)}") from None
    told = err.getvalue()
    assert code in (0, 2), (code, told[-600:], _short(content))
    assert "Traceback" not in told and "unexpected error" not in told, (told[-600:], _short(content))
    if code == 0:
        return "fine"
    lines = [line for line in told.splitlines() if not line.startswith(("warning:", "error:"))]
    assert lines and re.search(r"config\.yaml:\d+: ", told), (told[-600:], _short(content))
    assert not set(told) & set(_CONTROL.replace("\n", "")), (told[-600:], _short(content))
    return "refused"


def _short(content: bytes) -> str:
    return repr(content[:400])


def _dumped(structure: Any) -> bytes:
    try:
        return yaml.safe_dump(structure, allow_unicode=True, sort_keys=False).encode("utf-8", "surrogatepass")
    except (yaml.YAMLError, ValueError):
        return json.dumps(structure, default=str).encode()


@st.composite
def _broken_structure(draw: st.DrawFn) -> bytes:
    """A sound config with some of its values, keys or sections replaced, doubled, moved or taken away."""
    tree = yaml.safe_load(SOUND)
    for _ in range(draw(st.integers(1, 4))):
        parents = list(_containers(tree))
        parent = parents[draw(st.integers(0, len(parents) - 1))]
        keys = list(parent) if isinstance(parent, dict) else list(range(len(parent)))
        if not keys:
            continue
        key = keys[draw(st.integers(0, len(keys) - 1))]
        what = draw(st.sampled_from(["replace", "delete", "rename", "add", "wrap"]))
        if what == "replace":
            parent[key] = draw(_HOSTILE | st.integers() | st.floats() | st.text(max_size=40))
        elif what == "delete":
            del parent[key]
        elif what == "wrap":
            parent[key] = [parent[key]]
        elif isinstance(parent, list):
            parent.append(parent[key])
        elif what == "rename":
            parent[draw(st.text(string.printable, max_size=12))] = parent.pop(key)
        else:
            parent[draw(st.text(max_size=12))] = draw(_HOSTILE)
    return _dumped(tree)


def _containers(tree: Any) -> Iterator[Any]:
    if isinstance(tree, (dict, list)):
        yield tree
        for each in tree.values() if isinstance(tree, dict) else tree:
            yield from _containers(each)


@st.composite
def _broken_text(draw: st.DrawFn) -> bytes:
    """A sound config's text with some of its bytes cut, doubled or replaced."""
    text = bytearray(SOUND.encode())
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, max(len(text) - 1, 0)))
        end = start + draw(st.integers(0, 30))
        piece = draw(
            st.binary(max_size=8)
            | st.text(_CONTROL + "&*!|>%@`{}[]:,-?#'\"\\ \n\t", max_size=8).map(lambda each: each.encode("utf-8"))
            | st.just(bytes(text[start:end]) * 2)
        )
        text[start:end] = piece
    return bytes(text)


_SCHEMA: dict[str, Any] = json.loads((REPOSITORY / "config.schema.json").read_text())
_WORDS = [each for each in HOSTILE if isinstance(each, str) and len(each) < 100]


@st.composite
def _of_schema(draw: st.DrawFn, schema: dict[str, Any], depth: int = 0) -> Any:
    """A value that a JSON schema admits, by its types; now and then one that it doesn't."""
    if draw(st.integers(0, 60)) == 0:
        return draw(_HOSTILE)
    if "$ref" in schema:
        return draw(_of_schema(_SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]], depth))
    if "const" in schema or "enum" in schema:
        return draw(st.sampled_from(schema.get("enum", [schema.get("const")])))
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return draw(_of_schema(draw(st.sampled_from(schema[choice])), depth))
    low, high = schema.get("minimum"), schema.get("maximum")
    match schema.get("type"):
        case "object":
            known, required = schema.get("properties", {}), schema.get("required", [])
            named = [name for name in known if name in required or draw(st.integers(0, 2 + depth)) == 0]
            return {name: draw(_of_schema(known[name], depth + 1)) for name in named}
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


def folder_for(place: Path) -> Path:
    """A folder with what paths in configs may lead to: a secret beside it, links, a text."""
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


SOUND_SITES: tuple[bytes, ...] = tuple(
    text.replace("steps: 8", "steps: 2").replace("size: 64", "size: 32").partition("  - name: two")[0].encode(coding)
    for text, coding in (
        (SOUND, "utf-8-sig"),
        (SOUND.replace("\n", "\r\n"), "utf-8"),
        (SOUND.replace("The first", '"' + "x" * 20_000 + '"'), "utf-8"),
        (
            SOUND.replace("{title: Sound, description: two circuits, out: site}", "&a {title: &b Sound, author: *b}"),
            "utf-8",
        ),
    )
)
"""Odd configs that are sound, each for one small site."""


def by_command(content: bytes, folder: Path, build: bool) -> str:
    """The same as `put` through the real command; with `build` it makes the site, which must be there.

    Raises:
        AssertionError: a traceback, another exit code, or no site.
    """
    (folder / "config.yaml").write_bytes(content)
    done = run(folder, "config.yaml", "-q", *([] if build else ["--check"]))
    assert done.returncode in ((0,) if build else (0, 2)), (done.stderr[-600:], _short(content))
    assert "Traceback" not in done.stderr and "unexpected error" not in done.stderr, (
        done.stderr[-600:],
        _short(content),
    )
    if build:
        assert (folder / "site" / "index.html").is_file()
        return "built"
    return "fine" if done.returncode == 0 else "refused"


def campaign(cases: int = 10_000) -> Result:
    """The corpus, then so many drawn inputs; the corpus again by the real command, and some sites."""
    ends, tally = Counter[str](), Tally()
    # An input that unfolds must fail here, not take the machine's memory.
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, before[1]))
    with tempfile.TemporaryDirectory() as temporary:
        folder = folder_for(Path(temporary))

        def one(content: bytes) -> None:
            with tally.case("a config"):
                ends[put(content, folder)] += 1

        for content in CORPUS:
            one(content)
        # No example is tried twice, and none is made smaller: all are wanted.
        drawn = settings(
            max_examples=cases,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )(seed(0)(given(INPUTS)(one)))
        drawn()
        resource.setrlimit(resource.RLIMIT_AS, before)
        for content, build in [*((each, False) for each in CORPUS), *((each, True) for each in SOUND_SITES)]:
            with tally.case("by the command", 0):
                by_command(content, folder, build)
    return tally.result(
        f"{ends['refused']:,} were refused with their lines, {ends['fine']:,} were fine, none took over 20 s or 6 GB"
    )


CONFIGS = Campaign(
    "Whatever a config holds, it is either sound or refused, with the line and what was expected.",
    "A corpus of bombs, encodings, paths and doubled names, and inputs drawn by Hypothesis: from the config's JSON "
    "schema, and sound configs whose text or structure is broken; each by the command's own `main` with `--check`; the "
    "corpus by real processes too, and odd but sound configs to a site",
    campaign,
)
