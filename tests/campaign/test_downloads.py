"""Downloads that break: every answer of the campaign but the one that never comes, and one run behind a proxy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign.downloads import ANSWERS, behind_proxy, broken_before, fetch, half_a_file, server, trickling
from vizengine.network import download
from vizengine.network import download as download_watch


@pytest.mark.parametrize("name", ANSWERS)
def test_what_came_is_not_the_weights(name: str, tmp_path: Path) -> None:
    with server(ANSWERS[name]) as address:
        assert fetch(address, tmp_path)


def test_one_that_trickles_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download_watch, "PATIENCE_SECONDS", 2)
    monkeypatch.setattr(download, "_CHUNK_BYTES", 4)
    with trickling() as address:
        assert "bytes came in" in fetch(address, tmp_path)


def test_a_server_that_says_nothing_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "TIMEOUT_SECONDS", 1)
    with server(None) as address:
        assert "nothing came for 1 s" in fetch(address, tmp_path)


def test_nobody_there(tmp_path: Path) -> None:
    with server(b"") as address:
        pass
    assert "Connection" in fetch(address, tmp_path)


def test_a_run_behind_a_proxy_that_answers_with_a_page(tmp_path: Path) -> None:
    assert "VIZENGINE_WEIGHTS" in behind_proxy(tmp_path, ANSWERS["a page instead"])


def test_what_a_killed_download_of_keras_left_is_removed(tmp_path: Path) -> None:
    broken_before(tmp_path, half_a_file())


def test_a_run_with_keras_download_behind_something_that_is_no_proxy(tmp_path: Path) -> None:
    assert "mail server" in behind_proxy(tmp_path, ANSWERS["not HTTP"], "mobilenet")
