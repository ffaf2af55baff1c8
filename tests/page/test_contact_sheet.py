"""The page of a contact sheet, as HTML: what it says, what it escapes, where it leads."""

from __future__ import annotations

import re

from tests.page.example_sheet import sheet
from vizengine.layers.views import render_contact_sheet, shared_files
from vizengine.page.report import SiteReport
from vizengine.page.verify import Verifier

SITE = SiteReport(title="A <site>", circuits=())


def test_names_are_escaped() -> None:
    page = render_contact_sheet(sheet("</title><script>alert(1)</script>"), SITE)
    assert "<script>alert" not in page and "Net &lt;1&gt;" in page and "A &lt;bell&gt; curve" in page
    assert "aren&#39;t &lt;all&gt; numbers" in page


def test_it_loads_its_own_files_and_links_to_pages_that_are_there() -> None:
    content = render_contact_sheet(sheet(), SITE).encode()
    pictures = dict.fromkeys(("pictures/0.jpg", "pictures/1.jpg", "examples/0.webp"), b"")
    files = {"index.html": content, "survey.json": b"{}", **shared_files("survey"), **pictures}
    for beside, problems in ((frozenset({"../../site/a b/index.html"}), 0), (frozenset[str](), 1)):
        verifier = Verifier(beside)
        for name, each in files.items():
            verifier.see(name, each)
        assert len(verifier.end(files.__getitem__)) == problems


def test_the_first_sound_unit_is_told_without_a_script() -> None:
    page = render_contact_sheet(sheet(), SITE)
    chosen = page.split('<aside class="chosen"', 1)[1].split("</aside>", 1)[0]
    assert 'Unit <span class="number">0</span>' in chosen and 'href="../../site/a%20b/index.html"' in chosen
    assert "- name: x-0" in chosen and "index: 0}" in chosen
    assert re.search(r"fall into <b>2</b> groups", chosen)
    # The line of its own stands where its value is between the ends of the axis.
    fires = chosen.split('data-name="firing"', 1)[1]
    assert 'class="here" d="M50 0v12"' in fires


def test_the_data_are_all_figures_unrounded() -> None:
    data = sheet().data()
    units = data["units"]
    assert isinstance(units, list)
    assert units[0]["strength"] == 5.25 and units[0]["hue_chance"] == 0.5 and units[0]["group_count"] == 2
    assert units[1]["hue"] is None and "hue_chance" not in units[1] and units[1]["nearest"] == []
    assert units[2] == {"unit": 2, "failure": "its weights aren't <all> numbers"}
