"""A synthetic circuit: every figure follows from a seed, none from a network.

It stands in for the stages left of the report, so that the report and the pages can be tested in a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.page.example_evidence import evidence
from vizengine.config.network import NetworkSection
from vizengine.config.schema import CircuitSection, HypothesisSection, UnitSection
from vizengine.measures.branches import Branch
from vizengine.measures.claims import check, read_claim
from vizengine.measures.classification import Classification, ClassifiedPhoto, Guess
from vizengine.measures.engine import Evidence
from vizengine.measures.expanded import Expanded, ExpandedSection, Untold
from vizengine.measures.inputs import Circuit, Sign, analyse
from vizengine.measures.readings import NO_WEIGHTS, Reading, Readings, Unread
from vizengine.network.architecture import SourceChannel
from vizengine.network.source import LayerDescription, NetworkDescription
from vizengine.page.report import KeptNotice, Measured, Missing, Report, SiteReport, Version, build
from vizengine.pictures.result import Attempt, Film, Stability, UnitStudy, Variants, Visualization

VERSIONS = {"keras": "3.15.1", "numpy": "2.5.5", "python": "3.12.3", "tensorflow": "2.21.0", "vizengine": "0.1.0"}
PHOTOS = ("astronaut", "chelsea", "coffee", "hubble_deep_field", "motorcycle_left", "rocket")
UNIT_HYPOTHESIS = """\
Unit {{ unit.index }} answers to *fine dark spots on a light ground*: its picture reaches {{ unit.reached }}, which is
{{ unit.ratio }} the most that any photo gives, and the spots keep their distance whatever the colour between them.

It sees {{ unit.receptive_field }} of the image, just enough for one spot and the ring around it. Spots of another size
leave it cold; see [Feature Visualization](https://distill.pub/2017/feature-visualization/) for how pictures are made.

- The ground matters more than the spot: `{{ top1.label }}`, its strongest input, is {{ top1.sign }}.
- Colour matters little.
"""
CIRCUIT_HYPOTHESIS = """\
Of {{ inputs.count }} inputs the {{ top.count }} strongest carry {{ top.share }} of the squared weight.
The strongest, {{ top1.label }}, has a norm of {{ top1.norm }}; the second, {{ top2.label }}, one of {{ top2.norm }}.

Together they read as *a spot, and not the spot beside it*: {{ top.excitatory }} excite, {{ top.inhibitory }} inhibit.
"""


def blobs(seed: int, size: int = 128) -> NDArray[np.uint8]:
    """A picture of smooth coloured waves.

    Returns:
        (size, size, 3) uint8.
    """
    random = np.random.default_rng(seed)
    down, across = np.mgrid[:size, :size] / 128.0
    picture = np.zeros((size, size, 3))
    for _ in range(10):
        angle, frequency = random.uniform(0, np.pi), random.uniform(10, 60)
        wave = np.cos(frequency * (across * np.cos(angle) + down * np.sin(angle)) + random.uniform(0, 6))
        picture += wave[..., None] * (0.8 * random.normal(size=1) + random.normal(size=3) * 0.5)
    return (255 / (1 + np.exp(-picture))).astype(np.uint8)


def visualization(
    layer: str, channel: int, converged: bool = True, photos: bool = True, size: int = 128
) -> Visualization:
    """A picture with a plausible ascent."""
    random = np.random.default_rng(channel)
    steps = np.arange(256)
    photo_best = float(random.uniform(300, 900))
    reached = photo_best * (float(random.uniform(1.6, 3.2)) if converged else 0.7)
    trace = 0.6 * reached * (1 - np.exp(-steps / 40)) + random.normal(size=256) * 0.02 * reached
    attempts = [Attempt("channel", 0, False, size, 256, reached * 0.9, 0.081, False)] if channel % 5 == 0 else []
    attempts.append(Attempt("channel", len(attempts), False, size, 256, reached, 0.012, converged))
    return Visualization(
        layer=layer,
        channel=channel,
        direction="positive",
        image=blobs(channel, size),
        trace=trace.astype(np.float32),
        reached=reached,
        mean=reached * 0.55,
        photo_best=photo_best if photos else float("-inf"),
        photo_best_name=PHOTOS[channel % len(PHOTOS)] if photos else "",
        objective="channel",
        attempts=tuple(attempts),
        converged=converged,
    )


def unit_study(layer: str = "block3_conv3", unit: int = 195, size: int = 64) -> UnitStudy:
    """Further pictures of a unit, with a short film."""
    negative = replace(visualization(layer, unit + 1, size=size), channel=unit, direction="negative", reached=-900.0)
    others = np.stack([blobs(unit + index, size) for index in range(2, 8)])
    stability = Stability((0, 1, 2), (900.0, 880.0, 930.0), 0.93, 0.41, others[:2])
    return UnitStudy(negative, stability, Variants(others[2:], (700.0, 650.0, 720.0, 610.0)), Film(others[:3]))


def colour(channel: int, size: int = 128) -> Visualization:
    """The exact picture of one colour of the image."""
    image = np.zeros((size, size, 3), np.uint8)
    image[..., channel] = 255
    return Visualization(
        "input",
        channel,
        "positive",
        image,
        np.array([131.0], np.float32),
        131.0,
        131.0,
        120.0,
        "coffee",
        "exact",
        (),
        True,
    )


def circuit(inputs: int = 256, top: int = 6, side: int = 3, layer: str = "block3_conv3", unit: int = 195) -> Circuit:
    """A unit with `inputs` random slices, a few of them strong, one without any weight and one without a sign."""
    random = np.random.default_rng(unit)
    kernel = random.normal(size=(side, side, inputs, unit + 1), scale=0.02).astype(np.float32)
    strong = random.permutation(inputs)[: 3 * top]
    kernel[..., strong, unit] *= np.linspace(5, 1.5, len(strong), dtype=np.float32)
    kernel[..., strong[: top // 2], unit] = np.abs(kernel[..., strong[: top // 2], unit]) * 1.1
    if inputs > 2 * top:
        kernel[..., strong[-1], unit] = 0.0
    sources = [SourceChannel("block3_conv2", index, f"block3_conv2:{index}") for index in range(inputs)]
    return analyse(layer, unit, kernel, np.full(unit + 1, 0.25, np.float32), sources, top)


def colour_circuit() -> Circuit:
    """A unit of a first layer: its inputs are the colours of the image."""
    kernel = np.random.default_rng(3).normal(size=(3, 3, 3, 5)).astype(np.float32)
    sources = [SourceChannel("input", index, name) for index, name in enumerate(("red", "green", "blue"))]
    return analyse("conv1", 4, kernel, np.zeros(5, np.float32), sources, 6)


def pictures(of: Circuit, siblings: Sequence[int] = (), size: int = 128) -> dict[tuple[str, int], Visualization]:
    """A picture for the unit, each strongest input and each sibling; the fourth input's search did not converge."""
    made = {(of.layer, index): visualization(of.layer, index, size=size) for index in (of.unit, *siblings)}
    twigs = [channel for each in branches(of) if each.circuit for channel in each.circuit.strongest]
    for place, channel in enumerate((*twigs, *of.strongest), start=-len(twigs)):
        key = (channel.source_layer, channel.source_channel)
        made[key] = colour(key[1], size) if key[0] == "input" else visualization(*key, converged=place != 3, size=size)
    return made


def section(name: str = "example-unit-195", **changes: object) -> CircuitSection:
    """The circuit's section of a config."""
    fields: dict[str, object] = {
        "name": name,
        "title": "Spots on a light ground",
        "network": NetworkSection(
            model="vgg19", why="VGG19 has *one path* from image to unit, so each input has one maker."
        ),
        "unit": UnitSection(layer="block3_conv3", index=195),
        "siblings": (8, 11),
        "hypothesis": HypothesisSection(unit=UNIT_HYPOTHESIS, circuit=CIRCUIT_HYPOTHESIS),
    }
    return CircuitSection(**{**fields, **changes})  # type: ignore[arg-type]


def network(has_classifier: bool = True, microscope: bool = True, trained: bool = True) -> NetworkDescription:
    """A network with a chain of layers."""
    rows = (
        ("input", "input", (224, 224, 3), 1, 1, 1, 0),
        ("block1_conv1", "conv", (224, 224, 64), 3, 1, 3, 1792),
        ("block1_conv2", "conv", (224, 224, 64), 3, 1, 5, 36928),
        ("block1_pool", "max_pool", (112, 112, 64), 2, 2, 6, 0),
        ("block2_conv1", "conv", (112, 112, 128), 3, 1, 10, 73856),
        ("block2_conv2", "conv", (112, 112, 128), 3, 1, 14, 147584),
        ("block2_pool", "max_pool", (56, 56, 128), 2, 2, 16, 0),
        ("block3_conv1", "conv", (56, 56, 256), 3, 1, 24, 295168),
        ("block3_conv2", "conv", (56, 56, 256), 3, 1, 32, 590080),
        ("block3_conv3", "conv", (56, 56, 256), 3, 1, 40, 590080),
    )
    return NetworkDescription(
        name="vgg19",
        title="VGG19",
        citation="Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, 2014",
        weights_file="vgg19_weights.h5",
        weights_origin="folder",
        weights_sha256="0123456789abcdef" * 4,
        weights_credit="Visual Geometry Group, University of Oxford (CC BY 4.0)",
        trained=trained,
        parameters=143667240,
        loaded_layers=7,
        has_classifier=has_classifier,
        input_size=224,
        chain=tuple(LayerDescription(*row) for row in rows),
        receptive_field=40,
        microscope="https://microscope.openai.com/models/vgg19_caffe/conv3_3_conv3_3_0/195" if microscope else "",
    )


def classification() -> Classification:
    """Six photos with five guesses each."""
    labels = ("Egyptian cat", "tabby", "tiger cat", "lynx", "Persian cat")
    guesses = tuple(zip(labels, (0.61, 0.2, 0.1, 0.05, 1e-7), strict=True))
    return Classification(
        tuple(
            ClassifiedPhoto(
                name=name,
                credit="Somebody, CC0" if place else "",
                thumbnail=blobs(1000 + place, 96),
                guesses=tuple(Guess(281 + i, label, p) for i, (label, p) in enumerate(guesses)),
            )
            for place, name in enumerate(PHOTOS)
        )
    )


CLAIMS: tuple[dict[str, Any], ...] = (
    {"excites": "block3_conv2:3"},
    {"inhibits": 5},
    {"prefers": {"disk": {"radius": [2, 6], "polarity": "light"}, "over": {"bar": {}}}},
    {"prefers": {"disk": {"radius": 1000}, "over": {"uniform": {}}}},
    {"invariant_to": "hue"},
    {"polysemantic": False},
    {"polysemantic": True},
    {"sufficient": {"inputs": 4, "correlation": 0.4}},
)


def measured(of: Circuit, silent: bool = False, claims: Sequence[dict[str, Any]] = CLAIMS) -> Measured:
    """Evidence of a circuit, with claims of every kind."""
    found = evidence(
        of, PHOTOS, silent=silent, expanded=expanded(of), readings=outputs(of), classification=classification()
    )
    checked = check([read_claim(claim) for claim in claims], of, found)
    return Measured(found, checked, groups(found), branches(of))


def branches(of: Circuit) -> tuple[Branch, ...]:
    """The strongest input as a unit, and the next, of which that can't be told; none of colours, or of one input."""
    if len(of.strongest) < 2 or of.strongest[0].source_layer == "input":
        return ()
    first, second = of.strongest[:2]
    return (
        Branch(first.index, first.label, circuit(8, 3, layer=first.source_layer, unit=first.source_channel)),
        Branch(second.index, second.label, None, "it has no kernel: it is the sum of left:3 and right:3"),
    )


def expanded(of: Circuit) -> Expanded:
    """Weights to two layers, one of which the unit reads, and a third that can't be reached."""
    if of.inputs[0].source_layer == "input":
        return Expanded((), (), 24, 19)
    random = np.random.default_rng(8)

    def section(layer: str, direct: bool, size: int) -> ExpandedSection:
        linear, weighted = random.normal(size=(2, 4, size, size)).astype(np.float32)
        weighted[3] = 0
        labels = tuple(f"{layer}:{index}" for index in (3, 1, 4, 5))
        norms = random.random(9).astype(np.float32)
        alike = (0.5, -0.25, 1.0, float("nan"))
        return ExpandedSection(layer, direct, labels, 9, norms, (3, 1, 4, 5), linear, weighted, 0.61, alike, 0.02)

    sections = section("block2_conv2", False, 14), section(of.inputs[0].source_layer, True, 3)
    return Expanded(sections, (Untold("block1_conv1", "a layer stands between"),), 24, 19)


def outputs(of: Circuit) -> Readings:
    """Three readers, one of them inhibited, and a layer whose weights aren't there."""
    random = np.random.default_rng(9)
    kernels = random.normal(size=(3, 3, 3)).astype(np.float32)
    names: tuple[Sign, ...] = ("excitatory", "excitatory", "inhibitory")
    made = [
        Reading("block3_conv4", 5 + place, 0.2, 0.0612, place + 1, name, kernel, "block3_sum" if place else "")
        for place, (name, kernel) in enumerate(zip(names, kernels, strict=True))
    ]
    return Readings(("block3_conv4",), (Unread("block4_conv1", NO_WEIGHTS),), 256, tuple(made[:2]), tuple(made[2:]))


def groups(found: Evidence) -> tuple[Visualization, ...]:
    """A picture of each factor, the last of which didn't converge."""
    last = len(found.factors.factors) - 1
    return tuple(visualization("group", 300 + place, converged=place != last) for place in range(last + 1))


def report(name: str = "example-unit-195", **changes: object) -> Report:
    """A report with everything in it."""
    of = circuit()
    made = build(
        section(name),
        network(),
        of,
        pictures(of, (8, 11)),
        unit_study(),
        measured(of),
        VERSIONS,
        code="fedcba9876543210",
    )
    return made.model_copy(update=changes)


def first_layer_report() -> Report:
    """A report that lacks what can: training, classifier, siblings, texts, photos, searches of its inputs."""
    of = colour_circuit()
    bare = section(
        "first-layer",
        title=None,
        siblings=(),
        network=NetworkSection(model="vgg16"),
        hypothesis=HypothesisSection(),
        unit=UnitSection(layer="conv1", index=4),
    )
    missing = Classification(
        (), "The weights file ends before the classifier. Fetch vgg16_weights.h5 (553 MB) to have it."
    )
    shown = pictures(of)
    nothing_reads_it = Readings((), (), 0, (), ())
    found = evidence(of, PHOTOS, False, True, expanded=expanded(of), readings=nothing_reads_it, classification=missing)
    lacking = Measured(found, (), groups(found))
    shown["conv1", 4] = visualization("conv1", 4, photos=False)
    return build(bare, network(False, False, trained=False), of, shown, unit_study(), lacking, VERSIONS)


def report_of_few(inputs: int, top: int) -> Report:
    """A report of a unit that reads so many inputs, of which so many are shown, without an author's texts."""
    of = circuit(inputs, top)
    bare = section("few", title=None, siblings=(), inputs=top, hypothesis=HypothesisSection())
    return build(bare, network(), classification(), of, pictures(of), unit_study(), measured(of, claims=()), VERSIONS)


def kept_notice() -> KeptNotice:
    """Why a page was kept."""
    return KeptNotice(
        date="3 May 2026",
        reason="No weights of VGG19 were found in the folder, in Keras' cache or by download.",
        mend="Set VIZENGINE_WEIGHTS to a folder that has vgg19_weights.h5.",
        versions=tuple(Version(name=key, version=value) for key, value in VERSIONS.items()),
        weights_sha256="0123456789abcdef" * 4,
    )


def missing() -> Missing:
    """A circuit that couldn't be computed."""
    return Missing(
        name="absent",
        title="VGG19 block3_conv3 unit 195",
        reason="No weights of VGG19 were found in the folder, in Keras' cache or by download.",
        mend="Set VIZENGINE_WEIGHTS to a folder that has vgg19_weights.h5, and build again.",
    )


def site(*circuits: Report | Missing) -> SiteReport:
    """A site of the circuits given."""
    return SiteReport(
        title="Circuits, unit by unit",
        description="What single units of convolutional networks look for, and how their inputs make them do it.",
        author="A. Author",
        url="https://example.org/circuits/",
        language="en",
        circuits=circuits,
    )
