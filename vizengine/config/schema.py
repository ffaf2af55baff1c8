"""What a config may say: the site, the circuits and sweeps, their units, pictures and texts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import BeforeValidator, Discriminator, Field, PrivateAttr, Tag, model_validator
from pydantic_core import PydanticCustomError

from vizengine.config.claims import ClaimSection
from vizengine.config.network import NetworkSection
from vizengine.config.section import NOT_BLANK, Markdown, Section, Words

ALL = "all"
_RANGE = re.compile(r"(\d+)\s*-\s*(\d+)")
_PATTERN = re.compile(r"[*?\[]")
_EXPECTED = "`all`, an index, a range such as `0-31`, or a list of indices and ranges"
Span: TypeAlias = tuple[int, int | None]
Measure = Literal["strength", "firing", "orientation", "hue", "norm"]


def _spans(value: Any) -> Any:
    """Indices as spans, first and last included; the last of `all` is open."""
    if value is None:
        return None
    if value == ALL:
        return ((0, None),)
    items = value if isinstance(value, (list, tuple)) else [value]
    if not items:
        raise PydanticCustomError("text", "an empty list; expected {expected}", {"expected": _EXPECTED})
    return tuple(_span(item) for item in items)


def _span(item: Any) -> Span:
    if isinstance(item, int) and not isinstance(item, bool) and item >= 0:
        return item, item
    if isinstance(item, tuple) and len(item) == 2:
        return item
    bounds = _RANGE.fullmatch(item.strip()) if isinstance(item, str) else None
    if bounds and int(bounds[1]) <= int(bounds[2]):
        return int(bounds[1]), int(bounds[2])
    raise PydanticCustomError(
        "text", "received {item}; expected {expected}", {"item": str(item), "expected": _EXPECTED}
    )


# Names that pydantic puts into a problem's place; no setting can have them.
ONE, MANY = "(one)", "(many)"


PhotoNames: TypeAlias = Annotated[
    Annotated[Words, Tag(ONE)] | Annotated[tuple[Words, ...], Field(min_length=1, strict=False), Tag(MANY)],
    Discriminator(lambda value: MANY if isinstance(value, (list, tuple)) else ONE),
]
"""One source of photos, or a list of them."""


class UnitsSection(Section):
    """The units of a sweep."""

    layer: Annotated[
        tuple[str, ...],
        BeforeValidator(
            lambda value: (value,) if isinstance(value, str) else value, json_schema_input_type=str | list[str]
        ),
    ] = Field(
        min_length=1,
        strict=False,
        description="Their conv layers: a name, a pattern such as `fire*/expand3x3` (`*` stands for all conv layers), "
        "or a list of names and patterns.",
    )
    index: Annotated[
        tuple[Span, ...] | None, BeforeValidator(_spans, json_schema_input_type=int | str | list[int | str] | None)
    ] = Field(
        default=None,
        strict=False,
        description="Their indices in each layer: `all`, a range such as `0-31`, or a list of indices and ranges.",
    )
    top: int | None = Field(
        default=None, ge=1, le=100_000, description="Instead of `index`: how many units of each layer, highest first."
    )
    by: Measure | None = Field(
        default=None,
        description="What `top` goes by. `strength`: the unit's highest pre-activation over photos, in standard "
        "deviations above its mean. `firing`: the share of positions at which it fires. `orientation` and `hue`: its "
        "selectivity for either, two orientations at a right angle counting as one where that gives more. `norm`: the "
        "L2 norm of its kernel.",
    )

    @model_validator(mode="after")
    def _one_way_to_choose(self) -> UnitsSection:
        if (self.index is None) == (self.top is None) or (self.top is None) != (self.by is None):
            message = "expected either `index`, for example `index: all`, or both `top` and `by`"
            raise PydanticCustomError("text", message)
        return self

    @property
    def measured(self) -> bool:
        """Whether the units are known only once something was measured or the weights were read."""
        return self.top is not None


Units: TypeAlias = Annotated[
    UnitsSection,
    BeforeValidator(
        lambda value: {"layer": "*", "index": ALL} if value == ALL else value,
        json_schema_input_type=Literal["all"] | UnitsSection,
    ),
]


class ExecutionSection(Section):
    """Processes on this machine that compute the units of sweeps. `workers` and `gpus` need `vizengine[scale]`."""

    workers: int | None = Field(default=None, ge=1, le=4096, description="How many local processes.")
    gpus: int | None = Field(default=None, ge=1, le=64, description="Local processes, one for each of that many GPUs.")
    threads: int | None = Field(
        default=None,
        ge=1,
        le=4096,
        description="Threads of each process. With `workers`, the machine's threads are shared out among them where it "
        "is left out; elsewhere TensorFlow chooses.",
    )

    @model_validator(mode="after")
    def _one_place(self) -> ExecutionSection:
        if self.workers is not None and self.gpus is not None:
            raise PydanticCustomError("text", "expected one of `workers` and `gpus`")
        return self


def says_many(unit: Any) -> bool:
    """Whether the `unit` of a circuit, as it stands in the file, asks for a sweep."""
    if not isinstance(unit, dict):
        return bool(unit == ALL)
    layer, index = unit.get("layer"), unit.get("index")
    return (
        bool({"top", "by"} & unit.keys())
        or isinstance(layer, list)
        or (isinstance(layer, str) and bool(_PATTERN.search(layer)))
        or isinstance(index, list)
        or (isinstance(index, str) and (index == ALL or bool(_RANGE.fullmatch(index.strip()))))
    )


SLUG = r"^[a-z0-9][a-z0-9-]*$"
ADDRESS = r"^https?://[^\s/]+\S*$"
LANGUAGE = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$"
PATTERNS = {
    SLUG: "small letters, digits and hyphens, beginning with a letter or a digit, for example `vgg19-curves`",
    ADDRESS: "a web address that begins with https:// or http://",
    LANGUAGE: "a language tag in quotes, for example `en` or `pt-BR`",
    NOT_BLANK: "text that isn't blank",
}
"""Each pattern of a setting, with what it asks for in words."""
Index: TypeAlias = Annotated[int, Field(ge=0, strict=True)]


class SiteSection(Section):
    """The site as a whole."""

    title: Words = Field(description="Title of the site.")
    description: str = Field(default="", description="One or two sentences for search engines and link previews.")
    author: str = Field(default="", description="Who made the site.")
    url: str | None = Field(
        default=None, pattern=ADDRESS, description="Address at which the site will be published, for absolute links."
    )
    language: str = Field(
        default="en",
        pattern=LANGUAGE,
        description="Language of your texts, as in HTML's `lang`; in `ar`, `he` and the like they run from the right.",
    )
    out: Words | None = Field(
        default=None,
        description="Folder into which the site is written, relative to the config's folder. Left out, it is `site` "
        "for `config.yaml`, and for any other config its name with `-site`, as `my-circuit-site`. `--out` overrides "
        "it.",
    )


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

    form: ClassVar[str] = "{unit: text}"

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
        default=False,
        description="Whether a build without this circuit counts as done (exit code 0) where its weights can't be had.",
    )
    network: NetworkSection = Field(description="The pre-trained network: `model`, and where its weights are.")
    unit: UnitSection = Field(description="The unit whose circuit is shown: `layer` and `index`.")
    inputs: int = Field(default=6, ge=1, le=4096, description="How many of its strongest inputs to show.")
    siblings: tuple[Index, ...] = Field(
        default=(),
        strict=False,
        description="Indices of other units of the same layer, shown beside it for comparison.",
    )
    depth: int = Field(
        default=1,
        ge=1,
        le=2,
        description="How many layers back to go: 2 shows the strongest inputs of each shown input as well, with their "
        "pictures.",
    )
    earlier: tuple[Words, ...] | None = Field(
        default=None,
        strict=False,
        description="Earlier conv layers, or `input` for the image, to which its weights are followed back; `[]` for "
        "none. Left out, the image and the two nearest layers beyond its inputs.",
    )
    photos: PhotoNames = Field(
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
        default=False,
        description="Whether a build without this sweep counts as done (exit code 0) where its weights can't be had.",
    )
    network: NetworkSection = Field(description="The pre-trained network: `model`, and where its weights are.")
    unit: Units = Field(description="The units: `layer`, and `index` or `top` and `by`; or `all`.")
    inputs: int = Field(default=6, ge=1, le=64, description="How many of a unit's strongest inputs its page shows.")
    photos: PhotoNames = Field(
        default="samples",
        description="Photos for this sweep alone.",
        json_schema_extra={"default": None, "inherits": "photos"},
    )
    visualization: VisualizationSection = Field(
        default=VisualizationSection(),
        description="Visualization settings for this sweep alone, in place of the whole section above.",
        json_schema_extra={"default": None, "inherits": "visualization"},
    )


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return MANY if says_many(value.get("unit")) else ONE
    return MANY if isinstance(value, SweepSection) else ONE


Entry: TypeAlias = Annotated[
    Annotated[CircuitSection, Tag(ONE)] | Annotated[SweepSection, Tag(MANY)], Discriminator(_kind)
]


class Config(Section):
    """A whole config. `vizengine.config.load.load` makes one from a file.

    Each circuit has its own photos and visualization settings or else the site's.
    """

    site: SiteSection = Field(description="The site as a whole: its `title`, and where it goes.")
    photos: PhotoNames = Field(
        default="samples",
        description="Photos: `samples` (30 photographs that come with vizengine), a folder, a glob such as "
        "`photos/**/*.jpg`, a zip archive of pictures, all relative to the config's folder, or `imagenette` (13,394 "
        "photos of ten classes of ImageNet, "
        "downloaded once: 99 MB); or a list of such sources, of which all photos are taken in order, each file once. A "
        "folder elsewhere is named outright, as `/data/photos`; links that lead out are passed over.",
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

    @property
    def site_folder(self) -> Path:
        """Folder into which the site goes where the command line names no other."""
        return self.folder / Path(self.site.out or self.named("site")).expanduser()

    def named(self, purpose: str) -> str:
        """Name of a folder that only this config's runs write: that of the purpose alone for `config.yaml`."""
        return purpose if self.source.stem == "config" else f"{self.source.stem}-{purpose}"
