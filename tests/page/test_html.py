"""Every page satisfies the Nu HTML checker, which knows HTML, SVG, MathML, ARIA and CSS."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.page import example
from tests.page.example_sheet import sheet
from tests.places import REPOSITORY
from vizengine.layers.views import render_contact_sheet
from vizengine.page.render import render_circuit, render_index

JAR = Path(os.environ.get("VNU_JAR") or REPOSITORY / ".tools/node_modules/vnu-jar/build/dist/vnu.jar")


def errors(pages: list[Path]) -> list[str]:
    """What the checker finds wrong."""
    java = shutil.which("java")
    if java is None or not JAR.is_file():
        missing = "no Java" if java is None else f"no {JAR.name}"
        pytest.skip(f"the HTML checker isn't here ({missing}): bash tests/install_html_checker.sh")
    command = [java, "-Xss4m", "-jar", str(JAR), "--errors-only", "--format", "json", "--exit-zero-always"]
    made = subprocess.run([*command, *map(str, pages)], capture_output=True, text=True, timeout=600, check=True)
    found = json.loads(made.stderr)["messages"]
    return [f"{Path(each['url']).name}:{each.get('lastLine')}: {each['message']}" for each in found]


def test_no_page_has_an_error(tmp_path: Path) -> None:
    """The committed site's, one that lacks what can be lacking, notices, and a contact sheet."""
    kept, bare = example.report(kept=example.kept_notice()), example.bare_report()
    site = example.site(kept, bare, example.missing())
    texts = {
        "bare.html": render_circuit(bare, site, kept, None),
        "index.html": render_index(site),
        "survey.html": render_contact_sheet(sheet(), site),
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    pages = [tmp_path / name for name in texts] + sorted((REPOSITORY / "site").rglob("*.html"))
    assert errors(pages) == []
