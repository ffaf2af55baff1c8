from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.page.test_verify import page
from vizengine.errors import BuildFailed, VizengineError
from vizengine.page import site as writer
from vizengine.page.site import MARKER, recover

SITE = {"index.html": page("new"), "one/index.html": page("one"), "one/circuit.json": b"{}"}


def write(target: Path, files: dict[str, bytes], config: Path | None = None, replace: bool = False) -> Path:
    """As the writer's own, of a config beside the folder where none is named."""
    return writer.write(target, files.items(), config or target.parent / "config.yaml", replace)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_site_is_written_whole(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "site"
    assert write(target, SITE) == target / "index.html"
    found = contents(target)
    assert {name: content for name, content in found.items() if name != MARKER} == SITE
    assert names(tmp_path / "deep") == ["site"]


def test_equal_files_give_equal_bytes(tmp_path: Path) -> None:
    write(tmp_path / "one", SITE)
    write(tmp_path / "two", dict(reversed(SITE.items())))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    write(tmp_path / "site", SITE)
    assert (tmp_path / "site" / "index.html").is_file()


def test_a_file_and_the_root_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(VizengineError, match="which is a file"):
        write(tmp_path / "file", SITE)
    with pytest.raises(VizengineError, match="is left alone"):
        write(Path("/"), SITE)


@pytest.mark.parametrize(
    "name", ["../up.html", "/etc/passwd", "a/../../up", "a//b", "./a", "", "a\\b", "C:a", "a\0b", "..", MARKER]
)
def test_a_name_can_t_lead_out_of_the_site(tmp_path: Path, name: str) -> None:
    with pytest.raises(VizengineError, match="expected a path inside"):
        write(tmp_path / "site", {**SITE, name: b"x"})
    assert names(tmp_path) == []


def test_a_page_that_fails_verification_leaves_the_old_site_standing(tmp_path: Path) -> None:
    target = tmp_path / "site"
    write(target, SITE)
    before = contents(target)
    with pytest.raises(BuildFailed, match="nowhere"):
        write(target, {"index.html": page('<a href="nowhere">x</a>')})
    assert contents(target) == before
    assert names(tmp_path) == ["site"]


@pytest.mark.parametrize("kept", [1, 2])
def test_a_run_killed_in_the_swap_is_mended_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    target = tmp_path / "site"
    write(target, {"index.html": page("old")})
    rename = Path.rename
    done: list[Path] = []

    class Killed(BaseException):
        pass

    def killing(self: Path, to: Path) -> Path:
        if len(done) == kept:
            raise Killed
        done.append(self)
        return rename(self, to)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", killing)
        patch.setattr(writer.shutil, "rmtree", lambda *_, **__: None)
        if kept == 1:
            with pytest.raises(Killed):
                write(target, SITE)
        else:
            write(target, SITE)
    assert len(names(tmp_path)) > 1
    if kept == 1:
        assert not target.exists()
        recover(target)
        assert (target / "index.html").read_bytes() == page("old")
    write(target, SITE)
    assert (target / "index.html").read_bytes() == page("new")
    assert names(tmp_path) == ["site"]


def test_the_old_site_is_put_back_where_the_new_one_can_t_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "site"
    write(target, {"index.html": page("old")})
    rename = Path.rename

    def failing(self: Path, to: Path) -> Path:
        if "new" in self.name:
            raise OSError(28, "No space left on device")
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(VizengineError, match="No space left"):
        write(target, SITE)
    assert (target / "index.html").read_bytes() == page("old")
    assert names(tmp_path) == ["site"]


def test_what_a_dead_run_left_is_removed_and_what_a_living_one_has_is_not(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead = tmp_path / f".site.vizengine-new-{ended.pid}"
    living = tmp_path / f".site.vizengine-new-{os.getppid()}"
    dead.mkdir()
    living.mkdir()
    write(tmp_path / "site", SITE)
    assert names(tmp_path) == [living.name, "site"]


def test_a_folder_that_can_t_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(VizengineError, match="could not be written"):
        write(tmp_path / "file" / "site", SITE)
