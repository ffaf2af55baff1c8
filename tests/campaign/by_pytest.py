"""Promises whose test is whole in `make test`: the campaign runs that test by itself and reports its counts."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.campaign import Result
from tests.places import REPOSITORY


def by_pytest(*paths: str) -> Callable[[], Result]:
    """A campaign's `run`: pytest on these files of the repository."""

    def run() -> Result:
        with TemporaryDirectory() as folder:
            report = Path(folder) / "report.xml"
            command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *paths]
            done = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL)
            suites = ElementTree.parse(report).getroot().iter("testsuite")
            counts = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
            for suite in suites:
                counts = {name: count + int(suite.get(name, 0)) for name, count in counts.items()}
        wrong = counts["failures"] + counts["errors"]
        passed = counts["tests"] - wrong - counts["skipped"]
        skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
        return Result(
            counts["tests"], f"{passed} held, {wrong} failed{skipped}", held=done.returncode == 0 and passed > 0
        )

    return run
