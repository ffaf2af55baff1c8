"""The documentation, followed page by page as a reader would, at full size and with every installation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.campaign import Campaign, Case
from tests.documentation.blocks import Block, blocks_of, pages
from tests.documentation.follow import follow, runs
from tests.documentation.fragments import load_block
from vizengine.errors import ConfigError


def _follow(page: str, cache: Path) -> Counter[str]:
    # An environment of a page's own is gigabytes, so it goes before the next is made.
    with TemporaryDirectory() as reader:
        done = follow(page, Path(reader) / "reader", cache, whole=True)
    assert not done.failure, done.failure
    return Counter({"commands and blocks of Python run": done.count})


def _load(block: Block, folder: Path) -> str:
    folder.mkdir()
    try:
        load_block(block.text, folder)
    except (ConfigError, ValueError) as error:
        raise AssertionError(str(error)) from error
    return "configs loaded"


def _cases(folder: Path) -> Iterator[Case]:
    blocks = [block for page in pages() for block in blocks_of(page)]
    for number, block in enumerate(block for block in blocks if block.language == "yaml"):
        yield block.place, partial(_load, block, folder / str(number))
    # The tutorial first: it begins from nothing.
    with_runs = {block.page for block in blocks if runs(block, whole=True)}
    for page in sorted(with_runs, key=lambda page: (page != "docs/tutorial.md", page)):
        yield page, partial(_follow, page, folder / "cache")


DOCUMENTATION = Campaign(
    "Every command, config and block of Python in the documentation works as it stands there.",
    "Each page is followed by bash in a clone of its own, from its first command on: installations, builds at full "
    "size, serving, committing and pushing; configs are read by the real loader. `make test` follows the quick pages "
    "with small pictures, and builds the documentation, in which a link to nowhere fails.",
    "what isn't run is listed with its reasons in tests/documentation/unrun.py",
    _cases,
)
