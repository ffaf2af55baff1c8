"""Which languages run from the right."""

from __future__ import annotations

import pytest

from tests.page import example
from vizengine.page.render import is_right_to_left, render_index


@pytest.mark.parametrize(
    ("language", "from_the_right"),
    [
        *(("ar", True), ("AR-eg", True), ("fa-IR", True), ("he", True), ("ur-Arab-PK", True), ("az-Arab", True)),
        *(("en", False), ("pt-BR", False), ("az", False), ("ar-Latn", False), ("arn", False), ("zh-Hant-TW", False)),
    ],
)
def test_a_page_runs_as_its_language_is_written(language: str, from_the_right: bool) -> None:
    assert is_right_to_left(language) == from_the_right
    page = render_index(example.site(example.missing()).model_copy(update={"language": language}))
    assert (f'<html lang="{language}" dir="rtl">' in page) == from_the_right
