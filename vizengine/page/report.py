"""The parts of the report that tell what the unit does on photos: examples, faithfulness, claims, all the evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, create_model

from vizengine.config.schema import CircuitSection
from vizengine.figures.quantities import (
    Address,
    Documented,
    Histogram,
    Quantity,
    coefficients,
    norms,
    significant,
    whole,
)
from vizengine.measures import MEASURES
from vizengine.measures.branches import Branch, BranchReport, tree
from vizengine.measures.claims import Checked, ClaimReport, ClaimsTally, claim_report, claims_tally
from vizengine.measures.classification import ClassificationReport
from vizengine.measures.engine import Evidence, reported
from vizengine.measures.expanded import ExpandedReport
from vizengine.measures.inputs import (
    Circuit,
    InputChannel,
    InputSlice,
    StrongInput,
    Totals,
    circuit_totals,
    input_slices,
    scale,
    terms,
)
from vizengine.measures.readings import OutputsReport
from vizengine.network.source import LayerDescription, NetworkDescription
from vizengine.page.prose import first_paragraph, first_paragraph_text, render
from vizengine.page.values import UnitValues, measured_values
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


# Twice the side in CSS pixels at which the page shows each kind of picture, so that it is sharp on a fine screen.
UNIT_PIXELS = 600
INPUT_PIXELS = 256
TWIG_PIXELS = 160


@dataclass(frozen=True)
class Measured:
    """What was measured of the unit on photos.

    Attributes:
        evidence: all of it.
        claims: what it says of the author's claims, in the config's order.
        groups: a picture of each factor of the weights.
        inner: its strongest inputs as units, where the config asks for them.
    """

    evidence: Evidence
    claims: tuple[Checked, ...]
    groups: tuple[Visualization, ...]
    inner: tuple[Branch, ...] = ()


def report_parts(measured: Measured, circuit: Circuit) -> dict[str, Any]:
    """What the page says of each measurement, by the part's name in circuit.json."""
    results = {name: getattr(measured.evidence, name) for name in dir(measured.evidence)}
    results.update(circuit=circuit, group_pictures=measured.groups)
    return {measure.reported_as: reported(measure, results) for measure in MEASURES if measure.report}


def evidence_report(parts: Mapping[str, Any], claims: Sequence[Checked], circuit: Circuit) -> EvidenceReport:
    """The part of the report that tells what was measured on photos.

    Args:
        parts: as `report_parts` gives them.
        claims: as they were checked.
        circuit: the unit.
    """
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
    measured: Measured,
    versions: Mapping[str, str],
    code: str = "",
) -> Report:
    """The report of one circuit.

    Args:
        section: the circuit's section of the config.
        network: the network and the chain of layers to the unit.
        circuit: the unit and its inputs.
        visualizations: by (layer, channel), at least of the unit, of the circuit's strongest inputs and of the
            siblings that the section names.
        study: further pictures of the unit.
        measured: what it does on photos.
        versions: version of each library that took part, by its name.
        code: hash of the code that computed the figures, or empty.

    Raises:
        KeyError: a visualization is missing, or a text names an unknown value (see `prose.check`).
    """
    unit = feature(visualizations[circuit.layer, circuit.unit], f"{circuit.layer}:{circuit.unit}", "unit", UNIT_PIXELS)
    siblings = tuple(
        feature(
            visualizations[circuit.layer, index],
            f"{circuit.layer}:{index}",
            "sibling unit",
            INPUT_PIXELS,
        )
        for index in dict.fromkeys(section.siblings)
    )
    inputs = input_slices(circuit, measured.evidence.contributions, measured.evidence.ranks)
    parts = report_parts(measured, circuit)
    evidence = evidence_report(parts, measured.claims, circuit)
    kernel_scale = scale(circuit)
    strongest = tuple(
        StrongInput(
            slice=each,
            feature=_input_feature(visualizations, channel),
            histogram=coefficients(channel.kernel, float(kernel_scale.value)),
            terms=terms(added),
        )
        for each, channel, added in zip(inputs, circuit.strongest, measured.evidence.terms, strict=False)
    )
    totals = circuit_totals(circuit, unit, strongest)
    network_report = _network(network)
    bias = significant(circuit.bias)
    values = measured_values(UnitValues(unit, bias, network_report, totals, evidence), inputs, strongest, siblings)
    return Report(
        name=section.name,
        title=section.title or _title(network, circuit),
        layer=circuit.layer,
        unit=circuit.unit,
        bias=bias,
        dead=_dead(circuit, bias),
        summary=first_paragraph_text(section.hypothesis.unit, values),
        opening=first_paragraph(section.hypothesis.unit, values),
        unit_hypothesis=render(section.hypothesis.unit, values),
        circuit_hypothesis=render(section.hypothesis.circuit, values),
        why=render(section.network.why, values),
        totals=totals,
        feature=unit,
        siblings=siblings,
        study=study_report(study, f"{circuit.layer}:{circuit.unit}", INPUT_PIXELS),
        evidence=evidence,
        strongest=strongest,
        inputs=inputs,
        expanded=parts["expanded"],
        outputs=parts["outputs"],
        tree=tree(measured.inner, visualizations, TWIG_PIXELS),
        norms=norms([channel.norm for channel in circuit.inputs]),
        kernel_scale=kernel_scale,
        network=network_report,
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


def _input_feature(visualizations: Mapping[tuple[str, int], Visualization], channel: InputChannel) -> Feature:
    visualization = visualizations[channel.source_layer, channel.source_channel]
    return feature(visualization, channel.label, "input channel", INPUT_PIXELS)


def _network(network: NetworkDescription) -> NetworkReport:
    return NetworkReport(
        name=network.name,
        title=network.title,
        citation=network.citation,
        trained=network.trained,
        parameters=whole(network.parameters),
        loaded_layers=whole(network.loaded_layers),
        has_classifier=network.has_classifier,
        input_size=whole(network.input_size, "px"),
        chain=tuple(_layer(layer) for layer in network.chain),
        receptive_field=whole(network.receptive_field, "px"),
        microscope=network.microscope,
        remarks=network.remarks,
    )


def _layer(layer: LayerDescription) -> LayerRow:
    height, width, channels = layer.shape
    return LayerRow(
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
