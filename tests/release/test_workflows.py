"""The workflows run pinned actions with no more rights than each job needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import REPOSITORY

FOLDER = REPOSITORY / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))
# Who may write what; all else reads, at most.
WRITES = {
    ("pages.yml", "publish"): {"pages": "write", "id-token": "write"},
    ("release.yml", "publish"): {"contents": "write"},
}
_PINNED = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")


def flaws(name: str, text: str) -> Iterator[str]:
    """What is wrong with a workflow."""
    workflow = yaml.safe_load(text)
    # YAML 1.1 reads the key `on` as true.
    events = workflow[True]
    if "pull_request_target" in events or "workflow_run" in events:
        yield "a stranger's change runs with this repository's rights"
    if workflow.get("permissions") != {}:
        yield "permissions for all jobs alike"
    if "group" not in workflow.get("concurrency", {}):
        yield "no concurrency"
    if "secrets" in text:
        yield "a secret"
    for uses in re.findall(r"uses: (.+)$", text, re.MULTILINE):
        if not _PINNED.match(uses) and not uses.startswith("./"):
            yield f"{uses} isn't pinned to a commit"
    for job, content in workflow["jobs"].items():
        yield from (f"{job}: {flaw}" for flaw in _job_flaws(content, WRITES.get((name, job), {})))


def _job_flaws(job: dict[str, Any], writes: dict[str, str]) -> Iterator[str]:
    permissions = job.get("permissions")
    if not isinstance(permissions, dict):
        yield "no permissions of its own"
    elif {scope: right for scope, right in permissions.items() if right != "read"} != writes:
        yield f"may write what it needn't: {permissions}"
    if "uses" not in job and not 0 < job.get("timeout-minutes", 0) <= 60:
        yield "no timeout of an hour at most"
    for step in job.get("steps", ()):
        checkout = step.get("uses", "").startswith("actions/checkout@")
        if checkout and step.get("with", {}).get("persist-credentials") is not False:
            yield "credentials stay in the checkout"
        if "${{" in step.get("run", ""):
            yield "a value from outside becomes part of a command"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_workflow_is_pinned_and_has_few_rights(path: Path) -> None:
    assert list(flaws(path.name, path.read_text(encoding="utf-8"))) == []


def test_the_workflows_are_there() -> None:
    assert {path.name for path in FILES} == {"pages.yml", "release.yml", "tests.yml"}
    assert set(WRITES) <= {
        (path.name, job) for path in FILES for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    }


def test_an_action_has_one_version_everywhere() -> None:
    found: dict[str, set[str]] = {}
    for path in FILES:
        for action, version in re.findall(r"uses: ([\w/-]+)@(.+)$", path.read_text(encoding="utf-8"), re.MULTILINE):
            found.setdefault(action, set()).add(version)
    assert len(found) > 5
    assert all(len(versions) == 1 for versions in found.values()), found


def test_what_a_release_calls_exists() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        for targets in re.findall(r"run: make ([\w -]+?)(?: \w+=\w+)*$", text, re.MULTILINE):
            assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets.split()), targets
        for module in re.findall(r"python -m ([\w.]+)", text):
            assert (REPOSITORY / module.replace(".", "/")).with_suffix(".py").is_file()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("permissions: {}", "permissions: write-all", "permissions for all jobs alike"),
        (r"@[0-9a-f]{40} # v5\.0\.0", "@v5", "isn't pinned"),
        (r" # v5\.0\.0", "", "isn't pinned"),
        ("contents: read", "contents: write", "may write what it needn't"),
        ("persist-credentials: false", "persist-credentials: true", "credentials stay"),
        ("persist-credentials: false", "fetch-depth: 1", "credentials stay"),
        ("timeout-minutes: 60", "timeout-minutes: 360", "no timeout"),
        ("    timeout-minutes: 60\n", "", "no timeout"),
        (r"bash \.ci/run", "bash .ci/run ${{ github.head_ref }}", "part of a command"),
        ("PYTHON: python\n", "PYTHON: ${{ secrets.TOKEN }}\n", "a secret"),
        ("  pull_request:", "  pull_request_target:", "a stranger's change"),
        ("group: tests.*", "cancel: false", "no concurrency"),
        (r"    permissions:\n      contents: read\n", "", "no permissions of its own"),
    ],
)
def test_a_flaw_is_seen(old: str, new: str, words: str) -> None:
    text = (FOLDER / "tests.yml").read_text(encoding="utf-8")
    changed = re.sub(old, new, text)
    assert changed != text
    assert any(words in flaw for flaw in flaws("tests.yml", changed))
