"""A config from a real file: what it gives, and what is said of every way in which it can be wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from vizengine.config.lines import Location
from vizengine.config.load import load
from vizengine.config.schema import CircuitSection
from vizengine.errors import ConfigError

SOUND = """\
site: {title: Test}
circuits:
  - name: first
    network: {model: vgg19}
    unit: {layer: block3_conv3, index: 195}
"""


def _write(folder: Path, text: str | bytes) -> Path:
    path = folder / "config.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def _problems(path: Path, *checks: object) -> list[tuple[int, str, str]]:
    with pytest.raises(ConfigError) as raised:
        load(path, checks)  # type: ignore[arg-type]
    assert all(problem.file == str(path) for problem in raised.value.problems)
    return [(problem.line, problem.key, problem.message) for problem in raised.value.problems]


def _only_problem(folder: Path, text: str | bytes) -> tuple[int, str, str]:
    problems = _problems(_write(folder, text))
    assert len(problems) == 1, problems
    return problems[0]


def test_defaults_and_what_is_given(tmp_path: Path) -> None:
    config = load(_write(tmp_path, SOUND))
    circuit = config.circuits[0]
    assert (config.site.title, config.site.out, config.site.language) == ("Test", None, "en")
    assert (circuit.photos, circuit.inputs, circuit.siblings, circuit.optional) == ("samples", 6, (), False)
    assert (config.folder, config.source) == (tmp_path, tmp_path / "config.yaml")


def test_settings_of_the_site_reach_each_circuit_that_has_none(tmp_path: Path) -> None:
    text = (
        "photos: mine\nvisualization: {steps: 7}\n"
        + SOUND
        + "  - {name: second, network: {model: vgg16}, unit: {layer: a, index: 0}, photos: other/*.png, "
        "visualization: {size: 64}}\n"
    )
    first, second = load(_write(tmp_path, text)).circuits
    assert (first.photos, first.visualization.steps, first.visualization.size) == ("mine", 7, 128)
    # A section of the circuit's own stands in place of the whole section.
    assert (second.photos, second.visualization.steps, second.visualization.size) == ("other/*.png", 96, 64)


def test_settings_left_empty_take_their_defaults(tmp_path: Path) -> None:
    text = (
        "photos: mine\n" + SOUND + "    photos:\n    visualization: null\n    title: ~\n    inputs:\n    hypothesis:\n"
    )
    circuit = load(_write(tmp_path, text)).circuits[0]
    assert (circuit.photos, circuit.title, circuit.inputs) == ("mine", None, 6)
    assert circuit.hypothesis.unit == ""


def test_texts_come_from_files_beside_the_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "unit.md").write_bytes("\ufeffGrüße, *Kurve*.\n".encode())
    text = SOUND + "    hypothesis: {unit: {file: texts/unit.md}, circuit: inline}\n"
    path = _write(tmp_path, text)
    monkeypatch.chdir(tmp_path.parent)
    section = load(path).circuits[0]
    assert section.hypothesis.unit == "Grüße, *Kurve*.\n"
    assert section.hypothesis.circuit == "inline"


@pytest.mark.parametrize("file", ["../secret", "link", "inside/../../secret", "SECRET", "/etc/hostname"])
def test_a_text_outside_of_the_configs_folder_is_refused(tmp_path: Path, file: str) -> None:
    """Pages are published; a config that came from elsewhere must not put its reader's files on them."""
    (tmp_path / "secret").write_text("not for you")
    folder = tmp_path / "folder"
    (folder / "inside").mkdir(parents=True)
    (folder / "link").symlink_to(tmp_path / "secret")
    named = file.replace("SECRET", str(tmp_path / "secret"))
    _, key, message = _only_problem(folder, SOUND + f"    hypothesis: {{unit: {{file: {named}}}}}\n")
    assert key == "circuits.first.hypothesis.unit" and "lies outside the config's folder" in message


def test_a_dumped_section_is_the_same_on_every_machine(tmp_path: Path) -> None:
    dumps = []
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "unit.md").write_text("Text.")
        text = "photos: photos/*.png\n" + SOUND + "    hypothesis: {unit: {file: unit.md}}\n"
        config = load(_write(tmp_path / name, text))
        assert str(tmp_path) not in config.model_dump_json()
        dumps.append(config.circuits[0].model_dump(mode="json"))
        assert CircuitSection.model_validate(dumps[-1]) == config.circuits[0]
    assert dumps[0] == dumps[1]
    assert dumps[0]["hypothesis"]["unit"] == "Text."


def test_all_problems_at_once_each_with_its_line(tmp_path: Path) -> None:
    text = """\
site: {title: 1.10, langage: en, language: no}
visualisation: {}
visualization:
  size: 100
  steps: 3.0
  seed: -1
  precision: float23
circuits:
  - name: Foo Bar
    network: {model: vgg91}
    unit: {layer: x, index: yes}
    siblings: [1, true]
  - name: a
    network: {model: vgg19}
    unit:
      layer: x
      index: 3
    optional: 1
  - name: a
    inputs: 010
    network: {model: vgg19}
  - 7
  - name: b
    name: c
    network: {model: vgg19}
    unit: {layer: x, index: 99}
"""

    def check(circuit: CircuitSection, folder: Path) -> Iterator[tuple[Location, str]]:
        assert folder == tmp_path
        yield ("unit", "index"), f"deep {circuit.name} {circuit.unit.index} {circuit.inputs} {circuit.optional}"

    expected = {
        (1, "site.title"): "received `1.10`; expected text; put quotes around it",
        (1, "site.langage"): "did you mean `language`?",
        (1, "site.language"): "`no`, which YAML reads as false; expected text",
        (2, "visualisation"): "did you mean `visualization`?",
        (4, "visualization.size"): "received `100`; expected a multiple of 32",
        (5, "visualization.steps"): "received `3.0`; expected a whole number",
        (6, "visualization.seed"): "received `-1`; expected at least 0",
        (7, "visualization.precision"): "did you mean `float32`?",
        (9, "circuits.0.name"): "small letters, digits and hyphens",
        (10, "circuits.0.network.model"): "did you mean `vgg19`?",
        (11, "circuits.0.unit.index"): "`yes`, which YAML reads as true; expected a whole number",
        (12, "circuits.0.siblings.1"): "received `true`; expected a whole number",
        # The deep check saw the circuit with the default in place of the setting that is wrong.
        (17, "circuits.a.unit.index"): "deep a 3 6 False",
        (18, "circuits.a.optional"): "true or false",
        (19, "circuits.a.name"): "line 13",
        (19, "circuits.a.unit"): "missing",
        (20, "circuits.a.inputs"): "`010`",
        (22, "circuits.3"): "received `7`; expected a section",
        (24, "circuits.b.name"): "first in line 23",
        (26, "circuits.b.unit.index"): "deep b 99 6 False",
    }
    problems = _problems(_write(tmp_path, text), check)
    assert sorted((line, key) for line, key, _ in problems) == sorted(expected)
    for line, key, message in problems:
        assert expected[line, key] in message


def test_the_nearest_network_comes_first_and_no_long_list(tmp_path: Path) -> None:
    for written, words in (("vgg91", "`vgg91`; did you mean `vgg19`? "), ("zoo", "expected `squeezenet1.1`, ")):
        _, key, message = _only_problem(tmp_path, SOUND.replace("vgg19", written))
        assert key == "circuits.first.network.model" and words in message
        assert len(message) < 250 and "docs/networks.md" in message


def test_a_wrong_claim_hides_no_other(tmp_path: Path) -> None:
    """What is right of a list is looked into, and what is found there keeps its own line and number."""
    seen = []

    def check(circuit: CircuitSection, folder: Path) -> Iterator[tuple[Location, str]]:
        seen.append((circuit.hypothesis.unit, [claim.excites for claim in circuit.hypothesis.claims], circuit.siblings))
        yield ("hypothesis", "claims", 1), "too large"
        yield ("siblings", 0), "none"

    text = SOUND + (
        "    siblings: [yes, 7]\n    hypothesis:\n      unit: text\n      claims:\n"
        "        - exites: 1\n        - excites: 2\n        - sufficient: {inputs: top6}\n        - excites: 99\n"
    )
    problems = _problems(_write(tmp_path, text), check)
    assert seen == [("text", [2, 99], (7,))]
    assert {problem[:2] for problem in problems} >= {
        (6, "circuits.first.siblings.0"),
        (6, "circuits.first.siblings.1"),
        (10, "circuits.first.hypothesis.claims.0.exites"),
        (12, "circuits.first.hypothesis.claims.2.sufficient.correlation"),
        (13, "circuits.first.hypothesis.claims.3"),
    }


def test_deep_checks_see_the_settings_of_the_site(tmp_path: Path) -> None:
    seen = []

    def check(circuit: CircuitSection, folder: Path) -> Iterator[tuple[Location, str]]:
        seen.append((circuit.photos, circuit.visualization.steps))
        yield from ()

    text = "photos: mine\nvisualization: {steps: 9}\nwrong: 1\n" + SOUND
    assert len(_problems(_write(tmp_path, text), check)) == 1
    load(_write(tmp_path, text.replace("wrong: 1\n", "")), (check,))
    assert seen == [("mine", 9), ("mine", 9)]


def test_place_of_a_deep_problem_in_a_setting_that_is_left_out_is_its_circuit(tmp_path: Path) -> None:
    def check(circuit: CircuitSection, folder: Path) -> Iterator[tuple[Location, str]]:
        yield ("photos",), "no photos"

    assert _problems(_write(tmp_path, SOUND), check) == [(3, "circuits.first.photos", "no photos")]
    # A setting of the site is wrong once, in its own line, however many circuits have it from there.
    text = SOUND.replace("site:", "photos: mine\nsite:") + SOUND.partition("circuits:\n")[2].replace("first", "second")
    assert _problems(_write(tmp_path, text), check) == [(1, "photos", "no photos")]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "the file is empty"),
        ("# only a comment\n\n", 1, "the file is empty"),
        ("- a\n- b\n", 1, "a list of 2; expected the sections `site` and `circuits`"),
        ("just words\n", 1, "`just words`; expected the sections"),
        ("site:\n  title: a\n bad: b\n", 3, "not valid YAML"),
        ("site:\n\ttitle: a\n", 2, "indent with spaces"),
        ('site: {title: "a\n', 2, "not valid YAML"),
        ("site:\n  title: Circuits: my unit\n", 2, "if it is text, put quotes around it: title: '…'"),
        ("site: {title: Circuits: my unit}\n", 1, "if it is text, put quotes around it: title: '…'"),
        ("site:\n  title: {{ a }} b\n", 2, "if it is text, put quotes around it: title: '…'"),
        ("site: {title: a}\n---\nsite: {title: b}\n", 2, "expected a single document"),
        ("site: {title: *nowhere}\n", 1, "undefined alias"),
        ("site: {title: a}\n# \x07\n", 2, "U+0007 isn't allowed"),
        (b"site:\n  title: Gr\xfc\xdfe\n", 2, "byte 0xfc isn't UTF-8"),
        ("[" * 5000, 1, "nested too deeply"),
    ],
)
def test_what_isnt_a_config_at_all(tmp_path: Path, text: str | bytes, line: int, words: str) -> None:
    found, key, message = _only_problem(tmp_path, text)
    assert (found, key) == (line, "file")
    assert words in message


def test_a_file_that_isnt_there_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(SOUND)
    assert "did you mean `config.yaml`?" in _problems(tmp_path / "confg.yml")[0][2]
    assert "there is no such file" in _problems(tmp_path / "no" / "such.yaml")[0][2]
    assert "a folder; expected a config" in _problems(tmp_path)[0][2]


@pytest.mark.parametrize(
    ("more", "line", "key", "words"),
    [
        ("    inputs: 0\n", 6, "circuits.first.inputs", "received `0`; expected at least 1"),
        ("    inputs: '6'\n", 6, "circuits.first.inputs", 'received `"6"`; expected a whole number'),
        ("    inputs: 1e1\n", 6, "circuits.first.inputs", "expected a whole number"),
        ("    inputs: 1:30\n", 6, "circuits.first.inputs", "received `1:30`; expected a whole number"),
        (f"    inputs: {'9' * 5000}\n", 6, "circuits.first.inputs", "expected a whole number"),
        ("    siblings: 8\n", 6, "circuits.first.siblings", "received `8`; expected a list"),
        (
            "    siblings:\n      - 1\n      - -2\n",
            8,
            "circuits.first.siblings.1",
            "received `-2`; expected at least 0",
        ),
        ("    siblings: {a: 1}\n", 6, "circuits.first.siblings", "received a section; expected a list"),
        ("    visualization: [1]\n", 6, "circuits.first.visualization", "received a list of 1; expected a section"),
        ("    hypothesis: {unit: {fil: a}}\n", 6, "circuits.first.hypothesis.unit", "`{file: path}`"),
        ("    hypothesis: {unit: {file: no.md}}\n", 6, "circuits.first.hypothesis.unit", "no.md: no such file"),
        ("    hypothesis: {unit: {file: .}}\n", 6, "circuits.first.hypothesis.unit", "is a directory"),
        ('    hypothesis: {unit: {file: "a\\0b"}}\n', 6, "circuits.first.hypothesis.unit", "null"),
        ('    title: "  "\n', 6, "circuits.first.title", "text that isn't blank"),
        ('    title: "\\ud800"\n', 6, "circuits.first.title", "half a character"),
        ("    title: !!python/object:os.system a\n", 6, "circuits.first.title", "tag"),
        ("    ? [a]\n    : b\n", 6, "circuits.first", "a list or a section stands as a key"),
        ("    title: &a [*a]\n", 6, "circuits.first.title.0", "an alias stands inside its own anchor"),
        ("    hypothesis: text\n", 6, "circuits.first.hypothesis", "as `hypothesis: {unit: text}`"),
        ("    hypothesis: {claims: [text]}\n", 6, "circuits.first.hypothesis.claims.0", "as `{excites: 12}`"),
        ("    hypothesis: {unit: {{ unit.reached }}}\n", 6, "circuits.first.hypothesis.unit", "begins with `{{`"),
        ("  - {name: b, unit: 195}\n", 6, "circuits.b.unit", "as `unit: {layer: …, index: …}`"),
        ("  - {name: b, unit: all, depth: 2}\n", 6, "circuits.b.depth", "not for a sweep, and this is one"),
    ],
)
def test_one_wrong_setting(tmp_path: Path, more: str, line: int, key: str, words: str) -> None:
    problems = _problems(_write(tmp_path, SOUND + more))
    assert any(problem[:2] == (line, key) and words in problem[2] for problem in problems), problems


@pytest.mark.parametrize("out", [".", "..", "/", "sub/..", "../"])
def test_the_sites_folder_cant_hold_the_config(tmp_path: Path, out: str) -> None:
    text = SOUND.replace("title: Test", f"title: Test, out: {out}")
    line, key, message = _only_problem(tmp_path, text)
    assert (line, key) == (1, "site.out")
    assert "holds the config itself" in message


@pytest.mark.parametrize("circuits", ["circuits: []", "circuits:", "circuits: {}", "circuits: none", ""])
def test_no_circuits(tmp_path: Path, circuits: str) -> None:
    line, key, message = _only_problem(tmp_path, f"site: {{title: Test}}\n{circuits}\n")
    assert key == "circuits"
    assert line == (2 if circuits else 1)
    assert "expected" in message


def test_what_no_yaml_surprise_may_change(tmp_path: Path) -> None:
    text = SOUND.replace("title: Test", "title: 2024-01-01, author: =, description: 2024-13-45")
    site = load(_write(tmp_path, text)).site
    assert (site.title, site.author, site.description) == ("2024-01-01", "=", "2024-13-45")


def test_anchors_and_merges(tmp_path: Path) -> None:
    text = """\
site: {title: Test}
visualization: &small {size: 32, steps: 4}
circuits:
  - &one {name: one, network: {model: vgg19}, unit: {layer: a, index: 1}}
  - <<: *one
    name: two
    visualization: {<<: *small, steps: 5}
"""
    one, two = load(_write(tmp_path, text)).circuits
    assert (one.name, two.name, two.unit) == ("one", "two", one.unit)
    assert (two.visualization.size, two.visualization.steps) == (32, 5)


def test_a_wrong_value_that_was_merged_is_found_where_it_stands(tmp_path: Path) -> None:
    text = "site: {title: Test}\nvisualization: &small\n  size: 33\n" + SOUND.split("\n", 1)[1]
    text += "    visualization: {<<: *small}\n"
    places = [problem[:2] for problem in _problems(_write(tmp_path, text))]
    assert places == [(3, "circuits.first.visualization.size"), (3, "visualization.size")]


def test_aliases_cant_unfold_into_more_than_memory_holds(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    problems = _problems(_write(tmp_path, "\n".join([*lines, "site: {title: *a29}", "circuits: *a29"])))
    # The value stands where its anchor is.
    assert (30, "site.title", "received a list of 10; expected text") in problems
