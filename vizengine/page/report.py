"""The report, which is circuit.json: its models, how it is built, and the values that a hypothesis can name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import signature
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, create_model

from vizengine.config.schema import CircuitSection
from vizengine.figures.quantities import (
    Address,
    Documented,
    Histogram,
    Quantity,
    histogram,
    if_finite,
    percent,
    significant,
    whole,
)
from vizengine.measures import MEASURES
from vizengine.measures.branches import Branch, BranchReport, tree
from vizengine.measures.claims import Checked, ClaimReport, ClaimsTally, claim_report, claims_tally
from vizengine.measures.classification import ClassificationReport
from vizengine.measures.engine import Evidence
from vizengine.measures.expanded import ExpandedReport
from vizengine.measures.inputs import (
    Circuit,
    InputSlice,
    StrongInput,
    TermReport,
    Totals,
    circuit_totals,
    input_slices,
    scale,
)
from vizengine.measures.measure import Value
from vizengine.measures.readings import OutputsReport
from vizengine.network.source import NetworkDescription
from vizengine.page.prose import first_paragraph, first_paragraph_text, render
from vizengine.pictures.result import UnitStudy, Visualization
from vizengine.pictures.view import Feature, StudyReport, feature, study_report

if TYPE_CHECKING:
    EvidenceReport = Any
else:
    EvidenceReport = create_model(
        "EvidenceReport",
        __base__=Documented,
        __doc__="What was measured of the unit on photos.",
        **{
            measure.reported_as: (measure.part, Field(description=measure.about))
            for measure in MEASURES
            if measure.about
        },
        claims=(tuple[ClaimReport, ...], Field(description="The author's claims, held against all this.")),
        tally=(ClaimsTally | None, Field(description="How they came out; null where there are none.")),
    )


class LayerRow(Documented):
    """One layer on the way from the image to the unit."""

    name: str
    """Layer name."""
    kind: str
    """`conv`, `max_pool`, and so on."""
    height: Quantity
    """Rows of its map at the classifier's input size."""
    width: Quantity
    """Columns of its map."""
    channels: Quantity
    """Channels of its map."""
    kernel: int
    """Side of its window; 1 where it has none."""
    stride: int
    """Step of its window; 1 where it has none."""
    receptive_field: Quantity
    """Side of what one position sees."""
    parameters: Quantity
    """Trainable weights."""


class NetworkReport(Documented):
    """The network and the chain of layers to the unit."""

    name: str
    """The name that a config uses."""
    title: str
    """The name that a reader knows."""
    citation: str
    """The paper that describes it."""
    trained: bool
    """Whether its weights come from training; false where they are drawn at random."""
    parameters: Quantity
    """Trainable weights of the whole network."""
    loaded_layers: Quantity
    """Layers with weights that the weights file gave."""
    has_classifier: bool
    """Whether the weights file reaches to the class probabilities."""
    input_size: Quantity
    """Side of the classifier's input."""
    chain: tuple[LayerRow, ...]
    """Layers from the image to the unit's layer."""
    receptive_field: Quantity
    """Side of what the unit sees."""
    microscope: Address
    """Address of the unit in OpenAI Microscope, or empty."""
    remarks: tuple[str, ...] = ()
    """What a reader must know of normalisations that measure each image anew."""


class Version(Documented):
    """A library that took part."""

    name: str
    """Its name."""
    version: str
    """Its version."""


class Provenance(Documented):
    """How the page was made."""

    command: str
    """The command that makes the page again."""
    seed: int
    """Seed of the first attempt of every picture."""
    versions: tuple[Version, ...]
    """Libraries that took part, by name."""
    code: str
    """Hash of the code that computed the figures, or empty."""
    weights_file: str
    """Base name of the weights file."""
    weights_origin: str
    """Where it came from."""
    weights_sha256: str
    """Its hash."""
    weights_credit: str
    """Who trained the weights, and their licence."""


SCHEMA_VERSION = 4
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]


class KeptNotice(Documented):
    """Why a page was kept from an earlier build."""

    date: str
    """When that build was made, as a reader would write it."""
    reason: str
    """Why it could not be computed again."""
    mend: str = ""
    """What can be done about it."""
    versions: tuple[Version, ...]
    """Libraries of that build."""
    weights_sha256: str
    """Hash of that build's weights."""


class Report(Documented):
    """One circuit page."""

    schema_version: int = SCHEMA_VERSION
    """Version of this schema."""
    name: Slug
    """The circuit's name in the config and its page's folder."""
    title: str
    """Heading of the page."""
    layer: str
    """The unit's conv layer."""
    unit: int
    """The unit's index in it."""
    bias: Quantity
    """The unit's bias."""
    dead: str = ""
    """Says that the unit gives the same whatever it sees; empty for all others."""
    summary: str
    """First paragraph of the unit's hypothesis, plain text, for the page's description."""
    opening: str
    """First paragraph of the unit's hypothesis, HTML."""
    unit_hypothesis: str
    """What the unit extracts, in the author's words, HTML."""
    circuit_hypothesis: str
    """How its inputs make it do that, in the author's words, HTML."""
    why: str
    """Why this network, in the author's words, HTML; may be empty."""
    totals: Totals
    """Counts for the claim."""
    feature: Feature
    """What the unit looks for."""
    siblings: tuple[Feature, ...]
    """Other units of the same layer, for comparison."""
    study: StudyReport
    """Further pictures of the unit."""
    evidence: EvidenceReport
    """What was measured of the unit on photos."""
    strongest: tuple[StrongInput, ...]
    """The strongest inputs, by norm."""
    inputs: tuple[InputSlice, ...]
    """All input channels, by rank."""
    norms: Histogram
    """The norms of all input channels."""
    expanded: ExpandedReport
    """The unit's weights to layers that aren't its neighbours."""
    outputs: OutputsReport
    """The later units that read the unit."""
    tree: tuple[BranchReport, ...]
    """The inputs of the strongest inputs; empty unless the config asks for them."""
    kernel_scale: Quantity
    """Largest absolute coefficient among the slices shown: the ends of the page's colour scale."""
    network: NetworkReport
    """The network and the way to the unit."""
    classification: ClassificationReport
    """The check that the network works."""
    provenance: Provenance
    """How the page was made."""
    config: dict[str, Any] = Field(default_factory=dict)
    """The circuit's section of the config, as canonical data."""
    kept: KeptNotice | None = None
    """Set where the page was kept from an earlier build."""


class Missing(Documented):
    """A circuit that couldn't be computed or rendered, and of which no earlier page is at hand."""

    name: Slug
    """The circuit's name in the config."""
    title: str
    """Heading of its place."""
    reason: str
    """What is missing, or what happened."""
    mend: str = ""
    """How to mend it; empty where the reason says so."""


class SweepReport(Documented):
    """A sweep: many units, with an explorer that leads to them."""

    name: Slug
    """Its name in the config, and its folder."""
    title: str
    """Its heading."""
    network: str
    """The network's title."""
    trained: bool
    """Whether its weights come from training; false where they are drawn at random."""
    units: int
    """How many units it has."""
    layers: int
    """In how many layers."""
    failures: int
    """How many of them failed."""


class SiteReport(Documented):
    """The whole site."""

    title: str
    """Its name."""
    description: str = ""
    """One sentence about it."""
    author: str = ""
    """Who made it."""
    url: Address = ""
    """Its address on the web, or empty."""
    language: str = "en"
    """Language of its texts, for the `lang` attribute."""
    circuits: tuple[Report | Missing | SweepReport, ...]
    """Its circuits, in the order of the config."""


# What a hypothesis can name: by the name, what finds the value. Names are flat and dotted, as `unit.reached`,
# `top1.norm`, `channel_124.rank` or `sibling_8.ratio`. They follow from the config and the number of input channels, so
# that a config can be checked before anything is computed.
Getters = Mapping[str, Callable[[Any], Value]]
NOT_MEASURED = "not measured"


def _attributes(names: str, **paths: str) -> dict[str, Callable[[Any], Value]]:
    """Getters of attributes of the same name, and of those at other paths."""
    return {name: attrgetter(path) for name, path in ({name: name for name in names.split()} | paths).items()}


_NETWORK = _attributes("name title parameters input_size")
_INPUTS = _attributes("coefficients", count="inputs")
_TOP = _attributes("excitatory inhibitory mixed share pictures converged", count="shown")
_UNIT = _attributes("layer bias", index="unit", label="feature.label", receptive_field="network.receptive_field")
_FEATURE: Getters = {
    **_attributes("reached mean photo_best ratio verdict"),
    "photo_best_name": lambda feature: feature.photo_best_name or None,
    "steps": lambda feature: feature.trace.steps if feature.trace else None,
}
_SLICE = _attributes(
    "index label layer channel norm share rank contribution sign by_count by_mass positive_count negative_count "
    "positive_mass negative_mass",
    sum="total",
    photo_contribution="photo_size",
    smallest="kernel.smallest",
    largest="kernel.largest",
)


def value_names(input_count: int, top: int, siblings: Iterable[int]) -> frozenset[str]:
    """All names that a hypothesis can use, of a unit with so many inputs and `siblings` to compare it with.

    Args:
        top: how many of the strongest inputs the config asks for.
    """
    of_inputs = [name for measure in MEASURES for name in measure.input_values]
    names: dict[str, Iterable[str]] = {"network": _NETWORK, "inputs": _INPUTS, "top": _TOP, "unit": {*_UNIT, *_FEATURE}}
    names.update((f"top{place}", {*_SLICE, *_FEATURE, *of_inputs}) for place in range(1, min(top, input_count) + 1))
    names.update((f"channel_{index}", _SLICE) for index in range(input_count))
    names.update((f"sibling_{index}", {"index", *_FEATURE}) for index in siblings)
    return frozenset(f"{prefix}.{name}" for prefix, group in names.items() for name in group).union(
        *(measure.values for measure in MEASURES)
    )


def measured_values(report: Report) -> dict[str, str]:
    """The text of every value that a hypothesis can name; `not measured` where there is none."""
    values: dict[str, Value] = {}

    def add(prefix: str, getters: Getters, source: object) -> None:
        values.update((f"{prefix}.{name}", get(source)) for name, get in getters.items())

    add("network", _NETWORK, report.network)
    add("inputs", _INPUTS, report.totals)
    add("top", _TOP, report.totals)
    add("unit", _UNIT, report)
    add("unit", _FEATURE, report.feature)
    for place, strong in enumerate(report.strongest, start=1):
        add(f"top{place}", _SLICE, strong.slice)
        add(f"top{place}", _FEATURE, strong.feature)
    for channel in report.inputs:
        add(f"channel_{channel.index}", _SLICE, channel)
    for sibling in report.siblings:
        values[f"sibling_{sibling.channel}.index"] = sibling.channel
        add(f"sibling_{sibling.channel}", _FEATURE, sibling)
    for measure in MEASURES:
        part: Any = getattr(report.evidence, measure.reported_as, None)
        values.update((name, get(part)) for name, get in measure.values.items())
        for place, effect in enumerate(part.inputs if measure.input_values else (), start=1):
            add(f"top{place}", measure.input_values, effect)
    return {name: _text(value) for name, value in values.items()}


def _text(value: Value) -> str:
    if value is None:
        return NOT_MEASURED
    return value.shown if isinstance(value, Quantity) else str(value)


# Twice the side in CSS pixels at which the page shows each kind of picture, so that it is sharp on a fine screen.
UNIT_PIXELS = 600
INPUT_PIXELS = 256
TWIG_PIXELS = 160
# Even, so that zero lies between two bars.
COEFFICIENT_BINS = 20
NORM_BINS = 32


def report_parts(evidence: Evidence, group_pictures: Sequence[Visualization], circuit: Circuit) -> dict[str, Any]:
    """What the page says of each measurement, by the part's name in circuit.json.

    Args:
        group_pictures: a picture of each factor of the weights.
    """
    results = {name: getattr(evidence, name) for name in dir(evidence)}
    results.update(circuit=circuit, group_pictures=group_pictures)
    return {
        measure.reported_as: measure.report(**{name: results[name] for name in signature(measure.report).parameters})
        for measure in MEASURES
        if measure.report
    }


def evidence_report(parts: Mapping[str, Any], claims: Sequence[Checked], circuit: Circuit) -> EvidenceReport:
    """The part of the report on what was measured on photos; `parts` are as `report_parts` gives them."""
    return EvidenceReport(
        **{measure.reported_as: parts[measure.reported_as] for measure in MEASURES if measure.about},
        claims=tuple(claim_report(checked, circuit) for checked in claims),
        tally=claims_tally(claims),
    )


def build(
    section: CircuitSection,
    network: NetworkDescription,
    circuit: Circuit,
    visualizations: Mapping[tuple[str, int], Visualization],
    study: UnitStudy,
    evidence: Evidence,
    claims: Sequence[Checked],
    group_pictures: Sequence[Visualization],
    inner: Sequence[Branch],
    versions: Mapping[str, str],
    code: str = "",
) -> Report:
    """The report of one circuit.

    Args:
        visualizations: by (layer, channel), at least of the unit, of the circuit's strongest inputs and of the
            siblings that the section names.
        claims: the author's claims as they were checked, in the config's order.
        group_pictures: a picture of each factor of the weights.
        inner: the strongest inputs as units; empty unless the config asks for them.
        versions: version of each library that took part, by its name.
        code: hash of the code that computed the figures, or empty.

    Raises:
        KeyError: a visualization is missing, or a text names an unknown value (see `prose.check`).
    """
    label = f"{circuit.layer}:{circuit.unit}"
    unit = feature(visualizations[circuit.layer, circuit.unit], label, "unit", UNIT_PIXELS)
    inputs = input_slices(circuit, evidence.contributions, evidence.ranks)
    parts = report_parts(evidence, group_pictures, circuit)
    kernel_scale = scale(circuit)
    strongest = tuple(
        StrongInput(
            slice=input_slice,
            feature=feature(
                visualizations[channel.source_layer, channel.source_channel],
                channel.label,
                "input channel",
                INPUT_PIXELS,
            ),
            histogram=histogram(channel.kernel, -kernel_scale.value, kernel_scale.value, COEFFICIENT_BINS),
            terms=tuple(TermReport(label=term.label, share=if_finite(term.share, percent)) for term in added),
        )
        for input_slice, channel, added in zip(inputs, circuit.strongest, evidence.terms, strict=False)
    )
    bias = significant(circuit.bias)
    texts = {
        "summary": (first_paragraph_text, section.hypothesis.unit),
        "opening": (first_paragraph, section.hypothesis.unit),
        "unit_hypothesis": (render, section.hypothesis.unit),
        "circuit_hypothesis": (render, section.hypothesis.circuit),
        "why": (render, section.network.why),
    }
    blank: dict[str, Any] = dict.fromkeys(texts, "")
    report = Report(
        name=section.name,
        title=section.title or _title(network, circuit),
        layer=circuit.layer,
        unit=circuit.unit,
        bias=bias,
        dead=_dead(circuit, bias),
        **blank,
        totals=circuit_totals(circuit, unit, strongest),
        feature=unit,
        siblings=tuple(
            feature(visualizations[circuit.layer, sibling], f"{circuit.layer}:{sibling}", "sibling unit", INPUT_PIXELS)
            for sibling in dict.fromkeys(section.siblings)
        ),
        study=study_report(study, label, INPUT_PIXELS),
        evidence=evidence_report(parts, claims, circuit),
        strongest=strongest,
        inputs=inputs,
        expanded=parts["expanded"],
        outputs=parts["outputs"],
        tree=tree(inner, visualizations, TWIG_PIXELS),
        norms=histogram([channel.norm for channel in circuit.inputs], 0.0, circuit.ranked[0].norm, NORM_BINS),
        kernel_scale=kernel_scale,
        network=_network(network),
        classification=parts["classification"],
        provenance=Provenance(
            command=f"python generate.py config.yaml --only {section.name}",
            seed=section.visualization.seed,
            versions=tuple(Version(name=name, version=version) for name, version in sorted(versions.items())),
            code=code,
            weights_file=network.weights_file,
            weights_origin=network.weights_origin,
            weights_sha256=network.weights_sha256,
            weights_credit=network.weights_credit,
        ),
        config=section.model_dump(mode="json"),
    )
    values = measured_values(report)
    return report.model_copy(update={name: form(text, values) for name, (form, text) in texts.items()})


def _dead(circuit: Circuit, bias: Quantity) -> str:
    """What to say of a unit all of whose weights are 0."""
    if any(channel.norm for channel in circuit.inputs):
        return ""
    return (
        f"All weights of its kernel are 0, so it gives its bias, {bias.shown}, whatever it sees. Its picture shows "
        "nothing that it looks for, its inputs add nothing to it, and figures that compare what differs, as "
        "correlations and shares, don’t exist."
    )


def _title(network: NetworkDescription, circuit: Circuit) -> str:
    name = f"{network.title} {circuit.layer} unit {circuit.unit}"
    return name if network.trained else f"{name}, random weights"


def _network(network: NetworkDescription) -> NetworkReport:
    rows = []
    for layer in network.chain:
        height, width, channels = layer.shape
        rows.append(
            LayerRow(
                name=layer.name,
                kind=layer.kind,
                height=whole(height),
                width=whole(width),
                channels=whole(channels),
                kernel=layer.kernel,
                stride=layer.stride,
                receptive_field=whole(layer.receptive_field, "px"),
                parameters=whole(layer.parameters),
            )
        )
    return NetworkReport(
        name=network.name,
        title=network.title,
        citation=network.citation,
        trained=network.trained,
        parameters=whole(network.parameters),
        loaded_layers=whole(network.loaded_layers),
        has_classifier=network.has_classifier,
        input_size=whole(network.input_size, "px"),
        chain=tuple(rows),
        receptive_field=whole(network.receptive_field, "px"),
        microscope=network.microscope,
        remarks=network.remarks,
    )
