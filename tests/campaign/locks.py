"""Every lock, and the lowest of every range, installed for itself: a stranger's first steps go well with each."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement

from tests.campaign import Campaign, Result, Tally
from tests.places import REPOSITORY
from tests.release.installed import (
    PYTHONS,
    consistent,
    first_steps,
    fresh_environment,
    make_distributions,
    run,
)


def lowest() -> list[str]:
    """What `requirements.txt` admits at least, as pins."""
    lines = (line.split("#")[0].strip() for line in (REPOSITORY / "requirements.txt").read_text("utf-8").splitlines())
    requirements = [Requirement(line) for line in lines if line]
    ends = {each.name: next(end for end in each.specifier if end.operator in (">=", "==")) for each in requirements}
    return [f"{name}=={end.version}" for name, end in ends.items()]


def _installations() -> Iterator[tuple[str, str, list[object]]]:
    """What is tried: in words, with which Python, and what pip is told."""
    for version in PYTHONS:
        yield f"lock, Python {version}", version, ["--require-hashes", "-r", REPOSITORY / "requirements.lock"]
    yield f"lowest of the ranges, Python {PYTHONS[0]}", PYTHONS[0], [*lowest()]


def run_campaign() -> Result:
    """Install each in an environment of its own, with the wheel beside it, and build a small site there."""
    tally, went = Tally(), []
    with tempfile.TemporaryDirectory(prefix="distributions") as distributions:
        _, wheel = make_distributions(Path(distributions))
        for words, version, requirements in _installations():
            # An environment takes two gigabytes, so each is given back before the next.
            with tally.case_in_folder(words) as place:
                programs = fresh_environment(version, place / "environment", *requirements)
                run(programs / "python", "-m", "pip", "install", "--quiet", "--no-deps", wheel, folder=place)
                consistent(programs)
                first_steps(programs / "vizengine", place)
                went.append(words)
    return tally.result(f"installed, consistent, and built and served a page from `init`'s config: {'; '.join(went)}")


def run_wheel() -> Result:
    """Install wheel and sdist, each into a fresh environment of the newest Python, and take the first steps there."""
    tally, went = Tally(), []
    with tempfile.TemporaryDirectory(prefix="distributions") as distributions:
        for kind, distribution in zip(("sdist", "wheel"), make_distributions(Path(distributions)), strict=True):
            with tally.case_in_folder(kind) as place:
                programs = fresh_environment(PYTHONS[-1], place / "environment", distribution)
                consistent(programs)
                first_steps(programs / "vizengine", place)
                went.append(kind)
    return tally.result(f"installed, and `init`, `--check`, build and `--serve` went well, from: {', '.join(went)}")


LOCKS = Campaign(
    "The lock installs and works on Python 3.11, 3.12 and 3.13, and so does the lowest version of every range.",
    "pip, with hashes, into fresh virtual environments; the wheel beside it; `pip check`; `vizengine init`, `--check`, "
    "a `--strict` build and `--serve` from a folder without a checkout. `make test` holds lock, ranges and what is "
    "installed against each other.",
    run_campaign,
)

WHEEL = Campaign(
    "Wheel and sdist work from a folder outside the repository, templates and schema inside.",
    "`pip install` of each into a fresh virtual environment of Python 3.13, with the newest packages that the ranges "
    "admit; then `vizengine init`, `--check`, a `--strict` build and `--serve`. `make test` compares their content "
    "with the checkout, and takes the first steps with the wheel unpacked.",
    run_wheel,
)
