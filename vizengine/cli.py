"""The command line: arguments, signals, exit codes. All that takes long to load is loaded when it is needed."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vizengine import __version__, init
from vizengine.console import answer, complain, logged
from vizengine.errors import ConfigError, UsageError, VizengineError
from vizengine.memory import is_shortage, told_of_shortage
from vizengine.signals import Terminated, signals_raised
from vizengine.usage import SCHEDULER_VARIABLE, Parser, check_usage, port, program, scheduler

if TYPE_CHECKING:
    from vizengine.config.schema import Config
    from vizengine.progress import Progress
    from vizengine.serve import SiteServer

FINE, FAILED, USAGE, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143

_EPILOGUE = """To start: `init [FOLDER]` in place of CONFIG writes a config to begin with, every setting explained.
Example: `COMMAND config.yaml --check` says what is wrong with a config, `COMMAND config.yaml` builds its site.

exit codes: 0 done; 1 the build failed; 2 wrong usage or config; 130 interrupted; 143 terminated.
The log goes to stderr, with how many claims came out in which way, pages and seconds at its end; stdout gets the path
of the site's index.html and nothing else."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: as on the command line, without the program's name; those of this process by default.

    Returns:
        The exit code: 0 done, 1 the build failed, 2 wrong usage or config, 130 interrupted, 143 terminated.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    starting = given[:1] == [init.COMMAND]
    try:
        options = (init.command_line() if starting else command_line()).parse_args(given[starting:])
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else USAGE
    try:
        with signals_raised():
            return (init.run if starting else _run)(options)
    except Terminated:
        complain("terminated; what was finished is kept and the next run goes on from there")
        return TERMINATED
    except KeyboardInterrupt:
        complain("interrupted; what was finished is kept and the next run goes on from there")
        return INTERRUPTED
    except Exception as error:
        return _explain(error, traceback=options.verbosity > 0)


def command_line() -> argparse.ArgumentParser:
    """The arguments that the command takes, with their explanations."""
    parser = Parser(
        prog=program(),
        description="Compute circuits of pre-trained networks and publish them as a self-contained site.",
        epilog=_EPILOGUE.replace("COMMAND", {"generate.py": "python generate.py"}.get(program(), program())),
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
        type=scheduler,
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
        type=port,
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
        from vizengine.hush import hush_tensorflow

        hush_tensorflow()
    code = FINE
    with contextlib.ExitStack() as afterwards:
        # What a library prints must not mix with the answer.
        with (
            logged(options.verbosity) as progress,
            contextlib.redirect_stdout(sys.stderr),
            contextlib.ExitStack() as meanwhile,
        ):
            from vizengine import pipeline
            from vizengine.networks.live_source import opened_once

            meanwhile.enter_context(opened_once())
            config = pipeline.check(options.config, options.confined)
            check_usage(options, config)
            if options.estimate:
                line, server = "\n".join(_estimate(options, config)), None
            elif options.check:
                pipeline.tell_of_photos(config)
                (line, code), server = _checked(options.config, config), None
            else:
                server = _open_server(options.serve, afterwards)
                indices, failure = (_survey if options.survey else _build)(options, config, progress)
                pipeline.tell_of_photos(config)
                if failure:
                    complain(failure)
                    return FAILED
                line, index = "\n".join(map(str, indices)), indices[0]
        answer(line)
        if server is not None:
            _serve(server, index.parent)
    return code


def _checked(path: Path, config: Config) -> tuple[str, int]:
    """What to say of a config without problems, and the exit code: the one with which its build would end."""
    from vizengine import pipeline

    count = len(config.circuits)
    circuits = f"{count} {'circuit' if count == 1 else 'circuits'}"
    missing = pipeline.missing_weights(config)
    for section, weights in missing:
        then = " The build tries to download them." if weights.published else ""
        then += " The circuit is optional, and left out without them." if section.optional else ""
        complain(f"{section.name}: weights not found: {weights.reason} {weights.mend}{then}")
    if not missing:
        return f"{path}: fine, {circuits}", FINE
    fails = any(not (weights.published or section.optional) for section, weights in missing)
    names = ", ".join(section.name for section, _ in missing)
    return f"{path}: {circuits}, weights not found of {names}", FAILED if fails else FINE


def _estimate(options: argparse.Namespace, config: Config) -> list[str]:
    if options.survey:
        from vizengine.survey import estimate_survey

        return estimate_survey(config, options.survey, options.only)
    from vizengine import pipeline

    return pipeline.estimate(config)


def _survey(options: argparse.Namespace, config: Config, progress: Progress) -> tuple[tuple[Path, ...], str]:
    """Survey a layer: the path of each sheet, and why that isn't enough."""
    from vizengine.survey import survey

    outcome = survey(
        config, options.survey, options.out, options.only, options.fresh, progress, options.scheduler, options.replace
    )
    where = " and ".join(map(str, outcome.indices))
    return outcome.indices, _of_failures(outcome.failures, where)


def _build(options: argparse.Namespace, config: Config, progress: Progress) -> tuple[tuple[Path, ...], str]:
    """Build the site: the path of its first page, and why that isn't enough."""
    from vizengine import pipeline

    only = tuple(dict.fromkeys(options.only))
    how = pipeline.Options(options.out, only, options.strict, options.fresh, options.scheduler, options.replace)
    outcome = pipeline.build(config, how, progress)
    flaws = [f"{name} could not be computed" for name in outcome.missing] + list(outcome.warnings)
    failure = f"error: --strict, and {'; '.join(flaws)}" if options.strict and flaws else ""
    failures = [_of_failed(outcome.failed, str(outcome.index)), _of_failures(outcome.failures, str(outcome.index))]
    return (outcome.index,), "\n".join(filter(None, failures)) or failure


def _of_failed(failed: Sequence[str], where: str) -> str:
    """What to say of circuits that failed; nothing where there are none."""
    if not failed:
        return ""
    circuits = "\n  ".join(failed)
    count = f"{len(failed)} {'circuit' if len(failed) == 1 else 'circuits'}"
    return f"error: {count} failed; {where} has all others, and says why in place of each that failed:\n  {circuits}"


def _of_failures(failures: Sequence[str], where: str) -> str:
    """What to say of units that failed; nothing where there are none."""
    if not failures:
        return ""
    units = "\n  ".join(failures)
    return f"error: {len(failures)} of the units failed; {where} has all others:\n  {units}"


def _open_server(port: int | None, afterwards: contextlib.ExitStack) -> SiteServer | None:
    """Take the port before the build, so that one that is in use is known at once."""
    if port is None:
        return None
    from vizengine.serve import SiteServer

    server = SiteServer(port)
    afterwards.callback(server.close)
    return server


def _serve(server: SiteServer, folder: Path) -> None:
    complain(f"serving {folder} at {server.address} until Ctrl-C")
    with contextlib.suppress(KeyboardInterrupt):
        server.serve(folder)


def _explain(error: Exception, traceback: bool) -> int:
    """Print what went wrong; the exit code that goes with it."""
    if traceback and not isinstance(error, (ConfigError, UsageError)):
        import traceback as printer

        printer.print_exception(error)
    if isinstance(error, ConfigError):
        count = len(error.problems)
        complain(f"{error}\n{count} {'problem' if count == 1 else 'problems'} in the config")
        return USAGE
    if isinstance(error, VizengineError):
        complain(f"error: {error}")
        return USAGE if isinstance(error, UsageError) else FAILED
    if is_shortage(error):
        complain(f"error: {told_of_shortage()}")
        return FAILED
    if isinstance(error, ModuleNotFoundError) and not (error.name or "").startswith("vizengine"):
        complain(f"error: the package {error.name} isn't installed; run: pip install -r requirements.txt")
        return FAILED
    if isinstance(error, OSError) and error.strerror:
        where = f": {error.filename}" if error.filename else ""
        complain(f"error: {error.strerror.lower()}{where}")
        return FAILED
    words = " ".join(str(error).split())
    what = f"{type(error).__name__}: {words}" if words else type(error).__name__
    ask = "run again with -v for the traceback, and please report it"
    if traceback:
        ask = "please report it with the traceback above"
    complain(f"unexpected error: {what}\n{ask}")
    return FAILED
