"""The report: all that a circuit's page shows, as plain data that survives JSON unchanged.

Templates read these models and nothing else. A test asserts that the fields which templates use and
the fields which are documented here are the same set; `docs/circuit.schema.json` is generated from `Report`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AllowInfNan, BaseModel, ConfigDict, Field

SCHEMA_VERSION = 1

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
Embedded = Annotated[str, Field(pattern=r"^data:image/(webp|png);base64,[A-Za-z0-9+/=]+$")]
Address = Annotated[str, Field(pattern=r"^(https?://\S+)?$")]
Finite = Annotated[float, AllowInfNan(False)]
Sign = Literal["excitatory", "inhibitory", "mixed"]
Verdict = Literal["converged", "not converged", "exact"]


class Documented(BaseModel):
    """Base of all models: immutable, closed, and each field described by the text below it."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Quantity(Documented):
    """A number as it was measured and as it is printed."""

    value: int | Finite
    """The number itself, unrounded."""
    text: str
    """The number as the page prints it, without its unit."""
    unit: str = ""
    """`%`, `×`, `px`, or empty where it has none (weights and pre-activations)."""

    @property
    def shown(self) -> str:
        """Text and unit together, for prose and for attributes."""
        if not self.unit:
            return self.text
        return self.text + ("" if self.unit in ("%", "×") else "\N{NO-BREAK SPACE}") + self.unit


class Picture(Documented):
    """A picture inside the page."""

    source: Embedded
    """`data:` address that holds the whole file."""
    width: int
    """Width in pixels."""
    height: int
    """Height in pixels."""
    alt: str
    """What it shows, for those who can't see it."""


class Bin(Documented):
    """One bar of a histogram."""

    low: Quantity
    """Lower edge, included."""
    high: Quantity
    """Upper edge, excluded except in the last bar."""
    count: Quantity
    """How many values lie between the edges."""


class Histogram(Documented):
    """How a set of values is spread, in bars of equal width."""

    bins: tuple[Bin, ...]
    """The bars, lowest first."""
    low: Quantity
    """Left end of the axis."""
    high: Quantity
    """Right end of the axis."""
    tallest: Quantity
    """Count in the tallest bar."""


class Trace(Documented):
    """The objective at every step of a gradient ascent, under the random transformations of that step."""

    values: tuple[Finite, ...]
    """Pre-activation at each step, thinned to at most 256 steps."""
    low: Quantity
    """Lowest of them."""
    high: Quantity
    """Highest of them."""
    steps: Quantity
    """Steps taken."""


class AttemptReport(Documented):
    """One gradient ascent that was made for a picture."""

    objective: str
    """`channel` (mean over positions) or `neuron` (centre position)."""
    seed: int
    """Seed of its noise and transformations."""
    size: Quantity
    """Side of the picture."""
    steps: Quantity
    """Steps taken."""
    reached: Quantity
    """Highest pre-activation at any position of the final picture, without transformations."""
    slope: Quantity
    """Rise over the last tenth of the steps, as a share of the whole rise."""
    converged: bool
    """Whether this attempt satisfied the rule of the verdict."""


class Feature(Documented):
    """What a channel looks for: its picture and how far that picture can be trusted."""

    layer: str
    """Conv layer, or `input` for a colour of the image."""
    channel: int
    """Index in that layer."""
    label: str
    """`layer:channel`, or the colour's name."""
    picture: Picture
    """The image that excites the channel most, as far as the search found."""
    objective: str
    """`channel` (mean over positions), `neuron` (centre position), or empty where there was no search."""
    trace: Trace | None
    """The ascent, or null where there was no search."""
    reached: Quantity | None
    """Highest pre-activation at any position of the picture, without transformations; null where there was no search."""
    mean: Quantity | None
    """Mean pre-activation over all positions of the picture, likewise."""
    photo_best: Quantity | None
    """Highest pre-activation at any position of any photo, or null where there are no photos."""
    photo_best_name: str
    """The photo that gives it, or empty."""
    ratio: Quantity | None
    """`reached` over `photo_best`; null where the latter is not above zero."""
    verdict: Verdict
    """`converged`, `not converged`, or `exact` for a picture that needs no search."""
    explanation: str
    """What the verdict means for this picture, in words."""
    attempts: tuple[AttemptReport, ...]
    """All ascents that were made, in order."""


class Kernel(Documented):
    """The slice of the unit's kernel through which it reads one input channel."""

    rows: tuple[tuple[Quantity, ...], ...]
    """Coefficients, row by row from the top: units of pre-activation per unit of input."""
    smallest: Quantity
    """The lowest coefficient."""
    largest: Quantity
    """The highest coefficient."""


class InputSlice(Documented):
    """One input channel of the unit and the figures of its slice."""

    index: int
    """Position on the kernel's input axis."""
    label: str
    """`layer:channel` of the conv layer that makes it, or the colour's name."""
    layer: str
    """Conv layer that makes it, or `input`."""
    channel: int
    """Index among that layer's channels."""
    path: tuple[str, ...]
    """Layers between the maker and the unit, in order."""
    kernel: Kernel
    """The slice."""
    norm: Quantity
    """L2 norm of the slice."""
    share: Quantity
    """Square of the norm as a share of the sum over all inputs, in percent."""
    total: Quantity
    """Sum of its coefficients."""
    positive_count: Quantity
    """Coefficients above zero."""
    negative_count: Quantity
    """Coefficients below zero."""
    positive_mass: Quantity
    """Sum of the coefficients above zero."""
    negative_mass: Quantity
    """Sum of the absolute values of the coefficients below zero."""
    rank: int
    """1 for the largest norm; ties go to the lower index."""
    by_count: Sign
    """Which side has more coefficients."""
    by_mass: Sign
    """Which side has more mass."""
    sign: Sign
    """`by_count` where the two agree, else `mixed`."""


class StrongInput(Documented):
    """One of the strongest inputs, with its picture."""

    slice: InputSlice
    """Its figures."""
    feature: Feature
    """What the input channel looks for."""
    histogram: Histogram
    """Its coefficients, on the axis that all slices of the page share."""


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
    coefficients: Quantity
    """Coefficients in one slice."""
    pictures: Quantity
    """Searched pictures of the circuit: of the unit and of the inputs shown."""
    converged: Quantity
    """How many of those converged."""


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


class GuessReport(Documented):
    """One class that the network proposes for a photo."""

    index: int
    """ImageNet class, 0 to 999."""
    label: str
    """Its name."""
    probability: Quantity
    """Softmax output in percent."""


class PhotoReport(Documented):
    """A photo and the likeliest classes."""

    name: str
    """File name without its ending."""
    credit: str
    """Photographer and licence, or empty."""
    picture: Picture
    """The centre square, as the network saw it."""
    guesses: tuple[GuessReport, ...]
    """Likeliest first."""


class ClassificationReport(Documented):
    """The check that the network works."""

    photos: tuple[PhotoReport, ...]
    """One entry per photo; empty where the classifier isn't at hand."""
    missing: str
    """Why there is none and what to fetch, or empty."""


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
    strongest: tuple[StrongInput, ...]
    """The strongest inputs, by norm."""
    inputs: tuple[InputSlice, ...]
    """All input channels, by rank."""
    norms: Histogram
    """The norms of all input channels."""
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
    """A circuit that couldn't be computed, and of which no earlier page is at hand."""

    name: Slug
    """The circuit's name in the config."""
    title: str
    """Heading of its place."""
    reason: str
    """What is missing."""
    mend: str
    """How to mend it."""


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
    circuits: tuple[Report | Missing, ...]
    """Its circuits, in the order of the config."""
