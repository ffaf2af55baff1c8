"""The section that names a network, its weights and its input."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from vizengine.config.applications import APPLICATIONS, BUILT_IN
from vizengine.config.section import Markdown, Section, Words


def known_network(model: str) -> str:
    """The name as it is, where it is a network's, a path's or that of a function.

    Raises:
        PydanticCustomError: a name without a colon, a slash or an ending that no network has.
    """
    names = [*BUILT_IN, *APPLICATIONS]
    own = ":" in model or "/" in model or "\\" in model or model.lower().endswith((".keras", ".h5", ".hdf5"))
    if own or model in names:
        return model
    expected = (
        f"{', '.join(f'`{name}`' for name in BUILT_IN)}, another network of keras.applications in small letters, "
        "`path/to/model.keras` or `module:function`"
    )
    raise PydanticCustomError("network", "unknown network", {"names": names, "expected": expected})


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
        "in the config's folder, or `module:function`, a function beside the config that takes nothing and "
        "returns a `keras.Model` (needs `trust: true`).",
    )
    weights: Words | None = Field(
        default=None,
        description="Its weights. `embedded`: those inside the Python package `ndf` (SqueezeNet 1.1, where it is "
        "the default). `imagenet`: those that Keras publishes (the default of its other networks); the file is "
        "looked for in `weights_folder`, in the folder that the environment variable `VIZENGINE_WEIGHTS` names, in "
        "Keras' cache, and last downloaded into that. `random`: drawn with `seed`, for tests and lessons, and the "
        "page says so (not VGG and SqueezeNet). Anything else: path of a weights file in the config's folder, or "
        "else in the folder of `VIZENGINE_WEIGHTS` or in Keras' cache; for VGG and SqueezeNet a `.h5`, "
        "`.weights.h5` or `.keras` file that has the needed layers by name. A model of your own comes with its "
        "weights where this is left out.",
    )
    weights_folder: Words | None = Field(
        default=None, description="Folder that is searched first for published files, in the config's folder."
    )
    classifier: bool = Field(
        default=False,
        description="Whether the weights must hold the classifier too, for the check that the network works and for "
        "what the unit does to the classes. VGG16's and VGG19's published files come with it (553 and 575 MB) and "
        "without (59 and 80 MB): `true` downloads the one with it, and size and time are said before; a download that "
        "breaks off goes on in the next run. A full file that lies in one of the folders or in Keras' cache is used "
        "without this as well. Other networks by name have theirs in any case.",
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
        description="A text file with the name of one class a line, in the order of the network's outputs, in the "
        "config's folder; ImageNet's for networks of keras.applications where left out.",
    )
    trust: bool = Field(
        default=False,
        description="Whether code that the model brings may run: functions that this section names, and layers of "
        "your own in a model file. Say so only of code that you trust.",
    )
    why: Markdown = Field(default="", description="Why this network, in your words: Markdown, or `{file: path}`.")
