"""Parts of a report: channels with their pictures and slices, the network, its check, how it was all made."""

from __future__ import annotations

from typing import Literal

from vizengine.report.figures import Address, Documented, Histogram, Kernel, Picture, Quantity, Trace

Sign = Literal["excitatory", "inhibitory", "mixed"]
Verdict = Literal["converged", "not converged", "exact"]


class AttemptReport(Documented):
    """One gradient ascent that was made for a picture."""

    objective: str
    """`channel` (mean over positions) or `neuron` (centre position)."""
    seed: int
    """Seed of its noise and transformations."""
    continued: bool
    """Whether it went on from the attempt before."""
    size: Quantity
    """Side of the picture."""
    steps: Quantity
    """Steps taken."""
    reached: Quantity
    """Highest pre-activation at any position of the final picture, without transformations."""
    slope: Quantity
    """Rise per tenth of its steps at its end, as a share of the whole rise."""
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
    """Highest pre-activation at any position of the finished picture; null where there was no search."""
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
    contribution: Quantity
    """Mean contribution to the unit on its top examples."""
    photo_size: Quantity
    """Mean absolute contribution over all photos."""
    photo_place: int
    """Its place by it, from 1."""
    drop_place: int
    """Its place by the size of the mean contribution on the top examples, which is what the unit loses without it."""
    by_count: Sign
    """Which side has more coefficients."""
    by_mass: Sign
    """Which side has more mass."""
    sign: Sign
    """`by_count` where the two agree, else `mixed`."""


class TermReport(Documented):
    """One of the terms that a residual sum adds."""

    label: str
    """`layer:channel` of what is added, or a colour's name."""
    share: Quantity | None
    """Its covariance with the sum over the variance of the sum, at all positions of all photos, in percent; the terms
    of a sum give 100 together. Null where the sum doesn't vary."""


class StrongInput(Documented):
    """One of the strongest inputs, with its picture."""

    slice: InputSlice
    """Its figures."""
    feature: Feature
    """What the input channel looks for."""
    histogram: Histogram
    """Its coefficients, on the axis that all slices of the page share."""
    terms: tuple[TermReport, ...]
    """What the channel adds up where it is a residual sum, else nothing."""


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
