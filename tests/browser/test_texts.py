"""Texts that would like to be code: on pages of a real report, with the campaign's payloads."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.campaign.texts import MARKDOWN, REFRESH, SCRIPTS, TURNS, inject, look, refused_templates, shown
from tests.page import example
from vizengine.page.prose import first_paragraph, render
from vizengine.page.render import render_circuit, render_index


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index and a page whose every text is hostile."""
    words = " ".join((*SCRIPTS, REFRESH, *TURNS, *MARKDOWN)).replace("\n", " ")
    text = "\n\n".join((*MARKDOWN, *SCRIPTS, REFRESH, TURNS + "{{ value }}"))
    prose = render(text, {"value": words})
    texts = dict.fromkeys(("unit_hypothesis", "circuit_hypothesis", "why"), prose)
    report = example.report(title=words, summary=words, opening=first_paragraph(text, {"value": words}), **texts)
    whole = example.site(report, example.bare_report()).model_copy(
        update={"title": words, "description": words, "author": words}
    )
    folder = tmp_path_factory.mktemp("texts")
    (folder / "index.html").write_text(render_index(whole), "utf-8")
    (folder / report.name).mkdir()
    (folder / report.name / "index.html").write_text(render_circuit(report, whole), "utf-8")
    return folder


@pytest.mark.parametrize("policy", [True, False], ids=["policy", "escaping alone"])
@pytest.mark.parametrize("name", ["index.html", f"{example.NAME}/index.html"])
def test_nothing_runs_and_nothing_is_asked_for(browser: Browser, site: Path, name: str, policy: bool) -> None:
    assert all(shown(site, each) for each in SCRIPTS)
    seen = look(browser, site / name, policy)
    assert seen.wrong == () and seen.stopped == 0


@pytest.mark.parametrize("payload", [SCRIPTS[0], SCRIPTS[4], SCRIPTS[5], SCRIPTS[7], SCRIPTS[17], SCRIPTS[25]])
def test_the_policy_alone_stops_what_gets_in(browser: Browser, site: Path, payload: str) -> None:
    seen = inject(browser, site / "index.html", payload)
    assert seen.wrong == () and seen.stopped > 0


def test_braces_hold_a_name_and_nothing_else() -> None:
    assert refused_templates() == []
