"""`vizengine init`: the files that a site of one's own begins with."""

from __future__ import annotations

import argparse
import os
import shlex
from pathlib import Path

from vizengine.console import answer, complain
from vizengine.errors import UsageError
from vizengine.usage import program, typed

COMMAND = "init"


def command_line() -> argparse.ArgumentParser:
    """The arguments that `vizengine init` takes, with their explanations."""
    parser = argparse.ArgumentParser(
        prog=f"{program()} {COMMAND}",
        description="Write a config to start from, with every setting explained, and what it names.",
        epilog="It replaces nothing. stdout gets the path of the config. Exit codes: 0 done; 1 it can't be written; "
        "2 wrong usage, or a file stands there already.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "folder",
        metavar="FOLDER",
        type=Path,
        nargs="?",
        default=Path(),
        help="where to write; made where there is none (this folder)",
    )
    parser.set_defaults(verbosity=0)
    return parser


def write_start(folder: Path) -> Path:
    """Write a config, its schema for editors and a file for the author's words.

    Args:
        folder: where; it is made where there is none.

    Returns:
        Path of the config.

    Raises:
        UsageError: one of the files is there already, or `folder` is a file; nothing was written.
        OSError: the files can't be written.
    """
    from vizengine.config.commented import HYPOTHESIS, HYPOTHESIS_TEXT, starting_text
    from vizengine.config.document import schema_text

    texts = {"config.yaml": starting_text(), "config.schema.json": schema_text(), HYPOTHESIS: HYPOTHESIS_TEXT}
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: a file; expected a folder, or the name of one to make")
    paths = {folder / name: text for name, text in texts.items()}
    there = [str(path) for path in paths if os.path.lexists(path)]
    if there:
        raise UsageError(
            f"{', '.join(there)}: there already, and nothing is replaced; expected a folder without, "
            f"for example: {program()} {COMMAND} my-circuits"
        )
    for path, text in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    return folder / "config.yaml"


def run(options: argparse.Namespace) -> int:
    """Write the files, say where they are and what to do next; the exit code.

    Raises:
        UsageError, OSError: as `write_start`.
    """
    config = write_start(options.folder)
    answer(str(config))
    complain(f"to build its site: {typed()} {shlex.quote(str(config))}")
    return 0
