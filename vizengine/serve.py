"""Look at a site in the browser before it is published."""

from __future__ import annotations

import logging
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from vizengine.errors import VizengineError

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"


class _Handler(SimpleHTTPRequestHandler):
    """Files of one folder, never kept by the browser, so that a new build is seen at once."""

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
