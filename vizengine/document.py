"""Write `docs/command.md` from the argument parser: `python -m vizengine.document`."""

from __future__ import annotations

import argparse
from pathlib import Path

from vizengine.cli import command_line

_INTRODUCTION = """\
# The command

<!-- Made by `python -m vizengine.document` from `vizengine/cli.py`: change it there. -->

In a checkout it is `python generate.py`, once installed `vizengine` or `python -m vizengine`; all take the same
arguments. {description}
"""
_CODES = """\
## Exit codes and streams

{epilogue}

The site that stood before stands until the new one is whole. Results are kept by content beside the config, in
`.vizengine-cache/`: a second run computes nothing and doesn't load TensorFlow.

## Environment

| variable | meaning |
| --- | --- |
| `VIZENGINE_WEIGHTS` | a folder in which published weights are looked for first ([the network's section](config.md)) |
"""


def reference_text() -> str:
    """The content of `docs/command.md`."""
    parser = command_line()
    # argparse gives a parser's arguments to its own help formatter alone, in these two lists.
    actions, groups = parser._actions, parser._mutually_exclusive_groups
    positional = [_row(each, "") for each in actions if not each.option_strings]
    others = {id(each): group._group_actions for group in groups for each in group._group_actions}
    options = [
        _row(each, ", ".join(f"`{_name(other)}`" for other in others.get(id(each), ()) if other is not each))
        for each in actions
        if each.option_strings
    ]
    head = "| argument | meaning | not together with |\n| --- | --- | --- |\n"
    introduction = _INTRODUCTION.format(description=parser.description)
    codes = _CODES.format(epilogue=(parser.epilog or "").replace("exit codes: ", "Exit codes: "))
    return "\n".join([introduction, "## Arguments\n", head + "".join(positional + options), codes])


def write(root: Path) -> None:
    """Write the reference into a checkout."""
    (root / "docs" / "command.md").write_text(reference_text(), encoding="utf-8", newline="\n")


def _name(action: argparse.Action) -> str:
    """The longest of its names, as `--quiet` of `-q` and `--quiet`."""
    return max(action.option_strings, key=len)


def _row(action: argparse.Action, others: str) -> str:
    value = action.metavar if isinstance(action.metavar, str) else ""
    written = f"[{value}]" if value and action.nargs == "?" else value
    names = ", ".join(f"`{' '.join(filter(None, (name, written)))}`" for name in action.option_strings or [""])
    meaning = (action.help or "").replace("|", "\\|")
    return f"| {names} | {meaning} | {others} |\n"


if __name__ == "__main__":
    write(Path(__file__).resolve().parent.parent)
