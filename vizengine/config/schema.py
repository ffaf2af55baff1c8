"""What a config may say, as pydantic models: one section per stage, every setting with its limits and its meaning.

The descriptions here are the text of `docs/config.md` and of `config.schema.json`, which are made from them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    ValidationInfo,
)
from pydantic_core import PydanticCustomError

from vizengine.config.claims import ClaimSection
from vizengine.config.network_names import known_network
from vizengine.config.section import Section
from vizengine.config.units import SCHEDULER, ExecutionSection, Units, says_many

SLUG = r"^[a-z0-9][a-z0-9-]*$"
ADDRESS = r"^https?://[^\s/]+\S*$"
LANGUAGE = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$"
NOT_BLANK = r"\S"
PATTERNS = {
    SLUG: "small letters, digits and hyphens, beginning with a letter or a digit, for example `vgg19-curves`",
    ADDRESS: "a web address that begins with https:// or http://",
    LANGUAGE: "a language tag in quotes, for example `en` or `pt-BR`",
    SCHEDULER: "an address that begins with tcp:// or tls://, for example `tcp://10.0.0.1:8786`",
    NOT_BLANK: "text that isn't blank",
}
"""Each pattern of a setting, with what it asks for in words."""


def _read_text(value: Any, information: ValidationInfo) -> Any:
    """Put the text of a file in the place of `{file: path}`; anything else goes on as it is."""
    if not isinstance(value, dict):
        return value
    if set(value) != {"file"} or not isinstance(value["file"], str):
        raise PydanticCustomError("text", "a section; expected Markdown text, or a file with it: `{file: path}`")
    context = information.context or {}
    path = Path(context.get("folder", "."), Path(value["file"]).expanduser())
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        reason = f"it isn't UTF-8 (byte {error.start + 1}); expected Markdown saved as UTF-8"
    except (OSError, ValueError, RuntimeError) as error:
        words = error.strerror if isinstance(error, OSError) else None
        reason = f"{(words or str(error)).lower()}; expected a Markdown file, its path relative to the config's folder"
    raise PydanticCustomError("text", "the file {file}: {reason}", {"file": value["file"], "reason": reason})


class TextFile(BaseModel):
    """A file that holds the text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Annotated[str, Field(min_length=1, description="Path of a Markdown file, relative to the config's folder.")]


Index: TypeAlias = Annotated[int, Field(ge=0, strict=True)]
Words: TypeAlias = Annotated[str, Field(pattern=NOT_BLANK)]
Markdown: TypeAlias = Annotated[str, BeforeValidator(_read_text, json_schema_input_type=str | TextFile)]


class SiteSection(Section):
    """The site as a whole."""

    title: Words = Field(description="Title of the site.")
    description: str = Field(default="", description="One or two sentences for search engines and link previews.")
    author: str = Field(default="", description="Who made the site.")
    url: str | None = Field(
        default=None, pattern=ADDRESS, description="Address at which the site will be published, for absolute links."
    )
    language: str = Field(default="en", pattern=LANGUAGE, description="Language of your texts, as in HTML's `lang`.")
    out: Words = Field(
        default="site",
        description="Folder into which the site is written, relative to the config's folder. `--out` overrides it.",
    )


class PreprocessSection(Section):
    """How an image becomes the network's input: `(pixels in [0, 1] × scale − mean) ÷ deviation`."""

    scale: float = Field(default=255.0, gt=0, strict=False, description="Factor on pixels in [0, 1].")
    mean: tuple[float, ...] = Field(
        default=(), strict=False, max_length=3, description="Subtracted from each channel; 0 where left out."
    )
    deviation: tuple[float, ...] = Field(
        default=(), strict=False, max_length=3, description="By which each channel is divided; 1 where left out."
    )
    order: Literal["rgb", "bgr"] = Field(
        default="rgb", description="Order of colours in the network's input, and of `mean` and `deviation`."
    )
    function: Words | None = Field(
        default=None,
        description="In place of all others, `module:function` beside the config: takes a tensor (batch, height, "
        "width, channels) with RGB in [0, 1] and returns the network's input at the same size, by operations that "
        "have gradients. Needs `trust: true`.",
    )


class NetworkSection(Section):
    """The network."""

    model: Annotated[Words, AfterValidator(known_network)] = Field(
        description="The network: `squeezenet1.1`, `vgg16`, `vgg19`, the name of another network of "
        "keras.applications in small letters (`resnet50`; see docs/networks.md), path of a `.keras` or `.h5` file "
        "relative to the config's folder, or `module:function`, a function beside the config that takes nothing and "
        "returns a `keras.Model` (needs `trust: true`).",
    )
    weights: Words | None = Field(
        default=None,
        description="Its weights. `embedded`: those inside the Python package `ndf` (SqueezeNet 1.1, where it is the "
        "default). `imagenet`: those that Keras publishes (the default of its other networks); VGG16's and VGG19's "
        "file is looked for in `weights_folder`, in the folder that the environment variable `VIZENGINE_WEIGHTS` "
        "names, in Keras' cache, and last downloaded. `random`: drawn with `seed`, for tests and lessons, and the "
        "page says so (not VGG and SqueezeNet). Anything else: path of a weights file, relative to the config's "
        "folder; for VGG and SqueezeNet a `.h5`, `.weights.h5` or `.keras` file that has the needed layers by name. A "
        "model of your own comes with its weights where this is left out.",
    )
    weights_folder: Words | None = Field(
        default=None, description="Folder that is searched first for published files, relative to the config's folder."
    )
    seed: int = Field(default=0, ge=0, le=2**31 - 1, description="Seed of `random` weights.")
    preprocess: PreprocessSection | None = Field(
        default=None,
        description="How an image becomes the input of a model of your own, which has to be said; other networks "
        "have their own.",
    )
    input: Literal["colour", "grey"] | None = Field(
        default=None, description="Channels of the input, for a subclassed model that doesn't say it itself."
    )
    input_size: int | None = Field(
        default=None,
        ge=8,
        le=2048,
        description="Side in pixels of the image that the classifier takes, for a model of your own that takes any; "
        "224 where left out.",
    )
    labels: Words | None = Field(
        default=None,
        description="A text file with the name of one class a line, in the order of the network's outputs, relative "
        "to the config's folder; ImageNet's for networks of keras.applications where left out.",
    )
    trust: bool = Field(
        default=False,
        description="Whether code that the model brings may run: functions that this section names, and layers of "
        "your own in a model file. Say so only of code that you trust.",
    )
    why: Markdown = Field(default="", description="Why this network, in your words: Markdown, or `{file: path}`.")


class UnitSection(Section):
    """The unit whose circuit is shown."""

    layer: Words = Field(
        description="Its conv layer, for example `block3_conv3` (VGG) or `fire5/expand3x3` (SqueezeNet)."
    )
    index: Index = Field(description="Its index among the layer's channels, counted from 0.")


class VisualizationSection(Section):
    """How the feature visualizations are made."""

    size: int = Field(default=128, ge=32, le=512, multiple_of=32, description="Side of the pictures in pixels.")
    steps: int = Field(default=96, ge=1, le=100_000, description="Bound on the steps of gradient ascent.")
    seed: int = Field(default=0, ge=0, le=2**31 - 1, description="Seed of the noise and of the random transformations.")
    attempts: int = Field(default=4, ge=1, le=8, description="How often to try where a picture doesn't converge.")
    precision: Literal["auto", "float32"] = Field(
        default="auto",
        description="`auto` computes in bfloat16 where this machine is faster at it; `float32` never does.",
    )
    image: Literal["fourier", "phase"] = Field(
        default="fourier",
        description="`fourier` finds amplitudes and phases of the picture's waves; `phase` finds phases alone, with "
        "the amplitudes of a natural image, which can look better on deep layers.",
    )
    start: Literal["noise", "photo"] = Field(
        default="noise",
        description="`noise`, or `photo`: pictures begin as the photo that drives their channel furthest, and show "
        "what the channel makes of it.",
    )
    film: bool = Field(
        default=False, description="Whether to keep a film of the unit's picture forming, shown on demand."
    )


class HypothesisSection(Section):
    """What you think the circuit does. `{{ name }}` in a text stands for a measured value of the circuit."""

    unit: Markdown = Field(default="", description="What the unit detects: Markdown, or `{file: path}`.")
    circuit: Markdown = Field(default="", description="How its inputs make it do that: Markdown, or `{file: path}`.")
    claims: tuple[ClaimSection, ...] = Field(
        default=(), strict=False, description="What the measurements must bear out, one claim an item."
    )


class CircuitSection(Section):
    """One unit, its strongest inputs and what you think of them: one page of the site."""

    name: str = Field(pattern=SLUG, max_length=80, description="Name of the page's folder, different for each circuit.")
    title: Words | None = Field(
        default=None, description="Title of the page; made from the network and the unit where left out."
    )
    optional: bool = Field(
        default=False, description="Whether the site may be built without this circuit where its weights can't be had."
    )
    network: NetworkSection = Field(description="The pre-trained network: `model`, and where its weights are.")
    unit: UnitSection = Field(description="The unit whose circuit is shown: `layer` and `index`.")
    inputs: int = Field(default=6, ge=1, le=4096, description="How many of its strongest inputs to show.")
    siblings: tuple[Index, ...] = Field(
        default=(),
        strict=False,
        description="Indices of other units of the same layer, shown beside it for comparison.",
    )
    photos: Words = Field(
        default="samples",
        description="Photos for this circuit alone.",
        json_schema_extra={"default": None, "inherits": "photos"},
    )
    visualization: VisualizationSection = Field(
        default=VisualizationSection(),
        description="Visualization settings for this circuit alone, in place of the whole section above.",
        json_schema_extra={"default": None, "inherits": "visualization"},
    )
    hypothesis: HypothesisSection = Field(default=HypothesisSection(), description="What you think of it.")


class SweepSection(Section):
    """Many units of one network, a light page each, and an explorer that leads to them."""

    name: str = Field(pattern=SLUG, max_length=80, description="Name of its folder, different for each circuit.")
    title: Words | None = Field(default=None, description="Its title; made from the network where left out.")
    optional: bool = Field(
        default=False, description="Whether the site may be built without this sweep where its weights can't be had."
    )
    network: NetworkSection = Field(description="The pre-trained network: `model`, and where its weights are.")
    unit: Units = Field(description="The units: `layer`, and `index` or `top` and `by`; or `all`.")
    inputs: int = Field(default=6, ge=1, le=64, description="How many of a unit's strongest inputs its page shows.")
    photos: Words = Field(
        default="samples",
        description="Photos for this sweep alone.",
        json_schema_extra={"default": None, "inherits": "photos"},
    )
    visualization: VisualizationSection = Field(
        default=VisualizationSection(),
        description="Visualization settings for this sweep alone, in place of the whole section above.",
        json_schema_extra={"default": None, "inherits": "visualization"},
    )


# Names that pydantic puts into a problem's place; no setting can have them.
ONE, MANY = "(one)", "(many)"


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return MANY if says_many(value.get("unit")) else ONE
    return MANY if isinstance(value, SweepSection) else ONE


Entry: TypeAlias = Annotated[
    Annotated[CircuitSection, Tag(ONE)] | Annotated[SweepSection, Tag(MANY)], Discriminator(_kind)
]


class Config(Section):
    """A whole config. `vizengine.config.load.load` makes one from a file.

    Attributes:
        site, photos, visualization, circuits, execution: as in the file. Each circuit has its own photos and
            visualization settings or else the site's.
    """

    site: SiteSection = Field(description="The site as a whole: its `title`, and where it goes.")
    photos: Words = Field(
        default="samples",
        description="Photos: `samples` (scikit-image's own), a folder, or a glob such as `photos/**/*.jpg`, relative "
        "to the config's folder.",
    )
    visualization: VisualizationSection = Field(
        default=VisualizationSection(), description="How the feature visualizations are made, for all circuits."
    )
    circuits: tuple[Entry, ...] = Field(
        min_length=1,
        strict=False,
        description="The circuits, at least one, in the order of the site's index. One of many units is a sweep.",
    )
    execution: ExecutionSection = Field(
        default=ExecutionSection(), description="Processes that compute sweeps; this one where left out."
    )

    _source: Path = PrivateAttr(default=Path("config.yaml"))

    @property
    def source(self) -> Path:
        """The config file as the user named it; in no dump."""
        return self._source

    @property
    def folder(self) -> Path:
        """The folder of the config file, against which relative paths in it are read; in no dump."""
        return self._source.parent
