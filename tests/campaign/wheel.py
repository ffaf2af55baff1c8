"""Wheel and sdist, installed by pip as a stranger would, with the packages that pip chooses that day."""

from __future__ import annotations

import tempfile
from pathlib import Path
from subprocess import SubprocessError

from tests.campaign import Campaign, Result
from tests.release.installed import PYTHONS, consistent, first_steps, fresh_environment, make_distributions, python_of


def run_campaign() -> Result:
    """Install both, each into a fresh environment of the newest Python, and take the first steps there."""
    went: list[str] = []
    failed: list[str] = []
    python = python_of(PYTHONS[-1])
    with tempfile.TemporaryDirectory(prefix="wheel") as name:
        folder = Path(name)
        for kind, distribution in zip(("sdist", "wheel"), make_distributions(folder), strict=True):
            try:
                assert python is not None, f"no Python {PYTHONS[-1]} on this machine"
                (folder / kind).mkdir()
                programs = fresh_environment(python, folder / kind / "environment", distribution)
                consistent(programs)
                first_steps(programs / "vizengine", folder / kind)
                went.append(kind)
            except (AssertionError, OSError, SubprocessError) as error:
                failed.append(f"{kind}: {str(error)[:200]}")
    outcome = f"installed, and `init`, `--check`, build and `--serve` went well, from: {', '.join(went)}"
    return Result(2, outcome + (f"; NOT from {'; '.join(failed)}" if failed else ""), held=not failed)


WHEEL = Campaign(
    "Wheel and sdist work from a folder outside the repository, templates and schema inside.",
    "`pip install` of each into a fresh virtual environment of Python 3.13, with the newest packages that the ranges "
    "admit; then `vizengine init`, `--check`, a `--strict` build and `--serve`. `make test` compares their content "
    "with the checkout, and takes the first steps with the wheel unpacked.",
    run_campaign,
)
