"""The networks that a config can name; `vizengine.networks` says what they are."""

from __future__ import annotations

from pydantic_core import PydanticCustomError

BUILT_IN = ("squeezenet1.1", "vgg16", "vgg19")
APPLICATION_NAMES = tuple(
    "convnexttiny convnextsmall convnextbase convnextlarge convnextxlarge densenet121 densenet169 densenet201 "
    "efficientnetb0 efficientnetb1 efficientnetb2 efficientnetb3 efficientnetb4 efficientnetb5 efficientnetb6 "
    "efficientnetb7 efficientnetv2b0 efficientnetv2b1 efficientnetv2b2 efficientnetv2b3 efficientnetv2s "
    "efficientnetv2m efficientnetv2l inceptionv3 inceptionresnetv2 mobilenet mobilenetv2 mobilenetv3small "
    "mobilenetv3large nasnetmobile nasnetlarge resnet50 resnet101 resnet152 resnet50v2 resnet101v2 resnet152v2 "
    "xception".split()
)


def known_network(model: str) -> str:
    """The name as it is, where it is a network's, a path's or that of a function.

    Raises:
        PydanticCustomError: a name without a colon, a slash or an ending that no network has.
    """
    own = ":" in model or "/" in model or "\\" in model or model.lower().endswith((".keras", ".h5", ".hdf5"))
    if own or model in (*BUILT_IN, *APPLICATION_NAMES):
        return model
    expected = (
        f"{', '.join(f'`{name}`' for name in BUILT_IN)}, another network of keras.applications in small letters, "
        "`path/to/model.keras` or `module:function`"
    )
    names = [*BUILT_IN, *APPLICATION_NAMES]
    raise PydanticCustomError("network", "unknown network", {"names": names, "expected": expected})
