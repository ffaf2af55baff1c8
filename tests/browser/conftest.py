"""A browser, and example pages on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.page import example
from vizengine.page.render import companions, render_circuit, render_index
from vizengine.page.site import write


@pytest.fixture(scope="session")
def example_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of two circuits and a missing one; the first is kept from an earlier build."""
    full = example.report(kept=example.kept_notice())
    bare = example.bare_report()
    site = example.site(full, bare, example.missing())
    files = {"index.html": render_index(site).encode(), "config.yaml": b"site: {}\n"}
    for report, before, after in ((full, None, bare), (bare, full, None)):
        files[f"{report.name}/index.html"] = render_circuit(report, site, before, after).encode()
        files.update({f"{report.name}/{name}": content for name, content in companions(report, site).items()})
    folder = tmp_path_factory.mktemp("browser")
    return write(folder / "site", files.items(), folder / "config.yaml").parent
