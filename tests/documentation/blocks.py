"""The blocks of code in the documentation: which page, which language, and the file that a block is to be saved as."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

from tests.places import REPOSITORY

# What is shown and not run: outputs, files of other kinds, fragments of web pages.
SHOWN = ("text", "markdown", "html")
LANGUAGES = ("sh", "yaml", "python", *SHOWN)
_NAMED = re.compile(r"# ([\w./-]+\.\w+)\n")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: path from the root of the checkout.
        line: of its first line of code, counted from 1.
        language: first word behind the fence; empty where there is none.
        file: what the reader is to save it as: the second word behind the fence, or the first line of a config or of
            Python where that is a comment with a file's name; else empty.
        text: the code.
    """

    page: str
    line: int
    language: str
    file: str
    text: str

    @property
    def place(self) -> str:
        """Where it stands, for messages."""
        return f"{self.page}:{self.line}"


def pages() -> tuple[str, ...]:
    """The pages of the documentation, as paths from the root of the checkout."""
    found = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md"), *(REPOSITORY / "benchmarks").glob("*.md")]
    return tuple(sorted(each.relative_to(REPOSITORY).as_posix() for each in found))


def blocks_of(page: str) -> tuple[Block, ...]:
    """The blocks of a page, in its order; Sphinx' own directives aren't among them."""
    return tuple(_blocks(page, (REPOSITORY / page).read_text("utf-8")))


def commands(block: Block) -> tuple[tuple[int, str], ...]:
    """The commands in a block of shell, each with its line, without comments, continued lines joined."""
    joined: list[tuple[int, str]] = []
    waiting = ""
    for number, line in enumerate(block.text.splitlines(), block.line):
        words = waiting + re.sub(r"(^|\s+)#.*", "", line).rstrip()
        waiting = words.removesuffix("\\") if words.endswith("\\") else ""
        if words and not waiting:
            joined.append((number, " ".join(words.split())))
    return tuple(joined)


def _blocks(page: str, text: str) -> Iterator[Block]:
    for token in MarkdownIt().parse(text):
        if token.type not in ("fence", "code_block") or token.info.startswith("{"):
            continue
        assert token.map is not None
        language, _, file = token.info.strip().partition(" ")
        named = _NAMED.match(token.content) if language in ("yaml", "python") else None
        first = token.map[0] + (2 if token.type == "fence" else 1)
        yield Block(page, first, language, file or (named[1] if named else ""), token.content)


def folder_of(page: str) -> Path:
    """The folder that links on a page begin at."""
    return (REPOSITORY / page).parent
