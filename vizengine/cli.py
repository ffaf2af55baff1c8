"""The command: its arguments, `init`, what it runs, and how it explains an error."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import os
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from vizengine import __version__
from vizengine.errors import ConfigError, UsageError, VizengineError
from vizengine.output import answer, complain, logged
from vizengine.runtime import Terminated, is_shortage, quiet_tensorflow, shortage_message, signals_raised

if TYPE_CHECKING:
    from vizengine.config.schema import Config
    from vizengine.output import Progress

FINE, FAILED, USAGE, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143
COMMAND = "init"
SCHEDULER_VARIABLE = "VIZENGINE_SCHEDULER"
"""The environment variable with what `--scheduler` takes."""
_SCHEDULER = re.compile(r"(tcp|tls|ucx|ws|wss)://\S+")


def _program() -> str:
    """The command's name, as the user called it."""
    return "generate.py" if Path(sys.argv[0]).name == "generate.py" else "vizengine"


def _typed() -> str:
    """The command as the user typed it, for a line to copy."""
    ways = {"generate.py": f"python {sys.argv[0]}", "__main__.py": "python -m vizengine"}
    return ways.get(Path(sys.argv[0]).name, _program())


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        start = f"; to start without one: {_typed()} init my-circuits" if message.endswith("required: CONFIG") else ""
        super().error(message + start)


def _port(text: str) -> int:
    if text.isascii() and text.isdecimal() and int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a port, 0 to 65535, received {text!r}; CONFIG goes before --serve")


def _scheduler(text: str) -> str:
    if _SCHEDULER.fullmatch(text):
        return text
    raise argparse.ArgumentTypeError(
        f"expected an address that begins with tcp:// or tls://, for example tcp://10.0.0.1:8786, received {text!r} "
        f"(from here or from {SCHEDULER_VARIABLE})"
    )


def _check_usage(options: argparse.Namespace, config: Config) -> None:
    """Raise a UsageError with all that is wrong with the arguments beside the config."""
    problems = []
    names = [circuit.name for circuit in config.circuits]
    for name in options.only:
        if name not in names:
            nearest = difflib.get_close_matches(name, names, 1)
            hint = f"; did you mean {nearest[0]}?" if nearest else ""
            problems.append(f"--only {name}: the config has no such circuit; expected one of {', '.join(names)}{hint}")
    out: Path | None = options.out
    # The site's folder is replaced as a whole; a survey replaces only a folder of its own inside it.
    if out and not options.survey and config.folder.resolve().is_relative_to(out.resolve()):
        problems.append(f"--out {out}: it holds the config and would be replaced; expected a folder of its own")
    if out and out.exists() and not out.is_dir():
        problems.append(f"--out {out}: a file; expected a folder")
    if options.survey:
        if options.strict or options.serve is not None:
            which = "--strict" if options.strict else "--serve"
            problems.append(f"{which}: only for a site; expected --survey without it")
        from vizengine.layers.run import NoSuchLayer, surveyed

        try:
            surveyed(config, options.survey, [name for name in options.only if name in names])
        except NoSuchLayer as error:
            problems.append(str(error))
    if problems:
        raise UsageError("\nerror: ".join(problems))


def init_command_line() -> argparse.ArgumentParser:
    """The parser of `vizengine init`."""
    parser = argparse.ArgumentParser(
        prog=f"{_program()} {COMMAND}",
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
    """Write a config, its schema for editors and a file for the author's words; the path of the config.

    Raises:
        UsageError: one of the files is there already, or `folder` is a file; nothing was written.
        OSError: the files can't be written.
    """
    from vizengine.config.json_schema import schema_text
    from vizengine.config.template import HYPOTHESIS, HYPOTHESIS_TEXT, starting_text

    texts = {"config.yaml": starting_text(), "config.schema.json": schema_text(), HYPOTHESIS: HYPOTHESIS_TEXT}
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: a file; expected a folder, or the name of one to make")
    paths = {folder / name: text for name, text in texts.items()}
    taken = [str(path) for path in paths if os.path.lexists(path)]
    if taken:
        raise UsageError(
            f"{', '.join(taken)}: there already, and nothing is replaced; expected a folder without, "
            f"for example: {_program()} {COMMAND} my-circuits"
        )
    for path, text in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    return folder / "config.yaml"


_EPILOGUE = """To start: `init [FOLDER]` in place of CONFIG writes a config to begin with, every setting explained.
Example: `COMMAND config.yaml --check` says what is wrong with a config, `COMMAND config.yaml` builds its site.

exit codes: 0 done; 1 the build failed; 2 wrong usage or config; 130 interrupted; 143 terminated.
The log goes to stderr, with how many claims came out in which way, pages and seconds at its end; stdout gets the path
of the site's index.html and nothing else."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments`, by default those of this process; the exit code."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    is_init = arguments[:1] == [COMMAND]
    try:
        options = (init_command_line() if is_init else command_line()).parse_args(arguments[is_init:])
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else USAGE
    try:
        with signals_raised():
            if not is_init:
                return _run(options)
            config = write_start(options.folder)
            answer(str(config))
            complain(f"to build its site: {_typed()} {shlex.quote(str(config))}")
            return FINE
    except (Terminated, KeyboardInterrupt) as stop:
        word, code = ("terminated", TERMINATED) if isinstance(stop, Terminated) else ("interrupted", INTERRUPTED)
        complain(f"{word}; what was finished is kept and the next run goes on from there")
        return code
    except Exception as error:
        return _explain(error, traceback=options.verbosity > 0)


def command_line() -> argparse.ArgumentParser:
    """The parser of the command."""
    parser = _Parser(
        prog=_program(),
        description="Compute circuits of pre-trained networks and publish them as a self-contained site.",
        epilog=_EPILOGUE.replace("COMMAND", {"generate.py": "python generate.py"}.get(_program(), _program())),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("config", metavar="CONFIG", type=Path, help="the config, for example config.yaml")
    parser.add_argument("--out", metavar="DIR", type=Path, help="write the site, or surveys, to this folder instead")
    parser.add_argument(
        "--survey",
        metavar="LAYER",
        help="instead of the site write a contact sheet of all units of a layer, to find one worth a page",
    )
    parser.add_argument(
        "--only", metavar="NAME", action="append", default=[], help="compute this circuit only; may be repeated"
    )
    parser.add_argument("--strict", action="store_true", help="fail on warnings and on optional circuits left out")
    parser.add_argument("--replace", action="store_true", help="replace a site, or survey, that another config made")
    parser.add_argument(
        "--confined",
        action="store_true",
        help="for a config that somebody else wrote: refuse all that it names outside its folder, photos, weights and "
        "the site's folder too, and `trust: true`",
    )
    parser.add_argument("--fresh", action="store_true", help="compute everything again, whatever earlier runs kept")
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        type=_scheduler,
        # argparse reads a default that is text as it reads an argument.
        default=os.environ.get(SCHEDULER_VARIABLE) or None,
        help="compute sweeps and surveys on the workers of this Dask scheduler, for example tcp://10.0.0.1:8786; it "
        f"can run code in this process ({SCHEDULER_VARIABLE} in the environment does the same)",
    )
    then = parser.add_mutually_exclusive_group()
    then.add_argument("--check", action="store_true", help="check the config and stop")
    then.add_argument(
        "--estimate",
        action="store_true",
        help="measure for some seconds, say how long sweeps will take and how much memory and disk, and stop",
    )
    then.add_argument(
        "--serve",
        metavar="PORT",
        nargs="?",
        const=8000,
        type=_port,
        help="then serve the site on this machine (8000; 0: any free port)",
    )
    loudness = parser.add_mutually_exclusive_group()
    loudness.add_argument(
        "-q", "--quiet", dest="verbosity", action="store_const", const=-1, default=0, help="log warnings and errors"
    )
    loudness.add_argument(
        "-v", "--verbose", dest="verbosity", action="store_const", const=1, help="log everything, with tracebacks"
    )
    parser.add_argument("--version", action="version", version=f"vizengine {__version__}")
    return parser


def _run(options: argparse.Namespace) -> int:
    os.environ["KERAS_BACKEND"] = "tensorflow"
    if options.verbosity <= 0:
        quiet_tensorflow()
    code, server = FINE, None
    # What a library prints must not mix with the answer.
    with contextlib.ExitStack() as until_the_end:
        with logged(options.verbosity) as progress, contextlib.redirect_stdout(sys.stderr):
            from vizengine.check import check, tell_of_photos
            from vizengine.network.source import opened_once

            with opened_once():
                config = check(options.config, options.confined)
                _check_usage(options, config)
                if options.estimate:
                    lines = _estimate(options, config)
                elif options.check:
                    tell_of_photos(config)
                    line, code = _checked(options.config, config)
                    lines = [line]
                else:
                    if options.serve is not None:
                        from vizengine.serve import SiteServer

                        # The port is taken before the build, so that one in use is known at once.
                        server = SiteServer(options.serve)
                        until_the_end.callback(server.close)
                    indices, failure = (_survey if options.survey else _build)(options, config, progress)
                    tell_of_photos(config)
                    if failure:
                        complain(failure)
                        return FAILED
                    lines = list(map(str, indices))
        answer("\n".join(lines))
        if server is not None:
            folder = indices[0].parent
            complain(f"serving {folder} at {server.address} until Ctrl-C")
            with contextlib.suppress(KeyboardInterrupt):
                server.serve(folder)
    return code


def _checked(path: Path, config: Config) -> tuple[str, int]:
    """What to say of a config without problems, and the exit code: the one with which its build would end."""
    from vizengine.check import missing_photos, missing_weights

    circuits = _count(len(config.circuits), "circuit")
    missing = [
        ("weights", section, f"{files.reason} {files.mend}", files.published)
        for section, files in missing_weights(config)
    ]
    missing += [("photos", section, str(files), True) for section, files in missing_photos(config)]
    if not missing:
        return f"{path}: fine, {circuits}", FINE
    for what, section, words, published in missing:
        then = " The build tries to download them." if published else ""
        then += " The circuit is optional, and left out without them." if section.optional else ""
        complain(f"{section.name}: {what} not found: {words}{then}")
    fails = any(not (published or section.optional) for _, section, _, published in missing)
    for kind in ("weights", "photos"):
        if names := ", ".join(section.name for what, section, *_ in missing if what == kind):
            circuits += f", {kind} not found of {names}"
    return f"{path}: {circuits}", FAILED if fails else FINE


def _estimate(options: argparse.Namespace, config: Config) -> list[str]:
    if options.survey:
        from vizengine.layers.run import estimate_survey

        return estimate_survey(config, options.survey, options.only)
    from vizengine.build import estimate

    return estimate(config)


def _survey(options: argparse.Namespace, config: Config, progress: Progress) -> tuple[tuple[Path, ...], str]:
    """Survey a layer: the path of each sheet, and why that isn't enough."""
    from vizengine.layers.run import survey

    outcome = survey(
        config, options.survey, options.out, options.only, options.fresh, progress, options.scheduler, options.replace
    )
    return outcome.indices, _failed_units(outcome.failures, " and ".join(map(str, outcome.indices)))


def _build(options: argparse.Namespace, config: Config, progress: Progress) -> tuple[tuple[Path, ...], str]:
    """Build the site: the path of its first page, and why that isn't enough."""
    from vizengine.build import Options, build

    only = tuple(dict.fromkeys(options.only))
    outcome = build(
        config,
        Options(options.out, only, options.strict, options.fresh, options.scheduler, options.replace),
        progress,
    )
    failures = []
    if outcome.failed:
        count, circuits = _count(len(outcome.failed), "circuit"), "\n  ".join(outcome.failed)
        others = f"{outcome.index} has all others, and says why in place of each that failed"
        failures.append(f"error: {count} failed; {others}:\n  {circuits}")
    if outcome.failures:
        failures.append(_failed_units(outcome.failures, str(outcome.index)))
    flaws = [f"{name} could not be computed" for name in outcome.missing] + list(outcome.warnings)
    if not failures and options.strict and flaws:
        failures.append(f"error: --strict, and {'; '.join(flaws)}")
    return (outcome.index,), "\n".join(failures)


def _failed_units(failures: Sequence[str], where: str) -> str:
    """What to say of units that failed; nothing where there are none."""
    units = "\n  ".join(failures)
    return f"error: {len(failures)} of the units failed; {where} has all others:\n  {units}" if failures else ""


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _explain(error: Exception, traceback: bool) -> int:
    """Print what went wrong; the exit code that goes with it."""
    if traceback and not isinstance(error, (ConfigError, UsageError)):
        import traceback as printer

        printer.print_exception(error)
    code = FAILED
    words = " ".join(str(error).split())
    if isinstance(error, ConfigError):
        message, code = f"{error}\n{_count(len(error.problems), 'problem')} in the config", USAGE
    elif isinstance(error, VizengineError):
        message, code = f"error: {error}", USAGE if isinstance(error, UsageError) else FAILED
    elif is_shortage(error):
        message = f"error: {shortage_message()}"
    elif isinstance(error, ModuleNotFoundError) and not (error.name or "").startswith("vizengine"):
        message = f"error: the package {error.name} isn't installed; run: pip install -r requirements.txt"
    elif isinstance(error, OSError) and error.strerror:
        message = f"error: {error.strerror.lower()}" + (f": {error.filename}" if error.filename else "")
    else:
        ask = "please report it with the traceback above"
        if not traceback:
            ask = "run again with -v for the traceback, and please report it"
        message = f"unexpected error: {type(error).__name__}{': ' if words else ''}{words}\n{ask}"
    complain(message)
    return code
