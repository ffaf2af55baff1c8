"""Some of a stranger's configs by the real command."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign.strangers import bundle, put_pictures, refuse, refused

_CASES = {case.what: case for case in refused()}


@pytest.mark.parametrize("what", ["text by away", "photos /proc/**/*.png", "out ~/elsewhere", "code"])
def test_a_strangers_config_is_refused(what: str, tmp_path: Path) -> None:
    refuse(_CASES[what], bundle(tmp_path))


def test_links_among_photos_show_nothing(tmp_path: Path) -> None:
    put_pictures(bundle(tmp_path))
