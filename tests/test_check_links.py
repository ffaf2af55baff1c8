"""Links in an author's texts that would lead nowhere are found by `--check`, before anything is computed."""

from __future__ import annotations

from pathlib import Path

import pytest

from vizengine.check import check
from vizengine.errors import ConfigError

CONFIG = """\
site: {title: Test}
circuits:
  - name: first
    network: {model: squeezenet1.1}
    unit: {layer: fire2/squeeze1x1, index: 3}
    hypothesis:
      unit: |
        Opening UNIT

        OTHER
      circuit: "CIRCUIT"
  - name: second
    network: {model: squeezenet1.1}
    unit: {layer: fire2/squeeze1x1, index: 4}
  - name: many
    network: {model: squeezenet1.1}
    unit: {layer: fire2/squeeze1x1, index: 0-1}
"""


def _check(folder: Path, unit: str = "", other: str = "", circuit: str = "", alone: bool = False) -> list[str]:
    config = folder / "config.yaml"
    text = CONFIG.replace("UNIT", unit).replace("OTHER", other).replace("CIRCUIT", circuit)
    config.write_text(text.partition("  - name: second")[0] if alone else text)
    try:
        check(config)
    except ConfigError as error:
        return [str(each) for each in error.problems]
    return []


@pytest.mark.parametrize(
    "link",
    [
        "[a](../second/index.html)",
        "[a](../second/index.html#made)",
        "[a](#claims)",
        "[a](#contributions)",
        "[a](../index.html#second)",
        "[a](circuit.json)",
        "[a](../config.yaml)",
        "[a](../many/fire2/0.html)",
        "[a](https://example.org/x.png)",
        "[a](mailto:a@example.org)",
        "`[a](no.html)`",
    ],
)
def test_links_that_lead_somewhere(tmp_path: Path, link: str) -> None:
    assert _check(tmp_path, other=link, circuit=link) == []


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("![r](../../x.png)", "the link `../../x.png` leads to no file of the site"),
        ("[a](../third/index.html)", "leads to no file of the site; expected the page of another circuit"),
        ("[a](second.html)", "`../second/index.html`"),
        ("[a](#nowhere)", "leads to no place on the page"),
        ("[a](../second/index.html#nowhere)", "leads to no place on that page"),
    ],
)
def test_links_that_lead_nowhere_are_told_with_their_line(tmp_path: Path, link: str, words: str) -> None:
    for line, texts in ((7, {"other": link}), (11, {"circuit": link})):
        (problem,) = _check(tmp_path, **texts)
        assert f"config.yaml:{line}: " in problem and words in problem


def test_the_first_paragraph_stands_on_the_index_too(tmp_path: Path) -> None:
    (problem,) = _check(tmp_path, unit="[a](../second/index.html)")
    assert "stands on the site's first page too" in problem
    # A site of one circuit has no index besides.
    assert _check(tmp_path, unit="[a](#made)", alone=True) == []
    assert _check(tmp_path, unit="[a](../config.yaml)", alone=True) != []
