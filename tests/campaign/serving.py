"""What a stranger may ask of `--serve`: raw requests to the real server, and connections to addresses not its own."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.campaign import Campaign, Result, Tally

SECRET = b"not for you"
PAGE = b"<!doctype html><title>Site</title>"
# Paths that lead to the secret beside the site, or to what isn't a page of it.
_UP = ("..", "%2e%2e", "%2E.", ".%2e", "..%00", "..;", "%252e%252e", "..\\", "%c0%ae%c0%ae", "....", ".")
_SLASHES = ("/", "%2f", "//", "\\", "%5c", "/./")
_LINKS = ("link", "links/secret", "links/", "up/secret", "up/", "loop", "absolute", "chain", "loop/x", "deep/up/secret")
OUTSIDE: tuple[str, ...] = (
    *(f"/{up}{slash}secret" for up in _UP for slash in _SLASHES),
    *(f"/deep{slash}{up}{slash}{up}{slash}secret" for up in _UP for slash in _SLASHES),
    *(f"/{each}" for each in _LINKS),
    *("/" + each.replace("/", "%2f") for each in _LINKS),
    "SECRET", "/SECRET", "//SECRET", "/%2fSECRET", "file://SECRET", "/~/secret", "/deep/", "/deep",
    "http://other.example/secret", "*", "secret", "", "/\x00", "/%00", "/secret%00.html", "/" + "a/" * 2000,
    "/" + "%2e%2e/" * 1000 + "secret", "/" + "a" * 60_000, "/index.html/", "/index.html/../../secret",
)  # fmt: skip
HOSTS = ("evil.example", "127.0.0.1.evil.example", "evil.example:80", "localhost.evil.example:1", "[::1]", "0.0.0.0")
_METHODS = ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "get", "\x00")


@contextmanager
def serving(place: Path) -> Iterator[tuple[str, int]]:
    """The real server on a site with links out of it and a secret beside it; its host and port.

    Args:
        place: an empty folder.
    """
    from urllib.parse import urlsplit

    from vizengine.serve import SiteServer

    (place / "secret").write_bytes(SECRET)
    site = place / "site"
    (site / "deep").mkdir(parents=True)
    (site / "index.html").write_bytes(PAGE)
    (site / "deep" / "page.html").write_bytes(PAGE)
    (site / "inside.html").symlink_to("index.html")
    (site / "link").symlink_to("../secret")
    (site / "absolute").symlink_to((place / "secret").resolve())
    (site / "chain").symlink_to("link")
    (site / "loop").symlink_to("loop")
    (site / "links").symlink_to(place.resolve(), target_is_directory=True)
    (site / "up").symlink_to("..", target_is_directory=True)
    (site / "deep" / "up").symlink_to("../..", target_is_directory=True)
    server = SiteServer(0)
    parts = urlsplit(server.address)
    assert parts.hostname is not None and parts.port is not None
    thread = threading.Thread(target=server.serve, args=(site,), daemon=True)
    thread.start()
    try:
        yield parts.hostname, parts.port
    finally:
        # Its own process ends it with Ctrl-C; here another thread must.
        server._server.shutdown()
        thread.join()
        server.close()


def ask(host: str, port: int, request: bytes) -> bytes:
    """What the server answers to these bytes, to its end; nothing where it closes without a word."""
    with socket.create_connection((host, port), timeout=30) as connection:
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            blocks = []
            while block := connection.recv(65536):
                blocks.append(block)
        except ConnectionError:
            return b""
    return b"".join(blocks)


def get(path: str, host: str = "localhost", method: str = "GET") -> bytes:
    """The bytes of a request, with nothing put right on the way."""
    return f"{method} {path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode("latin-1", "replace")


def gives(answer: bytes) -> bool:
    """Whether an answer gives the secret, or the name of a file beside the site."""
    return SECRET in answer or b">secret" in answer


def requests(place: Path) -> dict[str, bytes]:
    """Every request that must not be answered with a file, by what it asks."""
    made = {f"GET {path[:60]!r}": get(path.replace("SECRET", str(place / "secret"))) for path in OUTSIDE}
    made |= {f"Host: {host}": get("/index.html", host) for host in HOSTS}
    made |= {f"{method!r}": get("/index.html", method=method) for method in _METHODS}
    return made


def other_addresses() -> list[str]:
    """Addresses of this machine at which nobody may reach the server."""
    names = {each[4][0] for each in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as looking:
        try:
            # Sends nothing: the system only chooses the address it would send from.
            looking.connect(("192.0.2.1", 9))
            names.add(looking.getsockname()[0])
        except OSError:
            pass
    return sorted({str(each) for each in names if not str(each).startswith("127.")} | {"127.0.0.2"})


def reachable(address: str, port: int) -> bool:
    """Whether anything listens there."""
    with socket.socket() as trying:
        trying.settimeout(5)
        return trying.connect_ex((address, port)) == 0


def campaign() -> Result:
    """Every request and every other address; and that the site itself is served."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as temporary, serving(Path(temporary)) as (host, port):
        for name, request in requests(Path(temporary)).items():
            with tally.case(name):
                answer = ask(host, port, request)
                assert not gives(answer) and b" 200 " not in answer.split(b"\r\n")[0], answer[:80]
                assert b"Traceback" not in answer, answer[:80]
        addresses = other_addresses()
        for address in addresses:
            with tally.case(f"reachable at {address}"):
                assert not reachable(address, port)
        with tally.case("the site itself isn't served"):
            assert ask(host, port, get("/")).endswith(PAGE)
    return tally.result(f"none gave anything from outside the site; not reachable at {len(addresses)} other addresses")


SERVING = Campaign(
    "`--serve` answers this machine alone, gives nothing from outside the site and follows no link out of it.",
    "Raw requests to the real server: paths that climb, encoded in every way, links of every kind, other methods, and "
    "names of other hosts; connections to the machine's other addresses",
    campaign,
)
