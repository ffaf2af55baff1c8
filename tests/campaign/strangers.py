"""A stranger's config: it connects to nothing, and what lies outside its folder is neither read nor shown."""

from __future__ import annotations

import contextlib
import io
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from tests.campaign import Campaign, Result, Tally
from tests.runs import run

_CONFIG = """\
site: {title: Strange, out: OUT}
photos: PHOTOS
visualization: {size: 32, steps: 2, attempts: 1}
circuits:
  - name: one
    network: {NETWORK}
    unit: {layer: fire2/squeeze1x1, index: UNIT}
"""
SECRET = "the secret of whoever builds it"
_MOST_SECONDS = 20
_WAYS = ("../private", "away", "inside/../../private", "ABSOLUTE", "~/private")
_FILES = {
    "labels": "model: squeezenet1.1, labels: %s/secret.txt",
    "weights": "model: squeezenet1.1, weights: %s/secret.h5",
    "weights of an application": "model: resnet50, weights: %s/secret.h5",
    "weights_folder": "model: vgg19, weights_folder: %s",
    "model": "model: %s/secret.keras, preprocess: {}",
    "text": 'model: squeezenet1.1, why: {file: "%s/secret.txt"}',
}
_PATTERNS = (
    *("/**/*.png", "/*/*/*.png", "~/**/*.png", "../**/*.png", "../../**", "away", "away/**/*.png", "away/album/*.png"),
    *("inside/*/../../../**/*.png", "inside/../away", "/proc/**/*.png", "ABSOLUTE/../**/*.png"),
)
_SCHEDULERS = (
    "execution: {scheduler: 'ADDRESS'}",
    "execution: {workers: 1, scheduler: 'ADDRESS'}",
    "execution: {\"sch\\u0065duler\": 'ADDRESS'}",
    "a: &a {scheduler: 'ADDRESS'}\nexecution: {<<: *a}",
    "execution: &a {scheduler: 'ADDRESS'}",
    "execution: {gpus: 1, threads: 1, scheduler: 'ADDRESS'}",
    "execution: {Scheduler: 'ADDRESS'}",
)


@dataclass(frozen=True)
class Case:
    """A config that must be refused.

    Attributes:
        what: in words.
        text: the config.
        confined: whether only `--confined` refuses it.
    """

    what: str
    text: str
    confined: bool = False


def _text(network: str = "model: squeezenet1.1", photos: str = "samples", out: str = "site", unit: str = "3") -> str:
    text = _CONFIG.replace("NETWORK", network).replace("PHOTOS", photos)
    return text.replace("OUT", out).replace("UNIT", unit)


def refused() -> Iterator[Case]:
    """Configs that name what they may not name."""
    for what, network in _FILES.items():
        for way in _WAYS:
            yield Case(f"{what} by {way}", _text(network % way))
    for pattern in _PATTERNS:
        yield Case(f"photos {pattern}", _text(photos=pattern))
    for photos in ("../private", "ABSOLUTE", "~/private/*.png", "../private/passport.png"):
        yield Case(f"photos {photos}", _text(photos=photos), confined=True)
    for out in ("../elsewhere", "away/site", "ABSOLUTE/site", "~/elsewhere"):
        yield Case(f"out {out}", _text(out=out), confined=True)
    yield Case("code", _text("model: own:model, trust: true, preprocess: {}"), confined=True)


def schedulers() -> Iterator[Case]:
    """Sweeps whose config names a scheduler, in every way that YAML has."""
    for lines in _SCHEDULERS:
        yield Case(lines, f"{lines}\n{_text(unit='all')}")


def bundle(place: Path) -> Path:
    """A stranger's folder, and beside it what its reader keeps for himself."""
    folder, private = place / "bundle", place / "private"
    for each in (folder / "inside" / "deep", private / "album"):
        each.mkdir(parents=True)
    for path in (folder / "inside" / "mine.png", private / "passport.png", private / "album" / "daughter.png"):
        Image.new("RGB", (40, 40), "teal").save(path)
    for name in ("secret.txt", "secret.h5", "secret.keras"):
        (private / name).write_text(f"{SECRET}\n")
    (folder / "away").symlink_to(private)
    (folder / "own.py").write_text("import pathlib\npathlib.Path(__file__).with_name('ran').touch()\n")
    return folder


def by_main(folder: Path, *options: str) -> tuple[int, str]:
    """The command's own `main`, whose user's home is the folder around the config's: exit code, and what it says."""
    from vizengine.cli import main

    out, err = io.TextIOWrapper(io.BytesIO()), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.setenv("HOME", str(folder.parent))
        code = main([str(folder / "config.yaml"), *options])
    out.seek(0)
    return code, out.read() + err.getvalue()


def by_command(folder: Path, *options: str) -> tuple[int, str]:
    """The same by the real command."""
    done = run(folder, "config.yaml", *options, HOME=str(folder.parent))
    return done.returncode, done.stdout + done.stderr


def refuse(case: Case, folder: Path, way: Callable[..., tuple[int, str]] = by_main) -> None:
    """Have a config refused, with `--check` and without.

    Args:
        case: the config.
        folder: as `bundle` makes it.
        way: what runs the command.

    Raises:
        AssertionError: it is taken, takes long, or what it says has the secret in it.
    """
    private = folder.parent / "private"
    text = case.text.replace("ABSOLUTE", str(private))
    (folder / "config.yaml").write_text(text)
    before = sorted(path.name for path in folder.parent.rglob("*"))
    for options in (["--check"], []):
        started = time.monotonic()
        code, told = way(folder, *options, *(["--confined"] if case.confined else []))
        assert code == 2 and "config.yaml:" in told, (options, code, told[-300:])
        assert "Traceback" not in told and "unexpected error" not in told, told[-300:]
        assert SECRET not in told
        assert time.monotonic() - started < _MOST_SECONDS, "it took long"
    assert sorted(path.name for path in folder.parent.rglob("*")) == before, "something was written"


def put_pictures(folder: Path, links: int = 20) -> str:
    """Build a page from a folder of photos among which links lead out; nothing from there may be on it.

    Returns:
        How many links were told.

    Raises:
        AssertionError: a link was followed, or isn't told.
    """
    private = folder.parent / "private"
    targets = [
        private / "passport.png",
        private / "album",
        Path("/"),
        folder.parent,
        private / "album" / "daughter.png",
    ]
    for number in range(links):
        name = "stolen" if targets[number % len(targets)].suffix else "deep/stolen"
        (folder / "inside" / f"{name}-{number}.png").symlink_to(targets[number % len(targets)])
    (folder / "config.yaml").write_text(_text(photos="inside/**/*.png"))
    done = run(folder, "config.yaml")
    assert done.returncode == 0, done.stderr[-500:]
    told = done.stderr.count("is a link that leads out")
    assert told == links, (told, done.stderr[-500:])
    page = (folder / "site" / "index.html").read_text()
    assert "passport" not in page and "daughter" not in page and "stolen" not in page
    return f"{told} of {links} links among photos were passed over and told"


def campaign() -> Result:
    """Every config by the command's own `main`, and one page by the real command."""
    tally, cases = Tally(), list(refused())
    for case in cases:
        with tally.case_in_folder(case.what) as folder:
            refuse(case, bundle(folder))
    held, ends = len(cases) - len(tally.broken), ""
    with tally.case_in_folder("a page") as folder:
        ends = put_pictures(bundle(folder))
    return tally.result(
        f"{held} of {len(cases)} were refused with their lines, {sum(case.confined for case in cases)} of these under "
        f"`--confined` alone; none took over {_MOST_SECONDS} s; {ends}"
    )


def connect_to_nothing() -> Result:
    """Every config with a scheduler by the real command, while something listens at the address."""
    tally, cases = Tally(), list(schedulers())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        address = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        for case in cases:
            with tally.case_in_folder(case.what) as folder:
                refuse(Case(case.what, case.text.replace("ADDRESS", address)), bundle(folder), by_command)
                try:
                    listener.accept()
                except TimeoutError:
                    continue
                raise AssertionError("it connected")
    held = len(cases) - len(tally.broken)
    return tally.result(f"{held} of {len(cases)} were refused with their lines, and nothing connected")


STRANGERS = Campaign(
    "A config reads nothing outside its folder but weights in the user's folders for them, and photos in a folder that "
    "it names outright, which is told; under `--confined` it reads and writes nothing there at all.",
    "Labels, weights, models and texts by `..`, by links, by the home folder and by absolute paths, patterns that "
    "would search the disk, sites that would go elsewhere; each by the command's own `main`, with `--check` and "
    "without; then, by the real command, a page from a folder of photos full of links",
    campaign,
)
SCHEDULERS = Campaign(
    "A config connects to no scheduler, whose answers could run code: its address comes from the command line or the "
    "environment alone.",
    "Configs of sweeps that name a scheduler, by aliases, merged sections and escapes too, each by the real command "
    "with `--check` and without, while a server on this machine waits for connections at that address",
    connect_to_nothing,
)
