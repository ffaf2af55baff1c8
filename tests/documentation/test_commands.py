"""Every page is followed from its first command to its last, as a reader would."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.documentation.blocks import blocks_of, pages
from tests.documentation.follow import follow, runs, small
from tests.documentation.readers import tutorial_configs
from tests.documentation.unrun import PAGES_IN_THE_CAMPAIGN
from tests.runs import run

# The tutorial begins from nothing; those after it find what it computed.
FOLLOWED = sorted(
    (
        page
        for page in pages()
        if any(runs(block, whole=False) for block in blocks_of(page)) and page not in PAGES_IN_THE_CAMPAIGN
    ),
    key=lambda page: (page != "docs/tutorial.md", page),
)

# What the reader of a page adds to a clone; nothing else in it may be another afterwards.
ADDED = {
    "README.md": ("?? my-circuit.yaml",),
    "docs/tutorial.md": ("?? my-circuit.yaml", "?? my-circuits/"),
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("git") is None:
        pytest.skip("git isn't here, with which readers clone and publish")
    return tmp_path_factory.mktemp("documentation") / "cache"


@pytest.mark.parametrize("page", FOLLOWED)
def test_a_page_can_be_followed(page: str, cache: Path, tmp_path: Path) -> None:
    followed = follow(page, tmp_path / "reader", cache)
    assert followed.failure == ""
    assert followed.count > 0
    assert followed.changed == ADDED.get(page, followed.changed)


def test_the_tutorial_tells_what_comes_out(cache: Path, tmp_path: Path) -> None:
    """Claims rest on photos and drawn stimuli, so the size of the pictures makes no difference to them."""
    findings, telling = [], []
    for config in tutorial_configs():
        (tmp_path / "my-circuit.yaml").write_text(small(config), "utf-8")
        if cache.exists():
            shutil.copytree(cache, tmp_path / ".vizengine-cache", dirs_exist_ok=True)
        run(tmp_path, "my-circuit.yaml", code=0)
        report = json.loads((tmp_path / "my-circuit-site" / "circuit.json").read_text("utf-8"))
        findings.append([claim["finding"] for claim in report["evidence"]["claims"]])
        telling = [claim["telling"] for claim in report["evidence"]["claims"]]
    assert findings == [[], ["contradicted"], ["supported"] * 3]
    assert telling == [False, False, True]
