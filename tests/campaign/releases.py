"""What keeps a release in order: its first config, licences, bill of materials, audit, changelog and workflows."""

from __future__ import annotations

import json
import re
import subprocess

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.campaign import Campaign, Result
from tests.campaign.by_pytest import by_pytest
from tests.places import REPOSITORY
from tools.release.lock import locked
from vizengine import __version__


def _make(target: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", "--no-print-directory", target], cwd=REPOSITORY, capture_output=True, text=True)


def bill_of_materials() -> Result:
    """`make sbom`, really: it lists what the lock gives, beneath vizengine with all that it asks for."""
    done = _make("sbom")
    if done.returncode:
        return Result(1, f"`make sbom` failed: {done.stderr.strip()[-200:]}", held=False)
    text = (REPOSITORY / done.stdout.strip().splitlines()[-1]).read_text(encoding="utf-8")
    bill, versions = json.loads(text), locked()
    components = {canonicalize_name(each["name"]): each["version"] for each in bill["components"]}
    own = bill["metadata"]["component"]
    asked = next(each["dependsOn"] for each in bill["dependencies"] if each["ref"] == own["bom-ref"])
    lines = (REPOSITORY / "requirements.txt").read_text(encoding="utf-8").splitlines()
    ranges = {canonicalize_name(Requirement(line).name) for line in lines if line and not line.startswith("#")}
    wrong = [name for name in versions if components.get(name) not in versions[name]]
    wrong += [name for name in components if name not in versions]
    wrong += sorted(ranges ^ {canonicalize_name(re.split("==", each)[0]) for each in asked})
    wrong += [own["version"]] if own["version"] != __version__ else []
    wrong += re.findall(r"file:/+\S{0,40}", text)
    outcome = f"{len(components)} packages beneath vizengine {own['version']}, each in its locked version"
    return Result(len(components), f"{outcome}; WRONG: {', '.join(wrong)}" if wrong else outcome, held=not wrong)


def audit() -> Result:
    """`make audit`, really: where the service can't be reached it must fail, and say so."""
    judged, done = by_pytest("tests/release/test_audit.py")(), _make("audit")
    said = (done.stdout + done.stderr).splitlines()
    words = next((line for line in said if "audited" in line or "known vulnerabilities" in line), "nothing")
    honest = (done.returncode == 0) == words.startswith("no known vulnerabilities")
    outcome = f"of the answers: {judged.outcome}; the real run on this machine said: “{words}”"
    return Result(judged.cases + 1, outcome, held=judged.held and honest)


INIT = Campaign(
    "`vizengine init` writes a config in which every setting is explained; it can be built, and nothing is replaced.",
    "The real command in folders that are empty, new, a file, or hold one of the files; every commented setting is "
    "uncommented, each alone and all together, and must be its default. `locks` and `wheel` build its site.",
    by_pytest("tests/test_init.py"),
)
LICENCES = Campaign(
    "The licences of all that is shipped are listed, and what is installed is inside the ranges, as the lock is.",
    "The list is compared with the lock, the photos, the networks, and every picture, font and weights file in the "
    "repository; lock, ranges, extras and what is installed are held against each other for each Python.",
    by_pytest("tests/release/test_licences.py", "tests/release/test_dependencies.py"),
)
SBOM = Campaign(
    "The bill of materials of a release (CycloneDX) names what the lock installs, and nothing else.",
    "`make sbom`; each component is compared with the lock, the head with the version and the ranges.",
    bill_of_materials,
)
AUDIT = Campaign(
    "An audit for known vulnerabilities that wasn't answered isn't taken for one.",
    "Answers of all kinds, partial ones too, and `make audit` itself. The workflow runs it with every change, where "
    "the service can be reached.",
    audit,
)
CHANGELOG = Campaign(
    "The version stands in one place, and changelog and tag go with it.",
    "The changelog and eleven spoilt ones, headings of other forms, tags of other versions.",
    by_pytest("tests/release/test_changelog.py"),
)
WORKFLOWS = Campaign(
    "The workflows run actions pinned to a commit, with the least rights, and without secrets.",
    "zizmor reads each workflow (`make audit`); a test holds who may write what, and what they call, against them.",
    by_pytest("tests/release/test_workflows.py"),
)
