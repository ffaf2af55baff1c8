"""Real runs of the command: a small config, its process, what its site holds, and finished runs that tests share."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from filelock import FileLock
from PIL import Image
from skimage import data

from tests.places import REPOSITORY
from vizengine.runtime import quiet_tensorflow

CONFIG = """\
site: {title: TITLE}
photos: photos
visualization: {size: 32, steps: 4, attempts: 1}
circuits:
  - name: squeeze
    network: {model: squeezenet1.1}
    unit: {layer: conv1, index: 3}
    inputs: 3
"""
CIRCUIT = """\
site: {title: Test, author: Ada, url: "https://example.org/site"}
photos: photos
visualization: {size: 64, steps: 24, attempts: 1}
circuits:
  - name: squeeze
    network: {model: squeezenet1.1}
    unit: {layer: fire2/squeeze1x1, index: 3}
    siblings: [1]
    depth: 2
    hypothesis:
      unit: "It reaches {{ unit.reached }}."
      circuit: "First is {{ top1.label }}."
      claims: [{prefers: {uniform: {}, over: {bar: {}}}}, {prefers: {bar: {}, over: {uniform: {}}}}]
"""
SWEEP = """\
site: {title: Test}
photos: photos
visualization: {size: 32, steps: 4, attempts: 1}
circuits:
  - name: small
    network: {model: squeezenet1.1}
    unit: {layer: [conv1, fire2/squeeze1x1], index: all}
    inputs: 3
"""
SAID = "said.txt"
# Wall-clock times, the list of files, which is written last, and the config.
_SIDE_FILES = ("build.json", ".vizengine-site", "config.yaml")


def environment(**more: str) -> dict[str, str]:
    """The tests' own, without what changes TensorFlow or leads to weights."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "GRPC_"))}
    return {**kept, **more}


def command(*arguments: object, trace: bool = False) -> list[str]:
    """`python generate.py` with arguments; with `trace` it tells what it imports."""
    python = [sys.executable, *(["-X", "importtime"] if trace else [])]
    return [*python, str(REPOSITORY / "generate.py"), *map(str, arguments)]


def start(folder: Path, *arguments: object, **more: str) -> subprocess.Popen[str]:
    """Start the command in a folder."""
    return subprocess.Popen(
        command(*arguments),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(PYTHONUNBUFFERED="1", **more),
        # A shell that puts the tests in the background has SIGINT ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
    )


def run(
    folder: Path, *arguments: object, code: int | None = None, trace: bool = False, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder to its end, which must be `code` where that is given.

    Where neither its imports are asked for nor its environment changes them, it runs in a fork of a process that has
    imported everything: TensorFlow alone takes seconds.
    """
    line, variables = command(*arguments, trace=trace), environment(**more)
    if trace or "PYTHONPATH" in more:
        done = subprocess.run(line, cwd=folder, capture_output=True, text=True, env=variables, timeout=600)
    else:
        with tempfile.TemporaryDirectory() as name:
            streams = [Path(name, "stdout"), Path(name, "stderr")]
            process = _forks().Process(target=_in_a_fork, args=(line[1:], folder, variables, streams))
            process.start()
            process.join(600)
            stdout, stderr = (stream.read_text() for stream in streams)
        assert process.exitcode is not None, stderr
        done = subprocess.CompletedProcess(line, process.exitcode, stdout, stderr)
    assert code is None or done.returncode == code, done.stderr[-3000:]
    return done


@cache
def _forks() -> multiprocessing.context.ForkServerContext:
    quiet_tensorflow()
    context = multiprocessing.get_context("forkserver")
    libraries = "tensorflow keras h5py scipy.stats skimage.color skimage.transform sklearn.decomposition"
    context.set_forkserver_preload([*libraries.split(), "sklearn.cluster", "vizengine.build", "vizengine.cli"])
    return context


def _in_a_fork(arguments: list[str], folder: Path, variables: dict[str, str], streams: list[Path]) -> None:
    """What `python ARGUMENTS` does."""
    from vizengine.cli import main

    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    for number, stream in enumerate(streams, 1):
        os.dup2(os.open(stream, os.O_WRONLY | os.O_CREAT), number)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = arguments
    sys.exit(main())


def limited(limit: str, folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command under a limit of `ulimit`, as `-v 700000`."""
    shell = ["sh", "-c", f'ulimit {limit}; exec "$@"', "sh", *command(*arguments)]
    return subprocess.run(shell, cwd=folder, capture_output=True, text=True, env=environment(), check=False)


def wait_for(process: subprocess.Popen[str], reached: Callable[[], object]) -> None:
    """Wait until something holds, which must be before the process ends."""
    deadline = time.monotonic() + 120
    while not reached() and time.monotonic() < deadline:
        assert process.poll() is None, "the run ended before it could be interrupted"
        time.sleep(0.01)


@cache
def _photos() -> dict[str, Image.Image]:
    photos = {name: Image.fromarray(getattr(data, name)()) for name in ("astronaut", "chelsea", "coffee", "rocket")}
    for photo in photos.values():
        photo.thumbnail((160, 160))
    return photos


def write_photos(folder: Path) -> None:
    """Four small photos in `photos`: the sample photos are larger and take ten times as long."""
    if not (folder / "photos").exists():
        (folder / "photos").mkdir()
        for name, photo in _photos().items():
            photo.save(folder / "photos" / f"{name}.jpg")


def write_config(folder: Path, title: str) -> None:
    """A config whose pages differ by their title, and its photos."""
    write_photos(folder)
    (folder / "config.yaml").write_text(CONFIG.replace("TITLE", title))


def contents(site: Path) -> dict[str, str]:
    """Hash of each file of a site by its path, but for those that may differ; nothing where there is no site."""
    return {
        path.relative_to(site).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(site.rglob("*"))
        if path.is_file() and path.name not in _SIDE_FILES
    }


def leftovers(folder: Path) -> list[str]:
    """What a run that ended may not leave behind beside its site."""
    return sorted(path.name for path in folder.glob(".site.*"))


@cache
def _finished() -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory()
    write_config(Path(folder.name), "first")
    run(Path(folder.name), "config.yaml", code=0)
    return folder


def built(folder: Path) -> dict[str, str]:
    """Copy a finished site, with what was kept on the way, into a folder; what it holds."""
    shutil.copytree(_finished().name, folder, dirs_exist_ok=True)
    return contents(folder / "site")


def build_once(folder: Path, config: str) -> Path:
    """A folder with a config, its site, the cache and what the run said: built by the first process that asks."""
    folder.mkdir(exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not (folder / SAID).exists():
            write_photos(folder)
            (folder / "config.yaml").write_text(config)
            done = run(folder, "config.yaml", code=0)
            assert done.stdout == "site/index.html\n"
            (folder / SAID).write_text(done.stderr)
    return folder
