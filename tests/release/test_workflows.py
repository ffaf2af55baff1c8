"""The workflows run pinned actions with no more rights than each job needs."""

from __future__ import annotations

import re

import yaml

from tests.places import REPOSITORY

FOLDER = REPOSITORY / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))
# Who may write what; all else reads, at most.
WRITES = {
    ("pages.yml", "publish"): {"pages": "write", "id-token": "write"},
    ("release.yml", "publish"): {"contents": "write"},
}


def test_what_a_release_calls_exists() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        for targets in re.findall(r"run: make ([\w -]+?)(?: \w+=\w+)*$", text, re.MULTILINE):
            assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets.split()), targets
        for module in re.findall(r"python -m ([\w.]+)", text):
            assert (REPOSITORY / module.replace(".", "/")).with_suffix(".py").is_file()


def test_jobs_have_no_more_rights_than_they_need() -> None:
    """Which rights a job needs, zizmor can't say."""
    writes = {}
    for path in FILES:
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert workflow["permissions"] == {}, path.name
        assert "secrets" not in path.read_text(encoding="utf-8")
        for name, job in workflow["jobs"].items():
            writes[path.name, name] = {scope: right for scope, right in job["permissions"].items() if right != "read"}
    assert {job: rights for job, rights in writes.items() if rights} == WRITES
