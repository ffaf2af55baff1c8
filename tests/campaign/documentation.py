"""The documentation, followed page by page as a reader would, at full size and with every installation."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.campaign import Campaign, Result
from tests.campaign.by_pytest import by_pytest
from tests.documentation.blocks import blocks_of, commands, pages
from tests.documentation.follow import follow, runs
from tests.documentation.fragments import load_block
from tests.documentation.unrun import NEVER, NEVER_PYTHON
from vizengine.errors import ConfigError


def run() -> Result:
    """Follow every page, load every config."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        configs, wrong = _load_configs(folder)
        followed = []
        for page in _in_order():
            # An environment of a page's own is gigabytes, so it goes before the next is made.
            with tempfile.TemporaryDirectory() as reader:
                followed.append(follow(page, Path(reader) / "reader", folder / "cache", whole=True))
            print(f"  {page}: {followed[-1].count} run; {followed[-1].failure or 'fine'}", flush=True)
    count = sum(each.count for each in followed)
    failures = [each.failure.split("\n")[0] for each in followed if each.failure] + wrong
    listed = sum(
        command in NEVER for page in pages() for block in blocks_of(page) for _, command in commands(block)
    ) + len(NEVER_PYTHON)
    outcome = (
        f"{count} commands and blocks of Python on {len(followed)} pages run, {configs} configs loaded; "
        f"{len(failures)} failed{': ' if failures else ''}{'; '.join(failures)}; "
        f"{listed} not run, with their reasons in tests/documentation/unrun.py"
    )
    return Result(count + configs, outcome, not failures)


def _in_order() -> list[str]:
    """The pages with something to run, the tutorial first: it begins from nothing."""
    found = [page for page in pages() if any(runs(block, whole=True) for block in blocks_of(page))]
    return sorted(found, key=lambda page: (page != "docs/tutorial.md", page))


def _load_configs(folder: Path) -> tuple[int, list[str]]:
    """How many configs there are, and those that are wrong."""
    wrong = []
    blocks = [block for page in pages() for block in blocks_of(page) if block.language == "yaml"]
    for number, block in enumerate(blocks):
        (folder / str(number)).mkdir()
        try:
            load_block(block.text, folder / str(number))
        except (ConfigError, ValueError) as error:
            wrong.append(f"{block.place}: {error}")
    return len(blocks), wrong


DOCUMENTATION = Campaign(
    "Every command, config and block of Python in the documentation works as it stands there.",
    "Each page is followed by bash in a clone of its own, from its first command on: installations, builds at full "
    "size, serving, committing and pushing; configs are read by the real loader. `make test` follows the quick pages "
    "with small pictures, and builds the documentation, in which a link to nowhere fails.",
    run,
)

DOCUMENTATION_SITE = Campaign(
    "The documentation is a site that leads nowhere wrong, reads well on a telephone and on a screen, light and dark, "
    "and asks no other host.",
    "Sphinx builds it, and a warning fails, as of a link to nowhere; links are followed as GitHub has them; pages are "
    "opened in Chromium, offline, at 375 and 1280 px, axe-core reads one, and a search is made from disk.",
    by_pytest("tests/documentation/test_built.py"),
)
REFERENCES = Campaign(
    "The references of the command, of the config and of circuit.json say what the code says, and every block in the "
    "documentation is of a kind that is tested.",
    "Each is made anew from the argument parser and from the models and compared; every block is looked at.",
    by_pytest(
        "tests/documentation/test_blocks.py",
        "tests/config/test_document.py",
        "tests/page/test_model.py",
        "tests/documentation/test_references.py",
    ),
)
