"""Write `docs/command.md` from the argument parser: `python -m tools.command_reference`."""

from __future__ import annotations

import argparse
from pathlib import Path

from vizengine.cache import KEY_VARIABLE
from vizengine.cli import COMMAND, command_line, init_command_line

_INTRODUCTION = """\
# The command

<!-- Made by `python -m tools.command_reference` from `vizengine/cli.py`: change it there. -->

In a checkout it is `python generate.py`, once installed `vizengine` or `python -m vizengine`; all take the same
arguments. {description}
"""
_CODES = """\
## Exit codes and streams

{epilogue}

A circuit that fails, for want of its weights or for any other reason, costs the others nothing: they are built, the
index and the place of its page say what happened, and the exit code is 1. Where the site has an earlier page of it with
the same settings, that page is kept and says so. Nothing is written where every circuit failed, nor under `--strict`
where one did.

The site that stood before stands until the new one is whole. Results are kept by content beside the config, in
`.vizengine-cache/`: a second run computes nothing and doesn't load TensorFlow.

## What is replaced

The site of `config.yaml` is written to `site/` beside it, that of any other config to a folder named after it:
`my-circuit.yaml` to `my-circuit-site/`. `out` in the config or `--out` names another. A build replaces its folder as a
whole, and its log ends with what it replaced. Before anything is computed it refuses

- a folder that another config's build wrote, unless `--replace` is given;
- a folder with files that no build wrote: it names them, and leaves them. Move them elsewhere, or name another folder;
- a folder with files in it that is no site;
- a link, or a folder behind a link inside the config's folder.

The file `.vizengine-site` in a site says which config made it and which files are its own. The same holds for surveys.

## Environment

| variable | meaning |
| --- | --- |
| `VIZENGINE_WEIGHTS` | a folder in which published weights are looked for first ([the network's section](config.md)) |
| `VIZENGINE_SCHEDULER` | what `--scheduler` takes, where that isn't given |
| `{key}` | {key_meaning} |
"""
_KEY_MEANING = (
    "the file of the key under which results are kept and believed; it is made where there is none. Left out, it is "
    "one of your own, in your folder for programs' data. Name one to share results ([a class](how-to/class.md), "
    "[a cluster](how-to/cluster.md))"
)


def reference_text() -> str:
    """The content of `docs/command.md`."""
    parser, starting = command_line(), init_command_line()
    epilogue = (parser.epilog or "").replace("exit codes: ", "Exit codes: ")
    codes = _CODES.format(epilogue=epilogue, key=KEY_VARIABLE, key_meaning=_KEY_MEANING)
    begin = f"## `{COMMAND}`: a config to start from\n\n{starting.description} {starting.epilog}\n"
    parts = [_INTRODUCTION.format(description=parser.description), "## Arguments\n", _table(parser)]
    return "\n".join([*parts, begin, _table(starting), codes])


def _table(parser: argparse.ArgumentParser) -> str:
    """What a parser takes, a row for each argument."""
    # argparse gives a parser's arguments to its own help formatter alone, in these two lists.
    actions, groups = parser._actions, parser._mutually_exclusive_groups
    others = {id(each): group._group_actions for group in groups for each in group._group_actions}
    rows = [
        _row(each, ", ".join(f"`{_name(other)}`" for other in others.get(id(each), ()) if other is not each))
        for each in sorted(actions, key=lambda action: bool(action.option_strings))
    ]
    return "| argument | meaning | not together with |\n| --- | --- | --- |\n" + "".join(rows)


def write(root: Path) -> None:
    """Write the reference into a checkout."""
    (root / "docs" / "command.md").write_text(reference_text(), encoding="utf-8", newline="\n")


def _name(action: argparse.Action) -> str:
    """The longest of its names, as `--quiet` of `-q` and `--quiet`."""
    return max(action.option_strings, key=len)


def _row(action: argparse.Action, others: str) -> str:
    value = action.metavar if isinstance(action.metavar, str) else ""
    written = f"[{value}]" if action.nargs == "?" else value
    names = ", ".join(f"`{' '.join(filter(None, (name, written)))}`" for name in action.option_strings or [""])
    meaning = (action.help or "").replace("|", "\\|")
    return f"| {names} | {meaning} | {others} |\n"


if __name__ == "__main__":
    write(Path(__file__).resolve().parent.parent)
