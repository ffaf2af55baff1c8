"""A stranger's configs, each refused, and a page from a folder full of links."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign.strangers import Case, bundle, put_pictures, refuse, refused


@pytest.mark.parametrize("case", list(refused()), ids=lambda case: case.what)
def test_a_strangers_config_is_refused(case: Case, tmp_path: Path) -> None:
    refuse(case, bundle(tmp_path))


def test_links_among_photos_show_nothing(tmp_path: Path) -> None:
    put_pictures(bundle(tmp_path))
