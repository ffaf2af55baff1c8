"""Disks that are full, can't be written, or aren't there: the run says so in a line, and the site stands."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.campaign import Campaign, Result, Tally
from tests.runs import built, contents, leftovers, limited, run, write_config


class NotHere(Exception):
    """This machine doesn't allow what a case needs."""


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """A small file system of its own on a folder.

    Raises:
        NotHere: mounting needs rights that this process hasn't.
    """
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NotHere(f"a file system can't be mounted: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _fails_and_the_site_stands(folder: Path, before: dict[str, str], *arguments: str, words: str) -> None:
    done = run(folder, "config.yaml", *arguments)
    assert done.returncode == 1, (done.returncode, done.stderr)
    assert "Traceback" not in done.stderr and words in done.stderr, done.stderr
    assert contents(folder / "site") == before


def full_disk(folder: Path) -> None:
    """The site's disk fills up while it is written; with room again, the next run ends well."""
    with mounted(folder / "small", "size=48m"):
        small = folder / "small"
        before = built(small)
        write_config(small, "second")
        with contextlib.suppress(OSError), (small / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(b"0" * 65536)
        _fails_and_the_site_stands(small, before, words="could not be written")
        (small / "filler").unlink()
        done = run(small, "config.yaml")
        assert done.returncode == 0 and contents(small / "site") != before, done.stderr
        assert not leftovers(small)


def full_disk_from_the_start(folder: Path) -> None:
    """There is no room even for what is kept: that is told, and the error is about the disk."""
    with mounted(folder / "tiny", "size=64k"):
        write_config(folder / "tiny", "first")
        done = run(folder / "tiny", "config.yaml")
        assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
        assert "can't be kept" in done.stderr and "No space left" in done.stderr, done.stderr
        assert not (folder / "tiny" / "site").exists()


def files_that_may_not_grow(folder: Path) -> None:
    """A quota: no file may be longer than 20 kB."""
    before = built(folder)
    write_config(folder, "second")
    done = limited("-f 40", folder, "config.yaml")
    assert done.returncode == 1 and "could not be written" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr and contents(folder / "site") == before
    assert run(folder, "config.yaml").returncode == 0


def disk_for_reading_alone(folder: Path) -> None:
    """The output folder lies on a file system that is mounted for reading alone."""
    before = built(folder)
    with mounted(folder / "locked", "size=1m,ro"):
        _fails_and_the_site_stands(folder, before, "--out", "locked/site", words="could not be written")


def folder_without_rights(folder: Path) -> None:
    """The output folder's parent may not be written by this user."""
    if os.geteuid() == 0:
        raise NotHere("this process is root, whom rights don't bind")
    before = built(folder)
    locked = folder / "locked"
    locked.mkdir(mode=0o500)
    _fails_and_the_site_stands(folder, before, "--out", "locked/site", words="could not be written")


def missing_folders(folder: Path) -> None:
    """Folders that don't exist are made."""
    built(folder)
    done = run(folder, "config.yaml", "--out", "a/b/c")
    assert done.returncode == 0 and (folder / "a/b/c/index.html").is_file(), done.stderr


def file_in_the_way(folder: Path) -> None:
    """A file stands where the folder is to be."""
    before = built(folder)
    (folder / "taken").write_text("mine")
    done = run(folder, "config.yaml", "--out", "taken")
    assert done.returncode == 2 and done.stderr == "error: --out taken: a file; expected a folder\n"
    _fails_and_the_site_stands(folder, before, "--out", "taken/site", words="could not be written")
    assert (folder / "taken").read_text() == "mine"


CASES: tuple[Callable[[Path], None], ...] = (
    full_disk,
    full_disk_from_the_start,
    files_that_may_not_grow,
    disk_for_reading_alone,
    folder_without_rights,
    missing_folders,
    file_in_the_way,
)


def campaign() -> Result:
    """Every case, each in a folder of its own."""
    tally, absent = Tally(), []
    for case in CASES:
        with tally.case_in_folder(case.__name__) as folder:
            try:
                case(folder)
            except NotHere as reason:
                tally.cases -= 1
                absent.append(f"{case.__name__}: {reason}")
    more = [f"not run: {'; '.join(absent)}"] if absent else []
    return tally.result("each ended with an error of a line or two, and the site stood", *more)


DISKS = Campaign(
    "A disk that is full, can't be written or isn't there costs nothing but the run.",
    "Real runs on small file systems that fill up or are mounted for reading alone, under a quota, with folders that "
    "are missing or taken",
    campaign,
)
