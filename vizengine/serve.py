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
    """Files of one folder and nothing else, never kept by the browser, so that a new build is seen at once.

    Symbolic links aren't followed out of the folder, and folders aren't listed. A request that names another host than
    this machine is refused: a page from elsewhere whose name was made to lead here could otherwise read the site.
    """

    def send_head(self) -> BytesIO | BinaryIO | None:
        if not self._names_this_machine():
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST, "This server answers for this machine alone")
            return None
        if not self._lies_inside():
            self.send_error(HTTPStatus.NOT_FOUND, "File not found")
            return None
        return super().send_head()

    def _lies_inside(self) -> bool:
        folder = os.path.realpath(self.directory)
        try:
            place = os.path.realpath(self.translate_path(self.path))
        except ValueError:
            # A name with a zero byte, which no file has.
            return False
        return os.path.commonpath((folder, place)) == folder

    def list_directory(self, path: str | os.PathLike[str]) -> None:
        self.send_error(HTTPStatus.NOT_FOUND, "File not found")

    def _names_this_machine(self) -> bool:
        host = self.headers.get("Host", HOST).rpartition(":")[0] or self.headers.get("Host", HOST)
        return host in (HOST, "localhost")

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

    def serve(self, folder: Path) -> None:
        """Serve `folder` until an exception, for example Ctrl-C's, ends it."""
        self._server.RequestHandlerClass = partial(_Handler, directory=str(folder))
        self._server.serve_forever(poll_interval=0.2)

    def close(self) -> None:
        """Give the port back."""
        self._server.server_close()
