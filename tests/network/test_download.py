"""Downloads of weights: size and time said before, going on after a break, in place only when whole and right.

A download that breaks is never taken for weights, and the message says what to do.
"""

from __future__ import annotations

import hashlib
import io
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.network.weights_server import WeightsServer, serving
from tests.runs import run
from vizengine.network import download as download_module
from vizengine.network.catalogue import PublishedFile
from vizengine.network.download import download

BODY = b"".join(hashlib.sha256(str(index).encode()).digest() for index in range(40_000))
DIGEST = hashlib.md5(BODY).hexdigest()
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
_PAGE = b"<!DOCTYPE html><title>Sign in</title><p>Sign in to the network</p>"
ANSWERS = {
    "cut off": _OK % len(BODY) + BODY[:5000],
    "cut off, without a length": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + BODY[:5000],
    "other bytes": _OK % len(BODY) + bytes(len(BODY)),
    "a page": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(_PAGE) + _PAGE,
    "not found": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    "server error": b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
    "not HTTP": b"220 mail server ready\r\n",
    "closed at once": b"",
}


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


@contextmanager
def _answering(answer: bytes, then: bytes = b"", silent: bool = False) -> Iterator[str]:
    """The address of a server on this machine that answers every request with the same bytes.

    Args:
        answer: the bytes.
        then: what it sends after them, ten times a second, without end; empty to hang up.
        silent: whether it takes connections, and says nothing.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connections: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connections.append(connection)
                if silent:
                    continue
                with connection, suppress(OSError):
                    connection.recv(65536)
                    connection.sendall(answer)
                    while then:
                        connection.sendall(then)
                        time.sleep(0.1)

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            for connection in connections:
                connection.close()


def _refused(address: str, folder: Path) -> str:
    """What is said of a download that must fail and leave nothing under the file's name."""
    with pytest.raises(OSError) as caught:
        download(PublishedFile("weights.h5", address + "weights.h5", DIGEST, 0.1), folder)
    assert not list(folder.glob("*.h5"))
    return str(caught.value)


@pytest.mark.parametrize("answer", ANSWERS)
def test_what_came_is_not_the_weights(answer: str, tmp_path: Path) -> None:
    with _answering(ANSWERS[answer]) as address:
        assert _refused(address, tmp_path)


def test_a_server_that_trickles_or_says_nothing_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download_module, "PATIENCE_SECONDS", 2)
    monkeypatch.setattr(download_module, "_CHUNK_BYTES", 4)
    monkeypatch.setattr(download_module, "TIMEOUT_SECONDS", 1)
    with _answering(_OK % len(BODY), then=b"0") as address:
        assert "bytes came in" in _refused(address, tmp_path)
    with _answering(b"", silent=True) as address:
        assert "nothing came for 1 s" in _refused(address, tmp_path)
    # By now nobody listens there.
    assert "Connection" in _refused(address, tmp_path)


def _run_behind_a_proxy(folder: Path, answer: str, model: str, layer: str) -> str:
    """What a real run says whose only way to the weights is a proxy that answers so."""
    (folder / "config.yaml").write_text(
        f"site: {{title: Proxy}}\ncircuits:\n  - name: one\n    network: {{model: {model}, weights: imagenet}}\n"
        f"    unit: {{layer: {layer}, index: 0}}\n"
    )
    (folder / "keras").mkdir(exist_ok=True)
    away = {"no_proxy": "", "NO_PROXY": "", "KERAS_HOME": str(folder / "keras"), "VIZENGINE_WEIGHTS": str(folder)}
    with _answering(ANSWERS[answer]) as address:
        proxy = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), address)
        done = run(folder, "config.yaml", code=1, **proxy, **away)
    assert "Traceback" not in done.stderr, done.stderr
    assert not (folder / "site").exists() and not list(folder.rglob("*.h5"))
    return done.stderr


@pytest.mark.parametrize("answer", ["a page", "cut off"])
def test_a_run_without_weights_says_where_to_put_them(answer: str, tmp_path: Path) -> None:
    said = _run_behind_a_proxy(tmp_path, answer, "vgg16", "block1_conv1")
    assert "download failed" in said and "VIZENGINE_WEIGHTS" in said.splitlines()[-1]


def test_what_keras_left_of_a_download_is_removed(tmp_path: Path) -> None:
    """Half a file or a page in its place, which Keras would take for the weights."""
    whole = io.BytesIO()
    with h5py.File(whole, "w") as file:
        file["kernel"] = np.zeros((64, 64))
    broken = tmp_path / "keras" / "models" / "mobilenet_1_0_224_tf.h5"
    broken.parent.mkdir(parents=True)
    for content in (whole.getvalue()[:20_000], _PAGE):
        broken.write_bytes(content)
        said = _run_behind_a_proxy(tmp_path, "not HTTP", "mobilenet", "conv1")
        assert "can't be had" in said and f"A broken download, {broken.name}, was removed" in said
