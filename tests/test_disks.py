"""Disks that are full, can't be written, or aren't there: the run says so in a line, and the site stands."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.runs import built, contents, leftovers, limited, run, write_config


@contextmanager
def _mounted(folder: Path, options: str) -> Iterator[Path]:
    """A small file system of its own on a new folder; the test is skipped where this process may not mount one."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"a file system can't be mounted: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _fails_and_the_site_stands(done: subprocess.CompletedProcess[str], folder: Path, before: dict[str, str]) -> None:
    assert done.returncode == 1, (done.returncode, done.stderr)
    assert "Traceback" not in done.stderr and "could not be written" in done.stderr, done.stderr
    assert contents(folder / "site") == before


def test_a_disk_that_fills_up_while_the_site_is_written(tmp_path: Path) -> None:
    with _mounted(tmp_path / "small", "size=48m") as small:
        before = built(small)
        write_config(small, "second")
        with suppress(OSError), (small / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(b"0" * 65536)
        _fails_and_the_site_stands(run(small, "config.yaml"), small, before)
        (small / "filler").unlink()
        run(small, "config.yaml", code=0)
        assert contents(small / "site") != before and not leftovers(small)


def test_a_disk_without_room_for_what_is_to_be_kept(tmp_path: Path) -> None:
    with _mounted(tmp_path / "tiny", "size=64k") as tiny:
        write_config(tiny, "first")
        done = run(tiny, "config.yaml", code=1)
        assert "Traceback" not in done.stderr and not (tiny / "site").exists()
        assert "can't be kept" in done.stderr and "No space left" in done.stderr, done.stderr


def test_a_quota_under_which_no_file_may_grow(tmp_path: Path) -> None:
    before = built(tmp_path)
    write_config(tmp_path, "second")
    _fails_and_the_site_stands(limited("-f 40", tmp_path, "config.yaml"), tmp_path, before)
    run(tmp_path, "config.yaml", code=0)


def test_a_disk_for_reading_alone(tmp_path: Path) -> None:
    before = built(tmp_path)
    with _mounted(tmp_path / "locked", "size=1m,ro"):
        _fails_and_the_site_stands(run(tmp_path, "config.yaml", "--out", "locked/site"), tmp_path, before)


@pytest.mark.skipif(os.geteuid() == 0, reason="rights don't bind root")
def test_a_folder_that_this_user_may_not_write(tmp_path: Path) -> None:
    before = built(tmp_path)
    (tmp_path / "locked").mkdir(mode=0o500)
    _fails_and_the_site_stands(run(tmp_path, "config.yaml", "--out", "locked/site"), tmp_path, before)


def test_folders_that_are_not_there_are_made(tmp_path: Path) -> None:
    built(tmp_path)
    run(tmp_path, "config.yaml", "--out", "a/b/c", code=0)
    assert (tmp_path / "a/b/c/index.html").is_file()


def test_a_file_in_the_place_of_a_folder(tmp_path: Path) -> None:
    before = built(tmp_path)
    (tmp_path / "taken").write_text("mine")
    done = run(tmp_path, "config.yaml", "--out", "taken", code=2)
    assert done.stderr == "error: --out taken: a file; expected a folder\n"
    _fails_and_the_site_stands(run(tmp_path, "config.yaml", "--out", "taken/site"), tmp_path, before)
    assert (tmp_path / "taken").read_text() == "mine"
