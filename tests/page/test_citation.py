from __future__ import annotations

from tests.page import example
from vizengine.page.render import address, bibtex


def test_an_address_is_absolute_or_none() -> None:
    report = example.report()
    two = example.site(report, example.bare_report())
    assert address(report, two.model_copy(update={"url": "https://example.org/circuits"})) == (
        f"https://example.org/circuits/{report.name}/"
    )
    assert address(report, example.site(report).model_copy(update={"url": "https://example.org/"})) == (
        "https://example.org/"
    )
    assert address(report, two.model_copy(update={"url": None})) == ""


def test_a_citation_names_title_author_unit_and_version() -> None:
    report = example.report(title="Dots & 50 % glow")
    site = example.site(report).model_copy(update={"url": "https://example.org/a_b/", "author": "A. Author"})
    lines = bibtex(report, site).splitlines()
    assert lines[0] == f"@misc{{{report.name}," and lines[-1] == "}"
    assert "  title = {{Dots \\& 50 \\% glow}}," in lines
    assert "  author = {A. Author}," in lines
    assert "  howpublished = {\\url{https://example.org/a_b/}}," in lines
    assert any("unit 195" in line and "vizengine" in line and "\\_" in line for line in lines if "note" in line)
    bare = bibtex(report, site.model_copy(update={"url": None, "author": ""}))
    assert "author" not in bare and "howpublished" not in bare
