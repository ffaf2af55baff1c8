"""What a stranger may ask of `--serve`: raw requests to the real server, and connections to addresses not its own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from vizengine.serve import HOST, SiteServer

SECRET = b"not for you"
PAGE = b"<!doctype html><title>Site</title>"
# Paths that lead to the secret beside the site, or to what isn't a page of it.
_UP = ("..", "%2e%2e", "%2E.", ".%2e", "..%00", "..;", "%252e%252e", "..\\", "%c0%ae%c0%ae", "....", ".")
_SLASHES = ("/", "%2f", "//", "\\", "%5c", "/./")
_LINKS = ("link", "links/secret", "links/", "up/secret", "up/", "loop", "absolute", "chain", "loop/x", "deep/up/secret")
OUTSIDE: tuple[str, ...] = (
    *(f"/{up}{slash}secret" for up in _UP for slash in _SLASHES),
    *(f"/deep{slash}{up}{slash}{up}{slash}secret" for up in _UP for slash in _SLASHES),
    *(f"/{path}" for path in _LINKS),
    *("/" + path.replace("/", "%2f") for path in _LINKS),
    "SECRET", "/SECRET", "//SECRET", "/%2fSECRET", "file://SECRET", "/~/secret", "/deep/", "/deep",
    "http://other.example/secret", "*", "secret", "", "/\x00", "/%00", "/secret%00.html", "/" + "a/" * 2000,
    "/" + "%2e%2e/" * 1000 + "secret", "/" + "a" * 60_000, "/index.html/", "/index.html/../../secret",
)  # fmt: skip
HOSTS = ("evil.example", "127.0.0.1.evil.example", "evil.example:80", "localhost.evil.example:1", "[::1]", "0.0.0.0")
METHODS = ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "get", "\x00")


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """That of the real server of a site with links out of it and a secret beside it."""
    (tmp_path / "secret").write_bytes(SECRET)
    site = tmp_path / "site"
    (site / "deep").mkdir(parents=True)
    (site / "index.html").write_bytes(PAGE)
    (site / "deep" / "page.html").write_bytes(PAGE)
    for name, target in {
        "inside.html": "index.html",
        "link": "../secret",
        "absolute": str(tmp_path / "secret"),
        "chain": "link",
        "loop": "loop",
        "links": str(tmp_path),
        "up": "..",
        "deep/up": "../..",
    }.items():
        (site / name).symlink_to(target)
    server = SiteServer(0)
    thread = threading.Thread(target=server.serve, args=(site,), daemon=True)
    thread.start()
    yield server._server.server_port
    # Its own process ends it with Ctrl-C; here another thread must.
    server._server.shutdown()
    thread.join()
    server.close()


def _ask(port: int, path: str, host: str = "localhost", method: str = "GET") -> bytes:
    """The whole answer to a request that nothing puts right on its way; nothing where the server hangs up."""
    with socket.create_connection((HOST, port), timeout=30) as connection:
        try:
            connection.sendall(f"{method} {path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode("latin-1", "replace"))
            connection.shutdown(socket.SHUT_WR)
            blocks = []
            while block := connection.recv(65536):
                blocks.append(block)
        except ConnectionError:
            return b""
    return b"".join(blocks)


def test_nothing_from_outside_the_site_is_served(port: int, tmp_path: Path) -> None:
    requests = [(path.replace("SECRET", str(tmp_path / "secret")), "localhost", "GET") for path in OUTSIDE]
    requests += [("/index.html", host, "GET") for host in HOSTS]
    requests += [("/index.html", "localhost", method) for method in METHODS]
    for request in requests:
        answer = _ask(port, *request)
        assert SECRET not in answer and b">secret" not in answer and b"Traceback" not in answer, request
        assert b" 200 " not in answer.split(b"\r\n")[0], request


@pytest.mark.parametrize("path", ["/", "/index.html", "/inside.html", "/deep/page.html", "/index.html?a=../secret"])
def test_the_site_is_served(port: int, path: str) -> None:
    assert _ask(port, path, f"{HOST}:{port}").endswith(PAGE)


def test_other_addresses_of_this_machine_do_not_reach_it(port: int) -> None:
    addresses = {str(found[4][0]) for found in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in {*addresses, "127.0.0.2"} - {HOST}:
        with socket.socket() as connection:
            connection.settimeout(5)
            assert connection.connect_ex((address, port)) != 0, address
