"""What can be wrong with a claim beyond its form: an input or a stimulus that isn't there."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from vizengine.cache import CACHE_FOLDER, Cache
from vizengine.config.applications import BUILT_IN
from vizengine.config.paths import NotAdmitted
from vizengine.config.schema import CircuitSection, SweepSection
from vizengine.errors import WeightsUnavailable
from vizengine.layers.jobs import chosen_layers, selection_flaws
from vizengine.measures.claims import claim_of
from vizengine.measures.expanded import earlier_layers, layers_to_expand
from vizengine.measures.photos import IMAGE_SUFFIXES, SAMPLES, Photos
from vizengine.network.architecture import (
    Architecture,
    Untraceable,
    expected_layers,
    nearest_layers,
    no_such_layer,
    not_computable,
    readable_layers,
)
from vizengine.network.catalogue import catalogue_entry
from vizengine.network.layers import INPUT
from vizengine.network.source import network_problems, open_source
from vizengine.page.prose import check, relative_links
from vizengine.page.render import templates_folder
from vizengine.page.report import value_names
from vizengine.page.verify import destination


def check_claims(section: CircuitSection, architecture: Architecture) -> Iterator[Finding]:
    """Problems of a circuit's claims, each with its path inside the section.

    Args:
        section: one whose layer exists.
        architecture: the network.
    """
    for place, claim in enumerate(section.hypothesis.claims):
        for message in claim_of(claim).problems(section.unit.layer, section.unit.index, architecture):
            yield ("hypothesis", "claims", place), message


LinkFinding = tuple[int, tuple[str | int, ...], str]
_PLACE = re.compile(r'\bid="([a-z][a-z0-9-]*)"')


def check_links(sections: Mapping[int, CircuitSection | SweepSection], names: Collection[str]) -> Iterator[LinkFinding]:
    """Problems of links in texts: the circuit's number, the path inside its section, and a message.

    Args:
        sections: those whose form is right, by their number in the config.
        names: of all circuits and sweeps of the config, whether right or not.
    """
    circuits = {section.name for section in sections.values() if isinstance(section, CircuitSection)}
    alone = len(names) == 1
    for index, section in sections.items():
        if not isinstance(section, CircuitSection):
            continue
        page = "index.html" if alone else f"{section.name}/index.html"
        example = next((name for name in names if name in circuits and name != section.name), "")
        for path, text in _texts(section).items():
            on_index = path == ("hypothesis", "unit") and not alone
            for link, first in relative_links(text):
                if problem := _problem(page, link, circuits, names):
                    known = f"the page of another circuit, as `../{example}/index.html`, " if example else ""
                    expected = f"expected {known}a place on the page, as `#made`, or an address with https://"
                    yield index, path, f"the link `{link}` {problem}; {expected}"
                elif on_index and first and (problem := _problem("index.html", link, circuits, names)):
                    where = "the first paragraph stands on the site's first page too, where its link"
                    mend = "put the link into another paragraph, or write an address with https://"
                    yield index, path, f"{where} `{link}` {problem}; {mend}"


def _texts(section: CircuitSection) -> dict[tuple[str, ...], str]:
    return {
        ("hypothesis", "unit"): section.hypothesis.unit,
        ("hypothesis", "circuit"): section.hypothesis.circuit,
        ("network", "why"): section.network.why,
    }


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


Finding = tuple[tuple[str | int, ...], str]


def check_entry(section: CircuitSection | SweepSection, folder: Path, confined: bool = False) -> Iterator[Finding]:
    """Problems of one circuit or sweep, each with its path inside the section.

    Args:
        section: one whose form is right.
        folder: the config's folder.
        confined: whether the config may name nothing outside its folder, nor code.
    """
    if isinstance(section, CircuitSection):
        yield from check_circuit(section, folder, confined)
        return
    yield from _check_photos(section, folder, confined)
    architecture, findings = _network(section, folder, confined)
    yield from findings
    if architecture is not None:
        yield from selection_flaws(section, architecture)
        yield from _check_names(architecture, chosen_layers(section.unit, architecture))


def check_circuit(section: CircuitSection, folder: Path, confined: bool = False) -> Iterator[Finding]:
    """Problems of one circuit; see `check_entry`."""
    yield from _check_photos(section, folder, confined)
    architecture, findings = _network(section, folder, confined)
    yield from findings
    if architecture is None:
        return
    if section.unit.layer not in [layer.name for layer in architecture.conv_layers]:
        yield ("unit", "layer"), _no_such_layer(section.unit.layer, architecture)
        return
    yield from _check_names(architecture, (section.unit.layer,))
    yield from _check_units(section, architecture)
    # Where the unit is out of range, what else is wrong is reported as for the last one.
    unit = min(section.unit.index, architecture.channels(section.unit.layer) - 1)
    section = section.model_copy(update={"unit": section.unit.model_copy(update={"index": unit})})
    try:
        sources = architecture.source_channels(section.unit.layer, unit)
    except Untraceable as error:
        yield ("unit", "layer"), str(error)
        return
    if section.depth > 1 and all(source.layer == INPUT for source in sources):
        yield ("depth",), f"{section.unit.layer} reads the image itself, whose colours have no inputs; leave it out"
    yield from _check_earlier(section, architecture, unit)
    yield from check_claims(section, architecture)
    names = value_names(len(sources), min(section.inputs, len(sources)), section.siblings)
    for path, text in _texts(section).items():
        for message in check(text, names):
            yield path, message


def _network(
    section: CircuitSection | SweepSection, folder: Path, confined: bool
) -> tuple[Architecture | None, list[Finding]]:
    """The network's layers where they can be known, and what is wrong with its section."""
    findings: list[Finding] = [
        (("network", *path), message) for path, message in network_problems(section.network, folder, confined)
    ]
    if findings:
        # What is wrong with the weights doesn't hide what is wrong with the unit, where the layers are known anyway.
        built_in = section.network.model in BUILT_IN
        return catalogue_entry(section.network.model).architecture if built_in else None, findings
    try:
        architecture = open_source(section.network, (), folder, Cache(folder / CACHE_FOLDER)).structure
    except WeightsUnavailable as error:
        return None, [(("network", "model"), str(error))]
    if section.network.classifier and not architecture.is_classifier:
        last = architecture.layers[-1].name
        message = f"{architecture.title} ends with {last}, which gives no class probabilities; leave `classifier` out"
        findings.append((("network", "classifier"), message))
    return architecture, findings


def _no_such_layer(name: str, architecture: Architecture) -> str:
    is_there = any(layer.name == name for layer in architecture.layers)
    nearest = [] if is_there else nearest_layers(name, readable_layers(architecture))
    hint = f"did you mean {nearest[0]}? Expected" if nearest else "expected"
    return f"{no_such_layer(name, architecture)}; {hint} {expected_layers(architecture)}"


def _check_names(architecture: Architecture, layers: Sequence[str]) -> Iterator[Finding]:
    for name in not_computable(layer.name for layer in architecture.upto(*layers)):
        yield (
            ("network", "model"),
            f"the layer `{name}` can't be computed: TensorFlow takes letters from a to z, digits, `_`, `.`, `-`, `/` "
            "and `>` in a name; give the layer another name and save the model again",
        )


def _check_earlier(section: CircuitSection, architecture: Architecture, unit: int) -> Iterator[Finding]:
    layer = section.unit.layer
    possible = layers_to_expand(architecture, layer, unit, earlier_layers(architecture, layer))
    direct = {source.layer for source in architecture.source_channels(layer, unit)}
    indirect = [name for name in possible if name not in direct]
    for place, name in enumerate(section.earlier or ()):
        if name in direct:
            yield ("earlier", place), f"{layer} reads {name} itself, and is always compared with it; leave it out"
        elif name not in indirect:
            nearest = nearest_layers(name, indirect)
            hint = f"; did you mean {nearest[0]}?" if nearest else "."
            expected = f"expected one of {', '.join(indirect)}" if indirect else "there is none; leave `earlier` out"
            yield ("earlier", place), f"{name} isn't an earlier layer of {layer}{hint} As it stands, {expected}"


def _check_units(section: CircuitSection, architecture: Architecture) -> Iterator[Finding]:
    layer = section.unit.layer
    channels = architecture.channels(layer)
    expected = f"expected 0 to {channels - 1}, since {layer} has {channels} units"
    if section.unit.index >= channels:
        yield ("unit", "index"), f"unit {section.unit.index} is out of range; {expected}"
    for place, sibling in enumerate(section.siblings):
        if sibling >= channels:
            yield ("siblings", place), f"sibling {sibling} is out of range; {expected}"
        elif sibling == section.unit.index:
            yield ("siblings", place), f"sibling {sibling} is the unit itself; expected other units of {layer}"
        elif sibling in section.siblings[:place]:
            yield ("siblings", place), f"sibling {sibling} is named twice; expected each once"


def _check_photos(section: CircuitSection | SweepSection, folder: Path, confined: bool) -> Iterator[Finding]:
    if section.photos == SAMPLES:
        return
    photos = Photos(section.photos, folder)
    try:
        if confined and photos.outside:
            reason = "lies outside the config's folder, from where --confined takes nothing; put the photos beside it"
            raise NotAdmitted(section.photos, reason)
        count = len(photos.found)
    except NotAdmitted as error:
        yield ("photos",), str(error)
        return
    path = folder / Path(section.photos).expanduser()
    pattern = any(letter in section.photos for letter in "*?[")
    if not pattern and not path.exists():
        what = "photo" if path.suffix.lower() in IMAGE_SUFFIXES else "folder"
        yield ("photos",), f"there is no {what} {section.photos}; expected `samples`, a folder of images, or a glob"
    elif not count:
        kinds = ", ".join(sorted(IMAGE_SUFFIXES))
        links = f" (links that lead out of it don't count, as {photos.led_out[0]})" if photos.led_out else ""
        yield ("photos",), f"no images in {section.photos}{links}; expected at least one file that ends in {kinds}"
