"""Whose a folder is: nobody's site and nobody's files are replaced by a build that didn't make them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.page.test_verify import page
from tests.page.test_writer import SITE, contents, names, write
from vizengine.errors import VizengineError
from vizengine.page import site as writer
from vizengine.page.site import MARKER, Marker


def test_an_earlier_site_is_replaced_and_the_log_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    target = tmp_path / "site"
    with caplog.at_level(logging.INFO):
        write(target, {**SITE, "old/index.html": page("old")})
        assert caplog.messages == []
        write(target, SITE)
    assert contents(target).keys() == {*SITE, MARKER}
    assert caplog.messages == [
        f"replaced in {target}: the 4 files that {tmp_path}/config.yaml made before; no longer there: old/index.html"
    ]
    assert names(tmp_path) == ["site"]


def test_what_another_config_made_is_replaced_only_when_told_to(tmp_path: Path) -> None:
    target, others = tmp_path / "site", {"index.html": page("other")}
    write(target, SITE)
    before = contents(target)
    for other in (tmp_path / "my-circuit.yaml", tmp_path / "folder" / "config.yaml"):
        with pytest.raises(VizengineError, match=f"holds what {tmp_path}/config.yaml made, .*`--replace`"):
            write(target, others, other)
        assert contents(target) == before
    write(target, others, tmp_path / "my-circuit.yaml", replace=True)
    assert (target / "index.html").read_bytes() == others["index.html"]
    with pytest.raises(VizengineError, match="my-circuit.yaml made"):
        write(target, SITE)


def test_a_site_is_its_config_s_after_both_were_moved(tmp_path: Path) -> None:
    write(tmp_path / "here" / "site", SITE)
    (tmp_path / "here").rename(tmp_path / "there")
    write(tmp_path / "there" / "site", SITE)


def test_a_site_elsewhere_doesn_t_publish_where_its_config_lies(tmp_path: Path) -> None:
    target, config = tmp_path / "public" / "site", tmp_path / "home" / "anna" / "config.yaml"
    for _ in range(2):
        write(target, SITE, config)
    assert "anna" not in (target / MARKER).read_text()
    with pytest.raises(VizengineError, match="a config elsewhere made"):
        write(target, SITE, tmp_path / "home" / "ben" / "config.yaml")


def test_what_no_build_wrote_is_named_and_left(tmp_path: Path) -> None:
    target = tmp_path / "site"
    write(target, SITE)
    (target / "CNAME").write_text("example.org")
    (target / "files").mkdir()
    (target / "files" / "paper.pdf").write_bytes(b"%PDF")
    (target / "one" / "passwords").symlink_to("/etc/passwd")
    before = contents(target)
    for replace in (False, True):
        with pytest.raises(VizengineError, match="CNAME, files/paper.pdf, one/passwords.*move them elsewhere"):
            write(target, SITE, replace=replace)
        assert contents(target) == before and (target / "one" / "passwords").is_symlink()
    assert names(tmp_path) == ["site"]


def test_a_file_that_came_while_the_site_was_computed_is_left(tmp_path: Path) -> None:
    target = tmp_path / "site"
    write(target, SITE)

    def files() -> Iterator[tuple[str, bytes]]:
        yield from SITE.items()
        (target / "CNAME").write_text("example.org")

    with pytest.raises(VizengineError, match="CNAME"):
        writer.write(target, files(), tmp_path / "config.yaml")
    assert (target / "CNAME").is_file() and names(tmp_path) == ["site"]


def test_what_systems_drop_into_folders_is_in_nobody_s_way(tmp_path: Path) -> None:
    target = tmp_path / "site"
    write(target, SITE)
    for name in (".DS_Store", "Thumbs.db", "one/desktop.ini"):
        (target / name).touch()
    write(target, SITE)
    assert contents(target).keys() == {*SITE, MARKER}


@pytest.mark.parametrize("marker", ["", "[]", "{}", '{"config": 3, "files": []}', '{"config": "a", "files": [3]}'])
def test_a_marker_that_says_nothing_is_none(tmp_path: Path, marker: str) -> None:
    target = tmp_path / "site"
    write(target, SITE)
    (target / MARKER).write_text(marker)
    with pytest.raises(VizengineError, match="is left alone"):
        write(target, SITE, replace=True)
    (target / MARKER).unlink()
    (tmp_path / "marker").write_text(Marker("../config.yaml", frozenset(SITE)).text())
    (target / MARKER).symlink_to(tmp_path / "marker")
    with pytest.raises(VizengineError, match="is left alone"):
        write(target, SITE)


def test_a_folder_that_is_no_site_of_ours_is_left_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.tex").write_text("years of work")
    with pytest.raises(VizengineError, match="is left alone"):
        write(home, SITE)
    assert contents(home) == {"thesis.tex": b"years of work"}
    assert names(tmp_path) == ["home"]


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
    for config in (tmp_path / "home" / "config.yaml", tmp_path / "disk" / "config.yaml"):
        write(config.parent / "site", SITE, config)


@pytest.mark.parametrize("name", [".site.vizengine-previous", ".site.vizengine-new-PID"])
def test_planted_links_beside_the_site_are_removed_and_not_followed(tmp_path: Path, name: str) -> None:
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "file").touch()
    name = name.replace("PID", str(os.getpid()))
    for stands in (False, True):
        (tmp_path / name).symlink_to(tmp_path / "victim")
        write(tmp_path / "site", SITE)
        assert names(tmp_path) == ["site", "victim"] and names(tmp_path / "victim") == ["file"], stands
