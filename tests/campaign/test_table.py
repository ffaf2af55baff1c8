"""docs/trust.md is what the campaigns found, and each of them has its row."""

from __future__ import annotations

from tests.campaign.catalogue import CAMPAIGNS
from tests.campaign.table import DOCS, Finding, read_findings, table


def test_the_table_is_that_of_the_findings() -> None:
    assert (DOCS / "trust.md").read_text("utf-8") == table(read_findings())


def test_every_campaign_was_run() -> None:
    findings = read_findings()
    assert set(findings) == set(CAMPAIGNS)
    for name, finding in findings.items():
        assert (finding.promise, finding.method) == (CAMPAIGNS[name].promise, CAMPAIGNS[name].method), name


def test_a_row_stays_on_its_line() -> None:
    text = table({"one": Finding("a | b", "by\nhand", 1_000, "held", "python -m one", "2026-01-01")})
    assert text.splitlines()[-1] == r"| a \| b | by hand | 1,000 | held | `python -m one` | 2026-01-01 |"
