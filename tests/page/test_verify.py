from __future__ import annotations

import logging
from collections.abc import Mapping

import pytest

from vizengine.page.verify import PAGE_LIMIT_BYTES, Verifier

POLICY = '<meta http-equiv="Content-Security-Policy" content="x">'
HEAD = f'<!doctype html><html lang="en"><head>{POLICY}<title>t</title></head>'


def page(body: str) -> bytes:
    return f"{HEAD}<body>{body}</body></html>".encode()


def verify(files: Mapping[str, bytes]) -> list[str]:
    """What is wrong with a site; empty where all is well."""
    verifier = Verifier()
    for name, content in files.items():
        verifier.see(name, content)
    return verifier.end(files.__getitem__)


def test_a_sound_site_passes() -> None:
    files = {
        "index.html": page(
            '<a href="one/index.html#a">x</a><a href="https://example.org">y</a><a href="mailto:a@b.c">z</a>'
        ),
        "one/index.html": page(
            '<p id="a">x<br></p><a href="../index.html">up</a><a href="#a">a</a><a href="d.json">d</a>'
        ),
        "one/d.json": b"{}",
    }
    assert verify(files) == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('<img src="https://example.org/a.png" alt="">', "would load"),
        ('<img src="a.png" alt="">', "would load"),
        ('<img srcset="data:x 1x, https://example.org 2x" alt="">', "srcset"),
        ('<script src="//example.org/a.js"></script>', "would load"),
        ('<link rel="stylesheet" href="a.css">', "would load"),
        ('<svg><use href="other.svg#a"></use></svg>', "would load"),
        ('<iframe srcdoc="x"></iframe>', "no place"),
        ("<style>a { background: url(https://example.org/a.png) }</style>", "style loads"),
        ('<style>@import "a.css";</style>', "style loads"),
        ('<p style="color: red">x</p>', "no page of ours may have"),
        ('<p onclick="x()">x</p>', "no page of ours may have"),
        ('<a href="nowhere.html">x</a>', "no file of the site"),
        ('<a href="../outside.html">x</a>', "no file of the site"),
        ('<a href="#nowhere">x</a>', "no place on that page"),
        ('<a href="javascript:alert(1)">x</a>', "don't link to"),
        ('<a href="//example.org">x</a>', "don't link to"),
    ],
)
def test_what_is_wrong_is_named(body: str, words: str) -> None:
    problems = verify({"index.html": page(body)})
    assert problems and all(problem.startswith("index.html: ") for problem in problems)
    assert any(words in problem for problem in problems)


def test_a_site_needs_an_index_and_a_policy() -> None:
    assert verify({}) == ["index.html is missing"]
    (problem,) = verify({"index.html": b"<!doctype html><html><head></head><body></body></html>"})
    assert "Content-Security-Policy" in problem


@pytest.mark.parametrize(("name", "content"), [("a.html", b"\xff\xfe"), ("a.json", b"{")])
def test_what_cannot_be_read_is_named(name: str, content: bytes) -> None:
    (problem,) = verify({"index.html": page(""), name: content})
    assert problem.startswith(f"{name}: it can't be read")


def test_a_large_page_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert verify({"index.html": page("x" * PAGE_LIMIT_BYTES)}) == []
    assert "index.html has 3.0 MB" in caplog.text


def test_a_link_out_of_the_site_leads_to_a_page_that_is_known_to_be_there() -> None:
    content = page('<a href="../site/a%20b.html">a</a><a href="../site/other.html#x">b</a>')
    assert verify({"index.html": content}) != []
    verifier = Verifier(frozenset({"../site/a b.html"}))
    verifier.see("index.html", content)
    assert verifier.end(lambda name: content) == [
        "index.html: the link ../site/other.html#x leads to no file of the site"
    ]
