"""Every block in the documentation is of a kind that is tested, and every config in it loads."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.documentation.blocks import LANGUAGES, SHOWN, Block, blocks_of, commands, pages
from tests.documentation.fragments import load_block
from tests.documentation.unrun import IN_THE_CAMPAIGN, NEVER, NEVER_PYTHON

BLOCKS = [block for page in pages() for block in blocks_of(page)]
COMMANDS = ("python", "pip ", "make ", "git ", "vizengine ", "cd ", "dask ", "$ ")


def of(language: str) -> list[Block]:
    return [block for block in BLOCKS if block.language == language]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.place)
def test_a_block_is_of_a_kind_that_is_tested(block: Block) -> None:
    assert block.language in LANGUAGES, f"{block.place}: expected a fence of one of {', '.join(LANGUAGES)}"
    if block.language in SHOWN and not block.file:
        disguised = [line for line in block.text.splitlines() if line.startswith(COMMANDS)]
        assert disguised == [], f"{block.place}: a command; expected it in a block of sh, where it is run"


@pytest.mark.parametrize("block", of("yaml"), ids=lambda block: block.place)
def test_a_config_loads(block: Block, tmp_path: Path) -> None:
    load_block(block.text, tmp_path)


@pytest.mark.parametrize("block", of("python"), ids=lambda block: block.place)
def test_python_compiles(block: Block) -> None:
    compile(block.text, block.place, "exec")


def test_what_is_listed_as_not_run_is_there() -> None:
    said = {command for block in of("sh") for _, command in commands(block)}
    assert (set(IN_THE_CAMPAIGN) | set(NEVER)) - said == set(), "listed in unrun.py, and nowhere in the documentation"
    assert set(IN_THE_CAMPAIGN) & set(NEVER) == set()
    assert set(NEVER_PYTHON) - {block.text.split("\n")[0] for block in of("python")} == set()


def test_commands_are_read_as_a_shell_does() -> None:
    block = Block("page.md", 7, "sh", "", "one  two   # a comment\n\n# a line of it\nthree \\\n  four\n")
    assert commands(block) == ((7, "one two"), (11, "three four"))
