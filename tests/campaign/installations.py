"""What a release is installed from: a stranger's first steps go well with each."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.requirements import Requirement

from tests.campaign import Campaign, Case
from tests.places import REPOSITORY
from tests.release.installed import PYTHONS, first_steps, fresh_environment, make_distributions


def _lowest() -> Iterator[str]:
    """What `requirements.txt` admits at least, as pins."""
    for line in (REPOSITORY / "requirements.txt").read_text("utf-8").splitlines():
        if text := line.partition("#")[0].strip():
            requirement = Requirement(text)
            lowest = next(end for end in requirement.specifier if end.operator in (">=", "=="))
            yield f"{requirement.name}=={lowest.version}"


def _install(version: str, *installations: tuple[object, ...]) -> str:
    """Install with pip into an environment of its own, which takes gigabytes and goes at the end; first steps there."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve()
        programs = fresh_environment(version, folder / "environment", *installations)
        first_steps(programs / "vizengine", folder)
    return "installed"


def _lock_cases(folder: Path) -> Iterator[Case]:
    wheel = ("--no-deps", make_distributions(folder)[1])
    lock = ("--require-hashes", "-r", REPOSITORY / "requirements.lock")
    for version in PYTHONS:
        yield f"lock, Python {version}", partial(_install, version, lock, wheel)
    yield f"lowest of the ranges, Python {PYTHONS[0]}", partial(_install, PYTHONS[0], (*_lowest(),), wheel)


def _wheel_cases(folder: Path) -> Iterator[Case]:
    for distribution in make_distributions(folder):
        yield distribution.name, partial(_install, PYTHONS[-1], (distribution,))


LOCKS = Campaign(
    "The lock installs and works on Python 3.11, 3.12 and 3.13, and so does the lowest version of every range.",
    "pip, with hashes, into fresh virtual environments; the wheel beside it; `pip check`; `vizengine init`, `--check`, "
    "a `--strict` build and `--serve` from a folder without a checkout. `make test` holds lock, ranges and what is "
    "installed against each other.",
    "each was consistent, and built and served a page from `init`'s config",
    _lock_cases,
)
WHEEL = Campaign(
    "Wheel and sdist work from a folder outside the repository, templates and schema inside.",
    "`pip install` of each into a fresh virtual environment of Python 3.13, with the newest packages that the ranges "
    "admit; then `vizengine init`, `--check`, a `--strict` build and `--serve`. `make test` compares their content "
    "with the checkout, and takes the first steps with the wheel unpacked.",
    "each was consistent, and `init`, `--check`, build and `--serve` went well",
    _wheel_cases,
)
