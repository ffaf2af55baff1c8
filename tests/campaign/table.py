"""What the campaigns found, kept in docs/trust.json, and the table in docs/trust.md that is made from it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
_HEADER = """\
# What can be trusted, and how it was tested

A promise stands here with the test behind it, the number of cases that the test was put to, what happened in them,
and the command that runs it again. `make campaign` runs them all; `make test` runs a short form of each.
The table is made by `python -m tests.campaign` from [trust.json](trust.json).

| promise | how it is tested | cases | what happened | run it again | last run |
|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Finding:
    """What one campaign found.

    Attributes:
        promise: what a user may rely on, a sentence.
        method: how it is tested, in words.
        cases: how many different inputs or moments were tried.
        outcome: what happened in them, with figures; failures are told, not left out.
        command: the line that runs it again from the root of a checkout.
        date: of the run, as YYYY-MM-DD.
    """

    promise: str
    method: str
    cases: int
    outcome: str
    command: str
    date: str


def read_findings() -> dict[str, Finding]:
    """The findings on record by the name of their campaign."""
    path = DOCS / "trust.json"
    known = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return {name: Finding(**each) for name, each in known.items()}


def table(findings: dict[str, Finding]) -> str:
    """The text of docs/trust.md: a row for each finding, by the name of its campaign."""
    rows = (
        (f.promise, f.method, f"{f.cases:,}", f.outcome, f"`{f.command}`", f.date) for _, f in sorted(findings.items())
    )
    return _HEADER + "".join(f"| {' | '.join(_cell(cell) for cell in row)} |\n" for row in rows)


def _cell(text: str) -> str:
    """On one line, with its bars escaped."""
    return " ".join(text.split()).replace("|", r"\|")


def record(found: dict[str, Finding]) -> None:
    """Put findings in the place of those of the same campaigns, and write docs/trust.json and docs/trust.md."""
    findings = read_findings() | found
    text = json.dumps({name: asdict(each) for name, each in sorted(findings.items())}, indent=2, ensure_ascii=False)
    (DOCS / "trust.json").write_text(text + "\n", "utf-8")
    (DOCS / "trust.md").write_text(table(findings), "utf-8")
