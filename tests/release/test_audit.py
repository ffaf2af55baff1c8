"""An audit counts only if the service of vulnerabilities answered. Reports as pip-audit 2.10 writes them."""

from __future__ import annotations

from typing import Any

import pytest

from tools.release import audit

FINE = {"name": "jinja2", "version": "3.1.6", "vulns": []}
FLAWED = {
    "name": "jinja2",
    "version": "2.4.1",
    "vulns": [{"id": "PYSEC-2014-8", "fix_versions": ["2.7.2"], "aliases": ["CVE-2014-0012"], "description": ""}],
}
UNKNOWN = {"name": "rich", "skip_reason": "Dependency not found on PyPI and could not be audited: rich (15.0.0)"}


@pytest.mark.parametrize(
    ("packages", "code", "words"),
    [
        ([FINE, FINE], audit.FINE, "no known vulnerabilities in 2 packages"),
        ([FINE, FLAWED], audit.VULNERABLE, "jinja2 2.4.1: PYSEC-2014-8, mended in 2.7.2"),
        ([FLAWED, UNKNOWN], audit.VULNERABLE, "1 known"),
        ([FINE, UNKNOWN], audit.UNANSWERED, "answered for 1 of 2 packages"),
        ([UNKNOWN], audit.UNANSWERED, "answered for 0 of 1 packages"),
        ([], audit.UNANSWERED, "not audited"),
    ],
)
def test_what_a_report_comes_to(packages: list[dict[str, Any]], code: int, words: str) -> None:
    found, said = audit.judge({"dependencies": packages, "fixes": []})
    assert found == code and words in said
