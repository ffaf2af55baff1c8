"""Links in an author's texts that would lead to nothing on the site, found without computing anything."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache

from vizengine.config.schema import CircuitSection, SweepSection
from vizengine.locations import templates_folder
from vizengine.render.verify import destination
from vizengine.report import prose

Finding = tuple[int, tuple[str | int, ...], str]
_PLACE = re.compile(r'\bid="([a-z][a-z0-9-]*)"')


def check_links(sections: Mapping[int, CircuitSection | SweepSection], names: Collection[str]) -> Iterator[Finding]:
    """Problems of links in texts: the circuit's number, the path inside its section, and a message.

    Args:
        sections: those whose form is right, by their number in the config.
        names: of all circuits and sweeps of the config, whether right or not.
    """
    circuits = {section.name for section in sections.values() if isinstance(section, CircuitSection)}
    alone = len(names) == 1
    own = [name for name in names if name in circuits]
    for index, section in sections.items():
        if not isinstance(section, CircuitSection):
            continue
        page = "index.html" if alone else f"{section.name}/index.html"
        example = next((name for name in own if name != section.name), "")
        texts = {
            ("hypothesis", "unit"): section.hypothesis.unit,
            ("hypothesis", "circuit"): section.hypothesis.circuit,
            ("network", "why"): section.network.why,
        }
        for path, text in texts.items():
            on_index = path == ("hypothesis", "unit") and not alone
            for link, first in prose.relative_links(text):
                if problem := _problem(page, link, circuits, names):
                    known = f"the page of another circuit, as `../{example}/index.html`, " if example else ""
                    expected = f"expected {known}a place on the page, as `#made`, or an address with https://"
                    yield index, path, f"the link `{link}` {problem}; {expected}"
                elif on_index and first and (problem := _problem("index.html", link, circuits, names)):
                    where = "the first paragraph stands on the site's first page too, where its link"
                    mend = "put the link into another paragraph, or write an address with https://"
                    yield index, path, f"{where} `{link}` {problem}; {mend}"


def _problem(page: str, link: str, circuits: Collection[str], names: Collection[str]) -> str:
    """What is wrong with a link on a page of the site; empty where it leads somewhere."""
    target, place, problem = destination(page, link)
    if problem or not target:
        return problem
    folder, _, name = target.rpartition("/")
    if folder.partition("/")[0] in set(names) - set(circuits):
        # What a sweep writes follows from what it computes.
        return ""
    if folder:
        is_there = folder in circuits and name in ("index.html", "circuit.json", "build.json")
    else:
        is_there = name in ("index.html", "config.yaml") or (len(names) == 1 and name in ("circuit.json", "build.json"))
    if not is_there:
        return "leads to no file of the site"
    of_a_circuit = name == "index.html" and (folder or len(names) == 1)
    places = _places() if of_a_circuit else frozenset(names) if name == "index.html" else frozenset()
    return (
        f"leads to no place on {'that page' if target != page else 'the page'}" if place and place not in places else ""
    )


@cache
def _places() -> frozenset[str]:
    """What places a circuit's page can have."""
    folder = templates_folder()
    files = [folder / "circuit.html", *(folder / "sections").glob("*.html"), *(folder / "macros").glob("*.html")]
    return frozenset(place for file in files for place in _PLACE.findall(file.read_text(encoding="utf-8")))
