"""Downloads of weights that break: never taken for weights, always told with what to do."""

from __future__ import annotations

import hashlib
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.campaign import Campaign, Result
from tests.campaign.runs import run

_PAGE = b"<!DOCTYPE html><title>Sign in</title><p>Sign in to the network</p>"
_BODY = bytes(range(256)) * 400
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"


def _html(length: int = len(_PAGE)) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % length + _PAGE


ANSWERS: dict[str, bytes | None] = {
    "cut off": _OK % len(_BODY) + _BODY[:5000],
    "cut off, without a length": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + _BODY[:5000],
    "other bytes": _OK % len(_BODY) + bytes(len(_BODY)),
    "a page instead": _html(),
    "not found": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    "server error": b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
    "not HTTP": b"220 mail server ready\r\n",
    "closed at once": b"",
}
"""What a server says, by what is wrong with it."""


@contextmanager
def server(answer: bytes | None) -> Iterator[str]:
    """A server on this machine that answers every request with the same bytes; with None it never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        held: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                held.append(connection)
                if answer is not None:
                    with connection:
                        connection.recv(65536)
                        connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        finally:
            for connection in held:
                connection.close()


def fetch(address: str, folder: Path) -> str:
    """What is said of a download that must fail; nothing may be left under the file's name.

    Raises:
        AssertionError: it was taken for the file.
    """
    from vizengine.networks.download import download
    from vizengine.networks.zoo import PublishedFile

    published = PublishedFile("weights.h5", address + "weights.h5", hashlib.md5(_BODY).hexdigest(), 0.1)
    try:
        download(published, folder)
    except OSError as error:
        assert not list(folder.glob("*.h5")), list(folder.iterdir())
        return str(error)
    raise AssertionError("what came was taken for the weights")


def behind_proxy(folder: Path, answer: bytes | None) -> str:
    """A real run whose only way to the weights is a proxy that answers so; what the run says."""
    (folder / "config.yaml").write_text(
        "site: {title: Proxy}\ncircuits:\n  - name: vgg\n    network: {model: vgg16}\n"
        "    unit: {layer: block1_conv1, index: 0}\n"
    )
    with server(answer) as address:
        proxy = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), address)
        away = {"no_proxy": "", "NO_PROXY": "", "KERAS_HOME": str(folder / "keras"), "VIZENGINE_WEIGHTS": str(folder)}
        started = time.monotonic()
        done = run(folder, "config.yaml", **proxy, **away)
        assert time.monotonic() - started < 120
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert "download failed" in done.stderr, done.stderr
    assert not (folder / "site").exists() and not list(folder.rglob("*.h5"))
    return done.stderr.strip().splitlines()[-1]


def campaign() -> Result:
    """Every answer, to the download itself and to a real run behind a proxy; and none."""
    broken, cases = [], 0
    for name, answer in [*ANSWERS.items(), ("never answers", None)]:
        with tempfile.TemporaryDirectory() as temporary, server(answer) as address:
            for what in ("download", "proxy"):
                cases += 1
                try:
                    fetch(address, Path(temporary)) if what == "download" else behind_proxy(Path(temporary), answer)
                except AssertionError as error:
                    broken.append(f"{name}, {what}: {str(error)[:300]}")
    told = ["each was refused with what came and where to get the file, within the time-out of 20 s; nothing was kept"]
    return Result(cases, "; ".join(told + [f"broken: {reason}" for reason in broken]), not broken)


DOWNLOADS = Campaign(
    "A download that breaks is never taken for weights, and the message says what to do.",
    "Real servers on the same machine whose answers are cut off, other bytes, a sign-in page, errors, not HTTP, or "
    "never come, asked directly and as the proxy of a real run",
    campaign,
)
