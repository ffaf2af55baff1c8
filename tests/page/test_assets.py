from __future__ import annotations

import base64
import hashlib
import re

from tests.page import example
from vizengine.page import render as assets
from vizengine.page.render import render_index


def test_the_policy_admits_exactly_what_is_inlined() -> None:
    page = render_index(example.site(example.missing()))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    directives = policy[1].replace("&#39;", "'").split("; ")
    for tag in ("style", "script"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in directives
    assert "default-src 'none'" in directives
    assert "unsafe" not in policy[1]


def test_the_policy_comes_before_what_it_governs() -> None:
    page = render_index(example.site(example.missing()))
    assert page.index("Content-Security-Policy") < page.index("<style>") < page.index("<script>")


def test_the_script_is_small_and_nothing_is_fetched() -> None:
    loaded = assets.load()
    assert len(loaded.script) < 30_000
    assert "@import" not in loaded.style and "url(" not in loaded.style and "@font-face" not in loaded.style
    for word in ("fetch(", "XMLHttpRequest", "import(", "eval(", "innerHTML"):
        assert word not in loaded.script
