"""The report: all that a circuit's page shows, as plain data that survives JSON unchanged.

Templates read these models and nothing else. A test asserts that the fields which templates use and
the fields which are documented here, in `figures` and in `parts` are the same set; `docs/circuit.schema.json` is
generated from `Report`.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from vizengine.report.evidence_parts import EvidenceReport
from vizengine.report.expanded_parts import ExpandedReport
from vizengine.report.figures import Address, Documented, Histogram, Quantity
from vizengine.report.output_parts import OutputsReport
from vizengine.report.parts import (
    ClassificationReport,
    Feature,
    InputSlice,
    NetworkReport,
    Provenance,
    StrongInput,
    Version,
)
from vizengine.report.study_parts import StudyReport
from vizengine.report.tree_parts import BranchReport

SCHEMA_VERSION = 4

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]


class Totals(Documented):
    """Counts over the circuit, from which the page makes its claim."""

    inputs: Quantity
    """Input channels of the unit."""
    shown: Quantity
    """How many of the strongest are shown."""
    excitatory: Quantity
    """How many of those shown are mostly excitatory."""
    inhibitory: Quantity
    """How many of those shown are mostly inhibitory."""
    mixed: Quantity
    """How many of those shown are mixed."""
    share: Quantity
    """Their part of the sum of squared norms over all inputs, in percent."""
    even_share: Quantity
    """What they would carry if the norms of all inputs were equal, in percent."""
    coefficients: Quantity
    """Coefficients in one slice."""
    pictures: Quantity
    """Searched pictures of the circuit: of the unit and of the inputs shown."""
    converged: Quantity
    """How many of those converged."""


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
