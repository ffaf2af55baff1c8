"""What a stranger may ask of `--serve`: all of the campaign, which takes a second."""

from __future__ import annotations

from pathlib import Path

from tests.campaign.serving import PAGE, ask, campaign, get, serving


def test_nothing_from_outside_the_site() -> None:
    result = campaign()
    assert result.held, result.outcome


def test_the_site_is_served_and_a_link_within_it(tmp_path: Path) -> None:
    with serving(tmp_path) as (host, port):
        assert host == "127.0.0.1"
        for path in ("/", "/index.html", "/inside.html", "/deep/page.html", "/index.html?a=../secret"):
            assert ask(host, port, get(path, f"{host}:{port}")).endswith(PAGE), path
