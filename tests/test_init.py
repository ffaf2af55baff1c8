"""`init` writes a config that explains itself, that can be built as it is, and never in the place of another."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.places import REPOSITORY
from tests.runs import run
from vizengine.check import check_entry
from vizengine.cli import write_start
from vizengine.config.load import load
from vizengine.config.network import NetworkSection
from vizengine.config.schema import CircuitSection, Config, HypothesisSection, SiteSection, VisualizationSection
from vizengine.config.template import starting_text
from vizengine.errors import UsageError

FILES = ["config.schema.json", "config.yaml", "hypotheses", "hypotheses/my-unit.md"]
_OPTIONAL = re.compile(r"^( *)#(\w+:.*)$", re.MULTILINE)


def test_the_command_writes_a_config_that_is_fine(tmp_path: Path) -> None:
    done = run(tmp_path, "init", "new/folder")
    assert (done.returncode, done.stdout) == (0, "new/folder/config.yaml\n"), done.stderr
    assert done.stderr.rstrip().endswith("generate.py new/folder/config.yaml")
    folder = tmp_path / "new/folder"
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*")) == FILES
    (circuit,) = load(folder / "config.yaml", (check_entry,)).circuits
    assert isinstance(circuit, CircuitSection) and circuit.network.model == "squeezenet1.1"
    assert (folder / "config.schema.json").read_bytes() == (REPOSITORY / "config.schema.json").read_bytes()


@pytest.mark.parametrize("name", ["config.yaml", "config.schema.json", "hypotheses/my-unit.md"])
def test_nothing_is_written_where_any_of_the_files_is_there(name: str, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).symlink_to("nowhere")
    before = sorted(tmp_path.rglob("*"))
    done = run(tmp_path, "init")
    assert (done.returncode, done.stdout) == (2, "")
    assert name in done.stderr and "nothing is replaced" in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="a file; expected a folder"):
        write_start(tmp_path / "file")


@pytest.mark.parametrize("section", [Config, SiteSection, CircuitSection, NetworkSection, VisualizationSection])
def test_every_setting_is_there_with_its_description(section: type[Config]) -> None:
    text = starting_text()
    flowing = " ".join(line.lstrip(" #-") for line in text.splitlines())
    for name, field in section.model_fields.items():
        assert field.description and " ".join(field.description.split()) in flowing, name
        assert re.search(rf"^ *(- |#)?{name}:", text, re.MULTILINE), name
    assert HypothesisSection.model_fields["claims"].description in text


def test_without_its_hash_every_setting_has_its_default(tmp_path: Path) -> None:
    path = write_start(tmp_path)
    text, before = path.read_text(encoding="utf-8"), load(path)
    optional = list(_OPTIONAL.finditer(text))
    assert len(optional) > 30
    for setting in optional:
        path.write_text(text[: setting.start()] + setting.expand(r"\1\2") + text[setting.end() :], encoding="utf-8")
        assert load(path, (check_entry,)) == before, setting[2]
    path.write_text(_OPTIONAL.sub(r"\1\2", text), encoding="utf-8")
    assert load(path, (check_entry,)) == before
