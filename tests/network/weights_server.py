"""A server on this machine that gives one file, as good servers and bad ones do."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class WeightsServer:
    """Gives the same bytes at every address.

    Args:
        body: the bytes.
        ranges: whether it gives a part where one is asked for.

    Attributes:
        address: of the server, with a slash at its end.
        break_after: bytes after which it hangs up, or None.
        page: whether it answers with a page of its own, as where one has to sign in first.
        asked: the part that each request asked for, in their order; empty for all.
    """

    def __init__(self, body: bytes, ranges: bool = True) -> None:
        self.body, self.ranges = body, ranges
        self.address = ""
        self.break_after: int | None = None
        self.page = False
        self.pause = 0.0
        self.asked: list[str] = []

    def answer(self, to: BaseHTTPRequestHandler) -> None:
        asked = to.headers.get("Range", "")
        self.asked.append(asked)
        time.sleep(self.pause)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.ranges else 0
        body = b"<!DOCTYPE html>Sign in" if self.page else self.body[start:]
        if start and not body:
            to.send_response(416)
            to.send_header("Content-Range", f"bytes */{len(self.body)}")
            to.send_header("Content-Length", "0")
            to.end_headers()
            return
        to.send_response(206 if start and not self.page else 200)
        if start:
            to.send_header("Content-Range", f"bytes {start}-{len(self.body) - 1}/{len(self.body)}")
        to.send_header("Content-Type", "text/html" if self.page else "application/octet-stream")
        to.send_header("Content-Length", str(len(body)))
        to.end_headers()
        to.wfile.write(body[: self.break_after])


@contextmanager
def serving(body: bytes, ranges: bool = True) -> Iterator[WeightsServer]:
    """Run such a server until the block ends."""
    server = WeightsServer(body, ranges)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        server.address = f"http://127.0.0.1:{httpd.server_port}/"
        try:
            yield server
        finally:
            httpd.shutdown()
