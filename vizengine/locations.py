"""Where the package's own files lie, in a checkout and once installed."""

from __future__ import annotations

from pathlib import Path


def templates_folder() -> Path:
    """The folder of the page's templates and assets.

    In an installed package they lie inside it, as `vizengine/templates`; in a checkout beside it, at the top level.

    Raises:
        FileNotFoundError: they are in neither place.
    """
    package = Path(__file__).parent
    for folder in (package / "templates", package.parent / "templates"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(
        f"no templates in {package} nor beside it; install vizengine again, or use a whole checkout"
    )
