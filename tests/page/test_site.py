"""A site's folder is written whole or not at all, and nobody's files are replaced by a build that didn't make them."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from tests.page.test_verify import page
from vizengine.errors import BuildFailed, VizengineError
from vizengine.page import site
from vizengine.page.site import MARKER, Marker, recover

SITE = {"index.html": page("new"), "one/index.html": page("one"), "one/circuit.json": b"{}"}
OLD = {"index.html": page("old")}


def write(
    target: Path,
    files: Mapping[str, bytes] | Iterable[tuple[str, bytes]] = SITE,
    config: Path | None = None,
    replace: bool = False,
) -> Path:
    """As the builder does, for a config beside the folder where none is named."""
    pairs = files.items() if isinstance(files, Mapping) else files
    return site.write(target, pairs, config or target.parent / "config.yaml", replace)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "site"


def test_a_site_is_written_whole_and_the_same_in_any_order(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "site"
    assert write(target) == target / "index.html"
    assert {name: content for name, content in contents(target).items() if name != MARKER} == SITE
    assert names(tmp_path / "deep") == ["site"]
    (tmp_path / "deep" / "empty").mkdir()
    write(tmp_path / "deep" / "empty", dict(reversed(SITE.items())))
    assert contents(tmp_path / "deep" / "empty") == contents(target)


def test_files_the_root_and_folders_without_a_marker_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").write_text("years of work")
    before = contents(tmp_path)
    for target, words in (
        (tmp_path / "file", "which is a file"),
        (tmp_path / "file" / "site", "could not be written"),
        (tmp_path / "home", "is left alone"),
        (Path("/"), "is left alone"),
    ):
        with pytest.raises(VizengineError, match=words):
            write(target)
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    "name", ["../up.html", "/etc/passwd", "a/../../up", "a//b", "./a", "", "a\\b", "C:a", "a\0b", "..", MARKER]
)
def test_a_name_can_t_lead_out_of_the_site(tmp_path: Path, name: str) -> None:
    with pytest.raises(VizengineError, match="expected a path inside"):
        write(tmp_path / "site", {**SITE, name: b"x"})
    assert names(tmp_path) == []


def test_a_page_that_fails_verification_leaves_the_old_site_standing(target: Path) -> None:
    write(target)
    before = contents(target)
    with pytest.raises(BuildFailed, match="nowhere"):
        write(target, {"index.html": page('<a href="nowhere">x</a>')})
    assert contents(target) == before and names(target.parent) == ["site"]


class Killed(BaseException):
    """A process that ends here."""


@pytest.mark.parametrize("renames", [1, 2])
def test_a_run_killed_in_the_swap_is_mended_by_the_next(
    target: Path, monkeypatch: pytest.MonkeyPatch, renames: int
) -> None:
    write(target, OLD)
    rename, renamed = Path.rename, list[Path]()

    def killing(self: Path, to: Path) -> Path:
        if len(renamed) == renames:
            raise Killed
        renamed.append(self)
        return rename(self, to)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", killing)
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        if renames == 1:
            with pytest.raises(Killed):
                write(target)
        else:
            write(target)
    assert len(names(target.parent)) > 1
    if renames == 1:
        assert not target.exists()
        recover(target)
        assert (target / "index.html").read_bytes() == OLD["index.html"]
    write(target)
    assert (target / "index.html").read_bytes() == SITE["index.html"]
    assert names(target.parent) == ["site"]


def test_the_old_site_is_put_back_where_the_new_one_can_t_take_its_place(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(target, OLD)
    rename = Path.rename

    def failing(self: Path, to: Path) -> Path:
        if "new" in self.name:
            raise OSError(28, "No space left on device")
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(VizengineError, match="No space left"):
        write(target)
    assert (target / "index.html").read_bytes() == OLD["index.html"]
    assert names(target.parent) == ["site"]


def test_what_a_dead_run_left_is_removed_and_what_a_living_one_has_is_not(target: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead, living = (target.with_name(f".site.vizengine-new-{process}") for process in (ended.pid, os.getppid()))
    dead.mkdir()
    living.mkdir()
    write(target)
    assert names(target.parent) == [living.name, "site"]


def test_an_earlier_site_is_replaced_and_the_log_says_so(target: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        write(target, {**SITE, "old/index.html": page("old")})
        assert caplog.messages == []
        write(target)
    assert contents(target).keys() == {*SITE, MARKER} and names(target.parent) == ["site"]
    made = f"the 4 files that {target.parent}/config.yaml made before; no longer there: old/index.html"
    assert caplog.messages == [f"replaced in {target}: {made}"]


def test_what_another_config_made_is_replaced_only_when_told_to(target: Path) -> None:
    write(target)
    before, folder = contents(target), target.parent
    for other in (folder / "my-circuit.yaml", folder / "folder" / "config.yaml"):
        with pytest.raises(VizengineError, match=f"holds what {folder}/config.yaml made, .*`--replace`"):
            write(target, OLD, other)
        assert contents(target) == before
    write(target, OLD, folder / "my-circuit.yaml", replace=True)
    assert (target / "index.html").read_bytes() == OLD["index.html"]
    with pytest.raises(VizengineError, match="my-circuit.yaml made"):
        write(target)


def test_a_site_is_its_config_s_after_both_were_moved(tmp_path: Path) -> None:
    write(tmp_path / "here" / "site")
    (tmp_path / "here").rename(tmp_path / "there")
    write(tmp_path / "there" / "site")


def test_a_site_elsewhere_doesn_t_publish_where_its_config_lies(tmp_path: Path) -> None:
    target, home = tmp_path / "public" / "site", tmp_path / "home"
    for _ in range(2):
        write(target, SITE, home / "anna" / "config.yaml")
    assert "anna" not in (target / MARKER).read_text()
    with pytest.raises(VizengineError, match="a config elsewhere made"):
        write(target, SITE, home / "ben" / "config.yaml")


def test_what_no_build_wrote_is_named_and_left(target: Path) -> None:
    write(target)
    (target / "CNAME").write_text("example.org")
    (target / "files").mkdir()
    (target / "files" / "paper.pdf").write_bytes(b"%PDF")
    (target / "one" / "passwords").symlink_to("/etc/passwd")
    before = contents(target)
    for replace in (False, True):
        with pytest.raises(VizengineError, match="CNAME, files/paper.pdf, one/passwords.*move them elsewhere"):
            write(target, replace=replace)
        assert contents(target) == before and (target / "one" / "passwords").is_symlink()
    assert names(target.parent) == ["site"]


def test_a_file_that_came_while_the_site_was_computed_is_left(target: Path) -> None:
    write(target)
    with pytest.raises(VizengineError, match="CNAME"):
        write(target, ((target / "CNAME").write_text("mine") and (name, content) for name, content in SITE.items()))
    assert (target / "CNAME").is_file() and names(target.parent) == ["site"]


def test_what_systems_drop_into_folders_is_in_nobody_s_way(target: Path) -> None:
    write(target)
    for name in (".DS_Store", "Thumbs.db", "one/desktop.ini"):
        (target / name).touch()
    write(target)
    assert contents(target).keys() == {*SITE, MARKER}


@pytest.mark.parametrize("marker", ["", "[]", "{}", '{"config": 3, "files": []}', '{"config": "a", "files": [3]}'])
def test_a_marker_that_says_nothing_is_none(target: Path, marker: str) -> None:
    write(target)
    (target / MARKER).write_text(marker)
    with pytest.raises(VizengineError, match="is left alone"):
        write(target, replace=True)
    (target / MARKER).unlink()
    (target.parent / "marker").write_text(Marker("../config.yaml", frozenset(SITE)).text())
    (target / MARKER).symlink_to(target.parent / "marker")
    with pytest.raises(VizengineError, match="is left alone"):
        write(target)


@pytest.mark.parametrize("link", ["site", "links"])
def test_nothing_is_written_through_a_link(tmp_path: Path, link: str) -> None:
    (tmp_path / "victim").mkdir()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / link).symlink_to(tmp_path / "victim")
    target = tmp_path / "mine" / ("site" if link == "site" else "links/site")
    with pytest.raises(VizengineError, match="nothing is written through links"):
        write(target, SITE, tmp_path / "mine" / "config.yaml", replace=True)
    assert names(tmp_path / "victim") == [] and names(tmp_path / "mine") == [link]


def test_links_on_the_way_to_the_config_are_the_user_s_own(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "home").symlink_to(tmp_path / "disk")
    for place in ("home", "disk"):
        write(tmp_path / place / "site")


@pytest.mark.parametrize(
    "name", [".site.vizengine-previous", f".site.vizengine-new-{os.getpid()}"], ids=["previous", "new"]
)
def test_planted_links_beside_the_site_are_removed_and_not_followed(tmp_path: Path, name: str) -> None:
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "file").touch()
    for stands in (False, True):
        (tmp_path / name).symlink_to(tmp_path / "victim")
        write(tmp_path / "site")
        assert names(tmp_path) == ["site", "victim"] and names(tmp_path / "victim") == ["file"], stands
