"""`init` writes a config that explains itself, that can be built as it is, and never in the place of another."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.places import REPOSITORY
from vizengine.check import check_entry
from vizengine.cli import write_start
from vizengine.config import template as commented
from vizengine.config.load import load
from vizengine.config.network import NetworkSection
from vizengine.config.schema import CircuitSection, Config, HypothesisSection, SiteSection, VisualizationSection
from vizengine.errors import UsageError

FILES = ["config.schema.json", "config.yaml", "hypotheses", "hypotheses/my-unit.md"]
_OPTIONAL = re.compile(r"^( *)#(\w+:.*)$", re.MULTILINE)


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(REPOSITORY / "generate.py"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)


def test_the_command_writes_a_config_that_is_fine(tmp_path: Path) -> None:
    done = _run(tmp_path, "init", "new/folder")
    assert (done.returncode, done.stdout) == (0, "new/folder/config.yaml\n"), done.stderr
    assert done.stderr.rstrip().endswith("generate.py new/folder/config.yaml")
    there = sorted(str(path.relative_to(tmp_path / "new/folder")) for path in (tmp_path / "new/folder").rglob("*"))
    assert there == FILES
    config = load(tmp_path / "new/folder/config.yaml", (check_entry,))
    (circuit,) = config.circuits
    assert isinstance(circuit, CircuitSection) and circuit.network.model == "squeezenet1.1"
    committed = (REPOSITORY / "config.schema.json").read_text(encoding="utf-8")
    assert (tmp_path / "new/folder/config.schema.json").read_text(encoding="utf-8") == committed


def test_a_second_time_replaces_nothing(tmp_path: Path) -> None:
    config = write_start(tmp_path)
    config.write_text("mine")
    done = _run(tmp_path, "init")
    assert (done.returncode, done.stdout) == (2, "")
    assert "config.yaml" in done.stderr and "nothing is replaced" in done.stderr
    assert config.read_text() == "mine"


@pytest.mark.parametrize("name", ["config.yaml", "config.schema.json", "hypotheses/my-unit.md"])
def test_nothing_is_written_where_any_of_the_files_is_there(name: str, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).symlink_to("nowhere")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError, match=name):
        write_start(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="a file; expected a folder"):
        write_start(tmp_path / "file")


@pytest.mark.parametrize("section", [Config, SiteSection, CircuitSection, NetworkSection, VisualizationSection])
def test_every_setting_is_there_with_its_description(section: type[Config]) -> None:
    text = commented.starting_text()
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
    for found in optional:
        path.write_text(text[: found.start()] + found.expand(r"\1\2") + text[found.end() :], encoding="utf-8")
        assert load(path, (check_entry,)) == before, found[2]
    path.write_text(_OPTIONAL.sub(r"\1\2", text), encoding="utf-8")
    assert load(path, (check_entry,)) == before
