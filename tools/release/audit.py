"""Ask the service of known vulnerabilities about every package of a lock: `python -m tools.release.audit LOCK`.

An answer counts only if the service knew all of them. pip-audit by itself passes over packages that it was told
nothing about, and ends well where a proxy or a mirror answers in the service's place.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

FINE, VULNERABLE, UNANSWERED = 0, 1, 2


def judge(report: dict[str, Any]) -> tuple[int, str]:
    """What pip-audit's report comes to: the exit code, and words for it.

    Args:
        report: as `pip-audit --format json` gives it.
    """
    packages = report["dependencies"]
    flaws = [
        f"{package['name']} {package['version']}: {flaw['id']}, "
        f"mended in {', '.join(flaw['fix_versions']) or 'none yet'}"
        for package in packages
        for flaw in package.get("vulns", ())
    ]
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    if flaws:
        return VULNERABLE, "\n".join([f"{len(flaws)} known vulnerabilities in {len(packages)} packages:", *flaws])
    if skipped or not packages:
        few = ", ".join(skipped[:3])
        return UNANSWERED, (
            f"not audited: the service of vulnerabilities answered for {len(packages) - len(skipped)} of "
            f"{len(packages)} packages, and not for {few} …; run this where pypi.org itself can be reached"
        )
    return FINE, f"no known vulnerabilities in {len(packages)} packages"


def main(lock: Path) -> int:
    """Audit a lock file; the exit code: 0 none known, 1 vulnerabilities, 2 nobody could be asked."""
    options = ["--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    command = [sys.executable, "-m", "pip_audit", *options, "--requirement", str(lock)]
    done = subprocess.run(command, capture_output=True, text=True)
    try:
        code, words = judge(json.loads(done.stdout))
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1]
        code, words = UNANSWERED, f"not audited: the service of vulnerabilities can't be reached: {last}"
    print(words, file=sys.stdout if code == FINE else sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
