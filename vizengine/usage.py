"""How the command is called, and what can be wrong with its arguments, all of it at once."""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from vizengine.errors import UsageError

if TYPE_CHECKING:
    from vizengine.config.schema import Config


SCHEDULER_VARIABLE = "VIZENGINE_SCHEDULER"
"""The environment variable with what `--scheduler` takes."""
_SCHEDULER = re.compile(r"(tcp|tls|ucx|ws|wss)://\S+")


def program() -> str:
    """The command's name, as the user called it."""
    return "generate.py" if Path(sys.argv[0]).name == "generate.py" else "vizengine"


def typed() -> str:
    """The command as the user typed it, for a line to copy."""
    ways = {"generate.py": f"python {sys.argv[0]}", "__main__.py": "python -m vizengine"}
    return ways.get(Path(sys.argv[0]).name, program())


class Parser(argparse.ArgumentParser):
    """A parser that says, where there is no config, how to get one."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and what is wrong, and leave."""
        start = f"; to start without one: {typed()} init my-circuits" if message.endswith("required: CONFIG") else ""
        super().error(message + start)


def port(text: str) -> int:
    """Read the port of `--serve`.

    Raises:
        argparse.ArgumentTypeError: it is no number from 0 to 65535.
    """
    if text.isascii() and text.isdecimal() and int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a port, 0 to 65535, received {text!r}; CONFIG goes before --serve")


def scheduler(text: str) -> str:
    """Read the address of `--scheduler`, or of the environment variable in its place.

    Raises:
        argparse.ArgumentTypeError: it is no address of a Dask scheduler.
    """
    if _SCHEDULER.fullmatch(text):
        return text
    raise argparse.ArgumentTypeError(
        f"expected an address that begins with tcp:// or tls://, for example tcp://10.0.0.1:8786, received {text!r} "
        f"(from here or from {SCHEDULER_VARIABLE})"
    )


def check_usage(options: argparse.Namespace, config: Config) -> None:
    """Hold the arguments against the config.

    Raises:
        UsageError: with everything that is wrong.
    """
    problems = [*_name_problems(options.only, config), *_out_problems(options, config)]
    if options.survey:
        if options.strict or options.serve is not None:
            which = "--strict" if options.strict else "--serve"
            problems.append(f"{which}: only for a site; expected --survey without it")
        from vizengine.sweep.surveyed import NoSuchLayer, surveyed

        known = [name for name in options.only if any(each.name == name for each in config.circuits)]
        try:
            surveyed(config, options.survey, known)
        except NoSuchLayer as error:
            problems.append(str(error))
    if problems:
        raise UsageError("\nerror: ".join(problems))


def _name_problems(only: Sequence[str], config: Config) -> Iterator[str]:
    names = [circuit.name for circuit in config.circuits]
    for name in only:
        if name not in names:
            found = difflib.get_close_matches(name, names, 1)
            near = f"; did you mean {found[0]}?" if found else ""
            yield f"--only {name}: the config has no such circuit; expected one of {', '.join(names)}{near}"


def _out_problems(options: argparse.Namespace, config: Config) -> Iterator[str]:
    """The site's folder is replaced as a whole, so it can't be one that holds the config, nor a file."""
    out: Path | None = options.out
    if out is None:
        return
    # A survey replaces nothing but a folder of its own inside of it.
    if not options.survey and config.folder.resolve().is_relative_to(out.resolve()):
        yield f"--out {out}: it holds the config and would be replaced; expected a folder of its own"
    if out.exists() and not out.is_dir():
        yield f"--out {out}: a file; expected a folder"
