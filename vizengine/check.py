"""A config against its network: all that can be wrong beyond its form, told without computing."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path

from vizengine.cache import CACHE_FOLDER, Cache
from vizengine.config.applications import BUILT_IN
from vizengine.config.load import load
from vizengine.config.paths import is_within
from vizengine.config.schema import CircuitSection, Config, SweepSection
from vizengine.errors import PhotosUnavailable, UsageError, WeightsUnavailable
from vizengine.layers.jobs import chosen_layers, selection_flaws
from vizengine.measures.claims import claim_of
from vizengine.measures.expanded import earlier_layers, layers_to_expand
from vizengine.measures.photo_sources import PhotoSources
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
from vizengine.network.weights import MissingWeights
from vizengine.page import prose
from vizengine.page.render import templates_folder
from vizengine.page.report import value_names
from vizengine.page.verify import destination

logger = logging.getLogger(__name__)
Finding = tuple[tuple[str | int, ...], str]
"""A path inside a circuit's section, and what is wrong there."""
_ANCHOR = re.compile(r'\bid="([a-z][a-z0-9-]*)"')


def check(config_path: Path, confined: bool = False) -> Config:
    """Read a config and check all that can be known without computing.

    Args:
        config_path: the config.
        confined: whether it may name nothing outside its folder, nor code that runs.

    Raises:
        ConfigError: with every problem.
        UsageError: results would be kept outside its folder in spite of `confined`.
    """
    # The check itself keeps in the cache what it reads of a network.
    if confined and not is_within(config_path.parent / CACHE_FOLDER, config_path.parent):
        raise UsageError(f"--confined: {CACHE_FOLDER} is a link that leads out of the config's folder; remove it")
    return load(config_path, (partial(check_entry, confined=confined),), confined, (_check_links,))


def tell_of_photos(config: Config) -> None:
    """Say which folders and archives outside the config's folder give pictures to its pages."""
    folders = {folder for section in config.circuits for folder in PhotoSources(section.photos, config.folder).outside}
    for folder in sorted(folders):
        logger.info("pictures from %s, which lies outside the config's folder, are on the pages", folder)


def missing_weights(config: Config) -> list[tuple[CircuitSection | SweepSection, MissingWeights]]:
    """The circuits whose weights aren't on this machine, told without reading or downloading any."""
    cache = Cache(config.folder / CACHE_FOLDER)
    missing = (
        (section, open_source(section.network, (), config.folder, cache).missing_weights) for section in config.circuits
    )
    return [(section, weights) for section, weights in missing if weights is not None]


def missing_photos(config: Config) -> list[tuple[CircuitSection | SweepSection, PhotosUnavailable]]:
    """The circuits whose photos aren't on this machine, told without downloading any."""
    missing = ((section, PhotoSources(section.photos, config.folder).missing) for section in config.circuits)
    return [(section, photos) for section, photos in missing if photos is not None]


def check_entry(section: CircuitSection | SweepSection, folder: Path, confined: bool = False) -> Iterator[Finding]:
    """Problems of one circuit or sweep.

    Args:
        section: one whose form is right.
        folder: the config's folder.
        confined: whether the config may name nothing outside its folder, nor code.
    """
    yield from _check_photos(section, folder, confined)
    architecture, findings = _network(section, folder, confined)
    yield from findings
    if architecture is None:
        return
    if isinstance(section, CircuitSection):
        yield from _check_circuit(section, architecture)
    else:
        yield from selection_flaws(section, architecture)
        yield from _check_names(architecture, chosen_layers(section.unit, architecture))


def _check_circuit(section: CircuitSection, architecture: Architecture) -> Iterator[Finding]:
    layer = section.unit.layer
    if layer not in [conv_layer.name for conv_layer in architecture.conv_layers]:
        is_there = any(any_layer.name == layer for any_layer in architecture.layers)
        nearest = [] if is_there else nearest_layers(layer, readable_layers(architecture))
        hint = f"did you mean {nearest[0]}? Expected" if nearest else "expected"
        yield ("unit", "layer"), f"{no_such_layer(layer, architecture)}; {hint} {expected_layers(architecture)}"
        return
    yield from _check_names(architecture, (layer,))
    yield from _check_units(section, architecture)
    # Where the unit is out of range, what else is wrong is reported as for the last one.
    unit = min(section.unit.index, architecture.channels(layer) - 1)
    try:
        sources = architecture.source_channels(layer, unit)
    except Untraceable as error:
        yield ("unit", "layer"), str(error)
        return
    if section.depth > 1 and all(source.layer == INPUT for source in sources):
        yield ("depth",), f"{layer} reads the image itself, whose colours have no inputs; leave it out"
    yield from _check_earlier(section, architecture, unit)
    for place, claim in enumerate(section.hypothesis.claims):
        for message in claim_of(claim).problems(layer, unit, architecture):
            yield ("hypothesis", "claims", place), message
    names = value_names(len(sources), min(section.inputs, len(sources)), section.siblings)
    for path, text in _texts(section).items():
        for message in prose.check(text, names):
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
    sources = PhotoSources(section.photos, folder)
    for number, message in sources.flaws(confined):
        yield ("photos", number) if len(sources.each) > 1 else ("photos",), message


def _check_links(
    sections: Mapping[int, CircuitSection | SweepSection], names: Collection[str]
) -> Iterator[tuple[int, tuple[str | int, ...], str]]:
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
            for link, first in prose.relative_links(text):
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
    target, anchor, problem = destination(page, link)
    if problem or not target:
        return problem
    folder, _, file = target.rpartition("/")
    if folder.partition("/")[0] in set(names) - set(circuits):
        # What a sweep writes follows from what it computes.
        return ""
    alone = len(names) == 1
    of_a_circuit = ("index.html", "circuit.json", "build.json")
    if folder:
        is_there = folder in circuits and file in of_a_circuit
    else:
        is_there = file in ("index.html", "config.yaml") or (alone and file in of_a_circuit)
    if not is_there:
        return "leads to no file of the site"
    anchors: Collection[str] = ()
    if file == "index.html":
        anchors = _anchors() if folder or alone else names
    if not anchor or anchor in anchors:
        return ""
    return f"leads to no place on {'that page' if target != page else 'the page'}"


@cache
def _anchors() -> frozenset[str]:
    """What anchors a circuit's page can have."""
    folder = templates_folder()
    files = [folder / "circuit.html"]
    for part in ("sections", "measures", "macros"):
        files += (folder / part).glob("*.html")
    return frozenset(anchor for file in files for anchor in _ANCHOR.findall(file.read_text(encoding="utf-8")))
