"""What can be wrong with a circuit's section beyond its form, found without computing anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from vizengine.cache import CACHE_FOLDER, Cache
from vizengine.check_claims import check_claims
from vizengine.config.places import NotAdmitted
from vizengine.config.schema import CircuitSection, SweepSection
from vizengine.errors import WeightsUnavailable
from vizengine.evidence.expanded_model import earlier_layers, layers_to_expand
from vizengine.evidence.photo_files import IMAGE_SUFFIXES
from vizengine.evidence.photos import SAMPLES, Photos
from vizengine.networks import zoo
from vizengine.networks.architecture import INPUT, Architecture
from vizengine.networks.layer_names import (
    expected_layers,
    nearest_layers,
    no_such_layer,
    not_computable,
    readable_layers,
)
from vizengine.networks.named import network_problems
from vizengine.networks.source import open_source
from vizengine.networks.sources import Untraceable
from vizengine.report import prose
from vizengine.sweep.select import chosen_layers, selection_flaws

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
    """Problems of one circuit, each with its path inside the section.

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
    if section.unit.layer not in [layer.name for layer in architecture.conv_layers]:
        yield ("unit", "layer"), _no_such_layer(section.unit.layer, architecture)
        return
    yield from _check_names(architecture, (section.unit.layer,))
    yield from _check_units(section, architecture)
    # Where the unit is out of range, what else is wrong is told as it would be of the last one.
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
    names = prose.value_names(len(sources), min(section.inputs, len(sources)), section.siblings)
    texts = {
        ("hypothesis", "unit"): section.hypothesis.unit,
        ("hypothesis", "circuit"): section.hypothesis.circuit,
        ("network", "why"): section.network.why,
    }
    for path, text in texts.items():
        for message in prose.check(text, names):
            yield path, message


def _network(
    section: CircuitSection | SweepSection, folder: Path, confined: bool
) -> tuple[Architecture | None, list[Finding]]:
    """The network's layers where they can be known, and what is wrong with its section."""
    found: list[Finding] = [
        (("network", *path), message) for path, message in network_problems(section.network, folder, confined)
    ]
    if found:
        # What is wrong with the weights doesn't hide what is wrong with the unit, where the layers are known anyway.
        built_in = section.network.model in zoo.MODEL_NAMES
        return zoo.entry(section.network.model).architecture if built_in else None, found
    try:
        architecture = open_source(section.network, (), folder, Cache(folder / CACHE_FOLDER)).structure
    except WeightsUnavailable as error:
        return None, [(("network", "model"), str(error))]
    if section.network.classifier and not architecture.is_classifier:
        last = architecture.layers[-1].name
        message = f"{architecture.title} ends with {last}, which gives no class probabilities; leave `classifier` out"
        found.append((("network", "classifier"), message))
    return architecture, found


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
