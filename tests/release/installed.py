"""Distributions, fresh environments with them, and what a stranger does first in one. Shared with the campaigns."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import urllib.request
from pathlib import Path
from subprocess import DEVNULL, PIPE

from tests.places import REPOSITORY

PYTHONS = ("3.11", "3.12", "3.13")
_QUICK = {"#size: 128": "size: 32", "#steps: 96": "steps: 4", "#attempts: 4": "attempts: 1"}


def environment() -> dict[str, str]:
    """This process' variables without those that could lead a child to the checkout or to weights beside it."""
    away = ("TF_", "VIZENGINE_", "PYTHON", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(away)}


def run(*command: object, folder: Path, code: int = 0) -> str:
    """stdout of a command that ends with `code`."""
    words = [str(each) for each in command]
    try:
        done = subprocess.run(words, cwd=folder, env=environment(), capture_output=True, text=True, timeout=1800)
    except (OSError, subprocess.SubprocessError) as error:
        raise AssertionError(f"{words}: {error}") from error
    assert done.returncode == code, (
        f"{words}: exit code {done.returncode}\n{done.stdout[-1500:]}\n{done.stderr[-3000:]}"
    )
    return done.stdout


def make_distributions(folder: Path) -> tuple[Path, Path]:
    """A sdist of this checkout, and a wheel that is made from that sdist.

    Both are made from copies, so that no build files are left in the checkout, and by the setuptools of this
    environment, so that nothing is fetched.
    """
    source, target = folder / "source", folder / "dist"
    for name in ("vizengine", "templates", "tests/release"):
        shutil.copytree(REPOSITORY / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in REPOSITORY.iterdir():
        if path.is_file():
            shutil.copy(path, source)
    target.mkdir()
    program = "import sys; from setuptools import build_meta; build_meta.build_sdist(sys.argv[1])"
    run(sys.executable, "-c", program, target, folder=source)
    (sdist,) = target.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    options = ("--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", target)
    run(sys.executable, "-m", "pip", "wheel", *options, unpacked, folder=folder)
    (wheel,) = target.glob("*.whl")
    return sdist, wheel


def _python_of(version: str) -> str:
    """An interpreter of that version on this machine."""
    for name in (f"python{version}", "python3", "python"):
        path = shutil.which(name)
        says = "import sys; print('%d.%d' % sys.version_info[:2])"
        if path:
            done = subprocess.run([path, "-c", says], capture_output=True, text=True, env=environment())
            if done.stdout.strip() == version:
                return path
    raise AssertionError(f"no Python {version} on this machine")


def fresh_environment(version: str, folder: Path, *installations: tuple[object, ...]) -> Path:
    """The folder of the programs of a new virtual environment, in which every package has what it needs.

    Args:
        version: of Python.
        folder: of the environment.
        installations: what `pip install` is given, one call after the other.
    """
    run(_python_of(version), "-m", "venv", folder, folder=folder.parent)
    pip = (folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check")
    for requirements in installations:
        run(*pip, "install", "--quiet", *requirements, folder=folder)
    run(*pip, "check", folder=folder)
    return folder / "bin"


def first_steps(vizengine: Path, folder: Path) -> None:
    """What a stranger does first: `init`, `--check`, a build, and a look at it served. All of it must go well.

    Args:
        vizengine: the installed command.
        folder: an empty one, far from any checkout.
    """
    assert run(vizengine, "init", "mine", folder=folder) == "mine/config.yaml\n"
    config = folder / "mine" / "config.yaml"
    text = config.read_text(encoding="utf-8")
    for slow, quick in _QUICK.items():
        assert slow in text
        text = text.replace(slow, quick)
    config.write_text(text, encoding="utf-8")
    assert run(vizengine, config, "--check", folder=folder).endswith("fine, 1 circuit\n")
    run(vizengine, config, "--strict", "--quiet", folder=folder)
    page = (folder / "mine/site/index.html").read_bytes()
    # The config itself, notes included, stands at the foot of the page.
    shown = re.sub(b"<pre.*?</pre>", b"", page, flags=re.DOTALL)
    assert b"I think that this unit looks for" in shown and b"notes to you" not in shown
    assert served(vizengine, config, folder) == page


def served(vizengine: Path, config: Path, folder: Path) -> bytes:
    """The first page as `--serve` gives it, until Ctrl-C."""
    process = subprocess.Popen(
        [str(vizengine), str(config), "--serve", "0"],
        cwd=folder,
        env=environment(),
        stdout=DEVNULL,
        stderr=PIPE,
        text=True,
        # A shell that puts the tests in the background has SIGINT ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
    )
    assert process.stderr is not None
    said = []
    try:
        for line in process.stderr:
            said.append(line)
            found = re.search(r"(http://127\S+)", line)
            if found:
                with urllib.request.urlopen(found[1], timeout=60) as answer:
                    page: bytes = answer.read()
                process.send_signal(signal.SIGINT)
                assert process.wait(60) == 0, said
                return page
        raise AssertionError(f"no address: {said}")
    finally:
        process.kill()
        process.communicate()
