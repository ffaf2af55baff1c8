"""Download a published weights file into Keras' cache, as Keras itself would, without loading TensorFlow."""

from __future__ import annotations

import sys
from pathlib import Path

from vizengine.networks.zoo import PublishedFile

TIMEOUT_SECONDS = 20


class _ProgressBar:
    """The progress bar that pooch asks for (`total`, `update`, `reset`, `close`), drawn by rich on stderr."""

    def __init__(self, name: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn(name), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())
        self._task = self._progress.add_task("download", total=None)

    @property
    def total(self) -> float | None:
        return self._progress.tasks[0].total

    @total.setter
    def total(self, size: int) -> None:
        self._progress.start()
        self._progress.update(self._task, total=size)

    def update(self, size: int) -> None:
        self._progress.update(self._task, advance=size)

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

    downloader = pooch.HTTPDownloader(progressbar=_ProgressBar(published.name), timeout=TIMEOUT_SECONDS)
    try:
        path = pooch.retrieve(
            published.address, f"md5:{published.md5}", fname=published.name, path=folder, downloader=downloader
        )
    except requests.RequestException as error:
        raise OSError(f"{type(error).__name__} at {published.address}") from error
    except ValueError as error:
        raise OSError(str(error)) from error
    return Path(path)
