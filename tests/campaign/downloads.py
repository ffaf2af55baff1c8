"""Downloads of weights that break: never taken for weights, always told with what to do."""

from __future__ import annotations

import hashlib
import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import h5py
import numpy as np

from tests.campaign import Campaign, Result, Tally
from tests.runs import run

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


@contextmanager
def trickling() -> Iterator[str]:
    """A server on this machine that sends one byte after the other, ten a second, and never ends."""
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor() as threads:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, suppress(OSError):
                connection.recv(65536)
                connection.sendall(_OK % len(_BODY))
                while True:
                    connection.sendall(b"0")
                    time.sleep(0.1)

        _ = threads.submit(serve)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"


def fetch(address: str, folder: Path) -> str:
    """What is said of a download that must fail; nothing may be left under the file's name.

    Raises:
        AssertionError: it was taken for the file.
    """
    from vizengine.network.catalogue import PublishedFile
    from vizengine.network.download import download

    published = PublishedFile("weights.h5", address + "weights.h5", hashlib.md5(_BODY).hexdigest(), 0.1)
    try:
        download(published, folder)
    except OSError as error:
        assert not list(folder.glob("*.h5")), list(folder.iterdir())
        return str(error)
    raise AssertionError("what came was taken for the weights")


# Whose weights are fetched: of a network that is read without Keras, and of one that Keras opens.
NETWORKS = {"vgg16": ("block1_conv1", "download failed"), "mobilenet": ("conv1", "can't be had")}


def _fetch_from(answer: bytes | None, folder: Path) -> str:
    with server(answer) as address:
        return fetch(address, folder)


def _fetch_slowly(folder: Path) -> None:
    with trickling() as address:
        assert "bytes came in" in fetch(address, folder)


def behind_proxy(folder: Path, answer: bytes | None, model: str = "vgg16") -> str:
    """A real run whose only way to the weights is a proxy that answers so; what the run says.

    Raises:
        AssertionError: it ended in another way, or too late, or left a file or a site.
    """
    layer, words = NETWORKS[model]
    (folder / "config.yaml").write_text(
        f"site: {{title: Proxy}}\ncircuits:\n  - name: one\n    network: {{model: {model}, weights: imagenet}}\n"
        f"    unit: {{layer: {layer}, index: 0}}\n"
    )
    (folder / "keras").mkdir(exist_ok=True)
    with server(answer) as address:
        proxy = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), address)
        away = {"no_proxy": "", "NO_PROXY": "", "KERAS_HOME": str(folder / "keras"), "VIZENGINE_WEIGHTS": str(folder)}
        started = time.monotonic()
        done = run(folder, "config.yaml", **proxy, **away)
        assert time.monotonic() - started < 120
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert words in done.stderr, done.stderr
    assert not (folder / "site").exists() and not list(folder.rglob("*.h5"))
    return done.stderr.strip().splitlines()[-1]


def broken_before(folder: Path, content: bytes) -> None:
    """A download of Keras that was killed, or a page in a file's place, lies in its cache: removed, and told.

    Raises:
        AssertionError: it was taken for weights, or stands in the way of the next run.
    """
    (folder / "keras" / "models").mkdir(parents=True)
    left = folder / "keras" / "models" / "mobilenet_1_0_224_tf.h5"
    left.write_bytes(content)
    assert f"A broken download, {left.name}, was removed" in behind_proxy(folder, b"", "mobilenet")
    assert "A broken download" not in behind_proxy(folder, b"", "mobilenet")


def half_a_file() -> bytes:
    """The beginning of an HDF5 file, as a download that was cut off leaves it."""
    whole = io.BytesIO()
    with h5py.File(whole, "w") as file:
        file["kernel"] = np.zeros((64, 64))
    return whole.getvalue()[:20_000]


def campaign() -> Result:
    """Every answer, to the download itself and to real runs behind a proxy; and none; and what Keras may have left."""
    tries: list[tuple[str, Callable[[Path], object]]] = [
        ("half a file in Keras' cache", lambda folder: broken_before(folder, half_a_file())),
        ("a page in Keras' cache", lambda folder: broken_before(folder, _PAGE)),
    ]
    for name, answer in [*ANSWERS.items(), ("never answers", None)]:
        tries.append((f"{name}, download", partial(_fetch_from, answer)))
        tries += [(f"{name}, {model}", partial(behind_proxy, answer=answer, model=model)) for model in NETWORKS]
    tries.append(("trickles, download", _fetch_slowly))
    tally = Tally()
    for name, attempt in tries:
        with tally.case_in_folder(name) as folder:
            attempt(folder)
    return tally.result(
        "each was refused with what came and where to get the file, within the time-out of 20 s; nothing was kept"
    )


DOWNLOADS = Campaign(
    "A download that breaks is never taken for weights, and the message says what to do.",
    "Real servers on the same machine whose answers are cut off, other bytes, a sign-in page, errors, not HTTP, or "
    "never come, asked directly and as the proxy of real runs that need weights of VGG16 or of MobileNet",
    campaign,
)
