"""From the stages' results to the report of one circuit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vizengine.circuit.branches import Branch
from vizengine.circuit.model import Circuit, InputChannel
from vizengine.circuit.outputs import Readings
from vizengine.config.schema import CircuitSection
from vizengine.evidence.claims import Checked
from vizengine.evidence.expanded_model import Expanded
from vizengine.evidence.model import Classification
from vizengine.evidence.results import Evidence
from vizengine.featurevis.model import UnitStudy, Visualization
from vizengine.networks.model import LayerDescription, NetworkDescription
from vizengine.report import plots, prose, slices
from vizengine.report.evidence import evidence_report
from vizengine.report.expanded import expanded_report
from vizengine.report.features import feature
from vizengine.report.figures import Quantity
from vizengine.report.model import Report
from vizengine.report.numbers import percent, significant, whole
from vizengine.report.outputs import outputs_report
from vizengine.report.parts import (
    ClassificationReport,
    Feature,
    GuessReport,
    LayerRow,
    NetworkReport,
    PhotoReport,
    Provenance,
    StrongInput,
    Version,
)
from vizengine.report.pictures import patch
from vizengine.report.study import study_report
from vizengine.report.tree import tree
from vizengine.report.values import UnitValues, measured_values

# Twice the side in CSS pixels at which the page shows each kind of picture, so that it is sharp on a fine screen.
UNIT_PIXELS = 600
INPUT_PIXELS = 256
TWIG_PIXELS = 160
THUMBNAIL_PIXELS = 144


@dataclass(frozen=True)
class Measured:
    """What was measured of the unit on photos.

    Attributes:
        evidence: all of it.
        claims: what it says of the author's claims, in the config's order.
        groups: a picture of each factor of the weights.
        expanded: its weights to earlier layers.
        readings: the later units that read it.
        inner: its strongest inputs as units, where the config asks for them.
    """

    evidence: Evidence
    claims: tuple[Checked, ...]
    groups: tuple[Visualization, ...]
    expanded: Expanded
    readings: Readings
    inner: tuple[Branch, ...] = ()


def build(
    section: CircuitSection,
    network: NetworkDescription,
    classification: Classification,
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
        classification: what the network calls the photos.
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
    inputs = slices.input_slices(circuit, measured.evidence.contributions, measured.evidence.ranks)
    evidence = evidence_report(measured.evidence, circuit, measured.claims, measured.groups)
    kernel_scale = slices.scale(circuit)
    strongest = tuple(
        StrongInput(
            slice=each,
            feature=_input_feature(visualizations, channel),
            histogram=plots.coefficients(channel.kernel, float(kernel_scale.value)),
            terms=slices.terms(added),
        )
        for each, channel, added in zip(inputs, circuit.strongest, measured.evidence.terms, strict=False)
    )
    totals = slices.totals(circuit, unit, strongest)
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
        summary=prose.first_paragraph_text(section.hypothesis.unit, values),
        opening=prose.first_paragraph(section.hypothesis.unit, values),
        unit_hypothesis=prose.render(section.hypothesis.unit, values),
        circuit_hypothesis=prose.render(section.hypothesis.circuit, values),
        why=prose.render(section.network.why, values),
        totals=totals,
        feature=unit,
        siblings=siblings,
        study=study_report(study, f"{circuit.layer}:{circuit.unit}", INPUT_PIXELS),
        evidence=evidence,
        strongest=strongest,
        inputs=inputs,
        expanded=expanded_report(measured.expanded),
        outputs=outputs_report(measured.readings),
        tree=tree(measured.inner, visualizations, TWIG_PIXELS),
        norms=plots.norms([channel.norm for channel in circuit.inputs]),
        kernel_scale=kernel_scale,
        network=network_report,
        classification=_classification(classification),
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


def _classification(classification: Classification) -> ClassificationReport:
    return ClassificationReport(
        photos=tuple(
            PhotoReport(
                name=photo.name,
                credit=photo.credit,
                picture=patch(photo.thumbnail, f"Photo {photo.name}, cropped to a square", THUMBNAIL_PIXELS),
                guesses=tuple(
                    GuessReport(index=guess.index, label=guess.label, probability=percent(guess.probability))
                    for guess in photo.guesses
                ),
            )
            for photo in classification.photos
        ),
        missing=classification.missing,
    )
