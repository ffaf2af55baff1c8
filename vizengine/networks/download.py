"""Download a published weights file into Keras' cache, as Keras itself would, without loading TensorFlow."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from vizengine.networks.zoo import PublishedFile

TIMEOUT_SECONDS = 20
"""A server that says nothing for so long is given up."""
PATIENCE_SECONDS, LEAST_BYTES = 60, 64_000
"""So is one that goes on for ever: fewer bytes than these in so many seconds would take a day."""
_CHUNK_BYTES = 512


class _ProgressBar:
    """The progress bar that pooch asks for (`total`, `update`, `reset`, `close`), drawn by rich on stderr.

    It gives up where too little comes: pooch's own time-out begins anew with each byte.
    """

    def __init__(self, name: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn(name), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())
        self._task = self._progress.add_task("download", total=None)
        self._since, self._came = time.monotonic(), 0

    @property
    def total(self) -> float | None:
        return self._progress.tasks[0].total

    @total.setter
    def total(self, size: int) -> None:
        self._progress.start()
        self._progress.update(self._task, total=size)

    def update(self, size: int) -> None:
        self._progress.update(self._task, advance=size)
        self._came += size
        seconds = time.monotonic() - self._since
        if seconds > PATIENCE_SECONDS:
            if self._came < LEAST_BYTES:
                raise TimeoutError(f"only {self._came:,} bytes came in {seconds:.0f} s")
            self._since, self._came = time.monotonic(), 0

    def reset(self) -> None:
        self._progress.reset(self._task)

    def close(self) -> None:
        self._progress.stop()


def download(published: PublishedFile, folder: Path) -> Path:
    """Fetch `published` into `folder`, check its hash, and return its path.

    Raises:
        OSError: the network, the server or the hash said no. Nothing half-loaded is left under the file's name.
    """
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")

    downloader = pooch.HTTPDownloader(
        progressbar=_ProgressBar(published.name), timeout=TIMEOUT_SECONDS, chunk_size=_CHUNK_BYTES
    )
    try:
        path = pooch.retrieve(
            published.address, f"md5:{published.md5}", fname=published.name, path=folder, downloader=downloader
        )
    except requests.HTTPError as error:
        answer = f"{error.response.status_code} {error.response.reason}"
        raise OSError(f"{published.address} answered {answer}") from error
    except requests.RequestException as error:
        late = f": nothing came for {TIMEOUT_SECONDS} s" if "timed out" in str(error) else ""
        raise OSError(f"{type(error).__name__} at {published.address}{late}") from error
    except ValueError as error:
        raise OSError(
            f"what came from {published.address} isn't the file, whose md5 is {published.md5}: it broke off, or "
            "something on the way answered with a page of its own"
        ) from error
    return Path(path)
