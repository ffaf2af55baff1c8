"""Every page satisfies the Nu HTML checker, which knows HTML, SVG, MathML, ARIA and CSS."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.page import example
from vizengine.page.render import render_circuit, render_index

REPOSITORY = Path(__file__).resolve().parent.parent.parent
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


def test_the_checker_finds_what_is_wrong(tmp_path: Path) -> None:
    page = tmp_path / "wrong.html"
    page.write_text("<!doctype html><html lang=en><title>t</title><p><div></div></p><img src=data:,>")
    assert len(errors([page])) >= 2


def test_example_pages_have_no_error(tmp_path: Path) -> None:
    full, bare = example.report(kept=example.kept_notice()), example.first_layer_report()
    site = example.site(full, bare, example.missing())
    texts = {
        "full.html": render_circuit(full, site, None, bare),
        "bare.html": render_circuit(bare, site, full, None),
        "index.html": render_index(site),
        "alone.html": render_index(example.site(full)),
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert errors([tmp_path / name for name in texts]) == []


def test_the_committed_site_has_no_error() -> None:
    assert errors(sorted((REPOSITORY / "site").rglob("*.html"))) == []
