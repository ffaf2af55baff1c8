"""Follow a page as a reader would: its files are saved and its commands run, in its order, in a clone of their own."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.documentation import readers
from tests.documentation.blocks import Block, blocks_of, commands
from tests.documentation.unrun import IN_THE_CAMPAIGN, NEVER, NEVER_PYTHON

SMALL = "visualization: {size: 32, steps: 2, attempts: 1}\n"
_CACHE = ".vizengine-cache"
_SERVE_ONCE = Path(__file__).with_name("serve_once.py")
_END = "END_OF_BLOCK"


@dataclass(frozen=True)
class Followed:
    """What came of following a page.

    Attributes:
        page: which.
        count: how many commands and blocks of Python ran.
        failure: empty, or where it ended and what was said last.
        changed: what git says of the clone afterwards, a line for each file that isn't as it was.
    """

    page: str
    count: int
    failure: str
    changed: tuple[str, ...]


def runs(block: Block, whole: bool) -> bool:
    """Whether anything in a block is executed."""
    if block.language == "sh":
        return any(not _left_out(command, whole) for _, command in commands(block))
    return block.language == "python" and not block.file and block.text.split("\n")[0] not in NEVER_PYTHON


def follow(page: str, folder: Path, cache: Path, whole: bool = False) -> Followed:
    """Do what a page says.

    Args:
        page: path from the root of the checkout.
        folder: doesn't exist yet; gets the clone, its origin and a place for a web server's files.
        cache: what pages share; it is filled by each.
        whole: whether to run everything that can be run, at the pictures' own size, and not small and quickly.
    """
    clone = folder / "clone"
    readers.clone(clone)
    readers.prepare(page, clone)
    if not whole:
        for config in clone.glob("*.yaml"):
            config.write_text(small(config.read_text("utf-8")), "utf-8")
    environment = _environment(_own_environment(folder) if whole else Path(sys.executable).parent)
    _put_under_git(clone, folder / "origin.git", environment)
    (folder / "www").mkdir()
    if cache.exists():
        shutil.copytree(cache, clone / _CACHE)
    steps = tuple(_script(page, folder, whole))
    start = folder / "home" if _begins_with_a_clone(page) else clone
    start.mkdir(exist_ok=True)
    script = "\n".join(["set -eu", f"cd {shlex.quote(str(start))}", *(text for _, text in steps)])
    limit = 7200 if whole else 900
    done = subprocess.run(
        ["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=limit, stdin=subprocess.DEVNULL
    )
    for found in start.rglob(_CACHE):
        shutil.copytree(found, cache, dirs_exist_ok=True)
    reached = re.findall(r"^reached (.+)$", done.stderr, re.MULTILINE)
    failure = ""
    if done.returncode:
        failure = f"{reached[-1] if reached else page}: status {done.returncode}\n{done.stderr[-2000:]}"
    repository = start / "vizengine" if _begins_with_a_clone(page) else clone
    status = ["git", "status", "--porcelain"]
    said = subprocess.run(status, cwd=repository, env=environment, capture_output=True, text=True, check=True).stdout
    return Followed(page, sum(count for count, _ in steps), failure, tuple(said.splitlines()))


def _script(page: str, folder: Path, whole: bool) -> Iterator[tuple[int, str]]:
    """The page as shell: for each step how many commands it is, and its text."""
    session: list[Block] = []
    for block in blocks_of(page):
        if session and not (block.language == "python" and not block.file):
            yield len(session), _python(session)
            session = []
        if block.file:
            text = block.text if whole or "\ncircuits:" not in block.text else small(block.text)
            where = shlex.quote(block.file)
            yield 0, f"mkdir -p $(dirname {where})\ncat > {where} <<'{_END}'\n{text}{_END}"
        elif block.language == "sh":
            for line, command in commands(block):
                if not _left_out(command, whole):
                    yield 1, f"echo 'reached {page}:{line}' >&2\n{_here(command, folder)}"
        elif block.language == "python" and runs(block, whole):
            session.append(block)
    if session:
        yield len(session), _python(session)


def _python(session: list[Block]) -> str:
    """Blocks that follow each other, in one process as in one notebook."""
    text = "".join(block.text for block in session)
    return f"echo 'reached {session[0].place}' >&2\npython - <<'{_END}'\n{text}{_END}"


def _here(command: str, folder: Path) -> str:
    """A command with this machine's places in place of those that stand for the reader's."""
    command = command.replace("ADDRESS", shlex.quote(str(folder / "origin.git")))
    command = command.replace("/var/www/html", shlex.quote(str(folder / "www")))
    if shared := os.environ.get("VIZENGINE_WEIGHTS"):
        command = command.replace("that/folder", shlex.quote(shared))
    return f"python {shlex.quote(str(_SERVE_ONCE))} {command}" if command.endswith(" --serve") else command


def _left_out(command: str, whole: bool) -> bool:
    return command in NEVER or (not whole and command in IN_THE_CAMPAIGN)


def small(config: str) -> str:
    """The same config with small pictures of few steps."""
    kept = re.sub(r"^visualization:.*\n(?: +.*\n)*", "", config, flags=re.MULTILINE)
    return kept + SMALL


def _begins_with_a_clone(page: str) -> bool:
    said = [command for block in blocks_of(page) if block.language == "sh" for _, command in commands(block)]
    return bool(said) and said[0].startswith("git clone")


def _own_environment(folder: Path) -> Path:
    """The programs of a virtual environment that has the packages of this one, and may be installed into."""
    made = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", str(made)], check=True)
    (packages,) = made.glob("lib/python3.*/site-packages")
    (packages / "those-of-the-tests.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return made / "bin"


def _environment(programs: Path) -> dict[str, str]:
    """That of a reader: `python` is among these programs, and git knows its user."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("TF_", "GRPC_", "GIT_", "PYTEST_"))
    }
    person = {"NAME": "Reader", "EMAIL": "reader@example.org"}
    names = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in person.items()}
    path = os.pathsep.join([str(programs), kept.get("PATH", "")])
    return kept | names | {"PATH": path, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}


def _put_under_git(clone: Path, origin: Path, environment: dict[str, str]) -> None:
    """Make the clone one, of an origin that it can push to."""
    for command in (
        ["git", "init", "--quiet", "--bare", "--initial-branch=main", str(origin)],
        ["git", "init", "--quiet", "--initial-branch=main"],
        ["git", "remote", "add", "origin", str(origin)],
        ["git", "add", "--all"],
        ["git", "commit", "--quiet", "--message", "As it was"],
        ["git", "push", "--quiet", "--set-upstream", "origin", "main"],
    ):
        subprocess.run(command, cwd=clone, env=environment, check=True, capture_output=True)
