"""Look at a site in the browser before it is published."""

from __future__ import annotations

import logging
import os
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from vizengine.errors import VizengineError

logger = logging.getLogger(__name__)
HOST = "127.0.0.1"


class _Handler(SimpleHTTPRequestHandler):
    """Files of one folder, and nothing through links out of it; no lists of folders, nothing cached by the browser.

    A request that names another host is refused: by DNS rebinding, a page from elsewhere could otherwise read the site.
    """

    def send_head(self) -> BytesIO | BinaryIO | None:
        host = self.headers.get("Host", HOST)
        if (host.rpartition(":")[0] or host) not in (HOST, "localhost"):
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST, "This server answers for this machine alone")
            return None
        if self._is_inside():
            return super().send_head()
        self.send_error(HTTPStatus.NOT_FOUND, "File not found")
        return None

    def _is_inside(self) -> bool:
        folder = os.path.realpath(self.directory)
        try:
            return os.path.commonpath((folder, os.path.realpath(self.translate_path(self.path)))) == folder
        except ValueError:
            # A name with a zero byte, which no file has.
            return False

    def list_directory(self, path: str | os.PathLike[str]) -> None:
        self.send_error(HTTPStatus.NOT_FOUND, "File not found")

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:
        logger.debug(format, *arguments)


class SiteServer:
    """A server on this machine alone. It takes its port at once and serves when it is told to.

    Args:
        port: 0 to 65535; 0 takes any free one.

    Raises:
        VizengineError: the port can't be had.
    """

    def __init__(self, port: int) -> None:
        try:
            self._server = ThreadingHTTPServer((HOST, port), _Handler)
        except OSError as error:
            words = (error.strerror or str(error)).lower()
            hint = "give another, for example --serve 0 for any free one"
            raise VizengineError(f"port {port} can't be had: {words}; {hint}") from None
        self.address = f"http://{HOST}:{self._server.server_port}/"
        self.close = self._server.server_close

    def serve(self, folder: Path) -> None:
        """Serve `folder` until an exception, for example Ctrl-C's, ends it."""
        self._server.RequestHandlerClass = partial(_Handler, directory=str(folder))
        self._server.serve_forever(poll_interval=0.2)
