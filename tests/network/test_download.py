"""Downloads of weights: size and time said before, going on after a break, in place only when whole and right."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.network.weights_server import WeightsServer, serving
from vizengine.network.catalogue import PublishedFile
from vizengine.network.download import download

BODY = b"".join(hashlib.sha256(str(index).encode()).digest() for index in range(40_000))
DIGEST = hashlib.md5(BODY).hexdigest()


@pytest.fixture(params=[True, False], ids=["gives parts", "gives all or nothing"])
def server(request: pytest.FixtureRequest) -> Iterator[WeightsServer]:
    with serving(BODY, request.param) as running:
        yield running


def _file(server: WeightsServer, digest: str = DIGEST) -> PublishedFile:
    return PublishedFile("weights.h5", server.address + "weights.h5", digest)


def _break_off(server: WeightsServer, folder: Path, after: int = 500_000) -> int:
    """Bytes that a download left that broke off."""
    server.break_after = after
    with pytest.raises(OSError, match=r"0\.5 MB that came are kept, and the next run goes on from there"):
        download(_file(server), folder)
    server.break_after = None
    assert not (folder / "weights.h5").exists()
    return (folder / "weights.h5.part").stat().st_size


def test_one_that_broke_off_goes_on_where_it_stopped(
    server: WeightsServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept = _break_off(server, tmp_path)
    caplog.set_level(logging.INFO, "vizengine")
    path = download(_file(server), tmp_path)
    assert kept > 490_000 and server.asked == ["", f"bytes={kept}-"]
    assert path.read_bytes() == BODY and list(tmp_path.iterdir()) == [path]
    left = "0.8 MB of 1.3 MB are left" if server.ranges else "1.3 MB"
    assert f": {left}, about 0." in caplog.text


@pytest.mark.parametrize("kept", [b"another file" * 1000, BODY, BODY + b"more"], ids=["other", "whole", "too long"])
def test_whatever_was_kept_the_file_is_right(kept: bytes, server: WeightsServer, tmp_path: Path) -> None:
    (tmp_path / "weights.h5.part").write_bytes(kept)
    assert download(_file(server), tmp_path).read_bytes() == BODY
    assert [path.name for path in tmp_path.iterdir()] == ["weights.h5"]
    assert len(server.asked) <= 2


def test_a_page_to_sign_in_costs_nothing_of_what_was_kept(server: WeightsServer, tmp_path: Path) -> None:
    kept = _break_off(server, tmp_path)
    server.page = True
    with pytest.raises(OSError, match=r"isn't the file.*are kept"):
        download(_file(server), tmp_path)
    assert (tmp_path / "weights.h5.part").stat().st_size == kept


def test_halves_whose_whole_nothing_can_check_are_not_joined(server: WeightsServer, tmp_path: Path) -> None:
    server.break_after = 500_000
    with pytest.raises(OSError) as caught:
        download(_file(server, digest=""), tmp_path)
    assert "kept" not in str(caught.value) and not list(tmp_path.glob("*.part"))
    server.break_after = None
    assert download(_file(server, digest=""), tmp_path).read_bytes() == BODY and server.asked == ["", ""]


def test_runs_that_need_the_same_file_download_it_once(server: WeightsServer, tmp_path: Path) -> None:
    server.pause = 0.5
    threads = [threading.Thread(target=download, args=(_file(server), tmp_path)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "weights.h5").read_bytes() == BODY and server.asked == [""]
