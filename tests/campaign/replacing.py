"""What a build replaces: nothing but what builds of the same config wrote."""

from __future__ import annotations

from tests.campaign import Campaign
from tests.campaign.by_pytest import by_pytest

REPLACING = Campaign(
    "A build replaces only what a build of the same config wrote: another config's site with `--replace` alone, files "
    "that no build wrote never, and nothing through a link.",
    "Sites on disk, and real runs, where another config's site stands, configs and folders were moved, files and links "
    "lie in the site, on the way to it and beside it, some of them put there while the site is written; every file is "
    "compared afterwards",
    by_pytest(
        "tests/page/test_site.py",
        "tests/test_cli.py::test_a_site_that_another_config_made_is_replaced_only_when_told_to",
        "tests/layers/test_layer_survey.py::test_another_folder_is_taken_and_strange_files_are_left_alone",
    ),
)
