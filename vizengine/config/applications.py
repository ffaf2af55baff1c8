"""The names of networks that a config can use, and what is known of those of keras.applications."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BUILT_IN = ("squeezenet1.1", "vgg16", "vgg19")
"""Networks whose layers this package has as data; `vizengine.network.catalogue` describes them."""
Mode = Literal["caffe", "tf", "torch", "none"]


@dataclass(frozen=True)
class Application:
    """A function of keras.applications, the side in pixels of its input, how this is prepared, and its paper."""

    function: str
    size: int
    mode: Mode
    citation: str


_FAMILIES: tuple[tuple[str, Mode, str], ...] = (
    ("ConvNeXtTiny:224 ConvNeXtSmall:224 ConvNeXtBase:224 ConvNeXtLarge:224 ConvNeXtXLarge:224", "none",
     "Liu, Mao, Wu, Feichtenhofer, Darrell and Xie, A ConvNet for the 2020s, 2022, arXiv:2201.03545"),
    ("DenseNet121:224 DenseNet169:224 DenseNet201:224", "torch",
     "Huang, Liu, van der Maaten and Weinberger, Densely Connected Convolutional Networks, 2016, arXiv:1608.06993"),
    ("EfficientNetB0:224 EfficientNetB1:240 EfficientNetB2:260 EfficientNetB3:300 EfficientNetB4:380 "
     "EfficientNetB5:456 EfficientNetB6:528 EfficientNetB7:600", "none",
     "Tan and Le, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, 2019, arXiv:1905.11946"),
    ("EfficientNetV2B0:224 EfficientNetV2B1:240 EfficientNetV2B2:260 EfficientNetV2B3:300 EfficientNetV2S:384 "
     "EfficientNetV2M:480 EfficientNetV2L:480", "none",
     "Tan and Le, EfficientNetV2: Smaller Models and Faster Training, 2021, arXiv:2104.00298"),
    ("InceptionV3:299", "tf",
     "Szegedy, Vanhoucke, Ioffe, Shlens and Wojna, Rethinking the Inception Architecture for Computer Vision, 2015, "
     "arXiv:1512.00567"),
    ("InceptionResNetV2:299", "tf",
     "Szegedy, Ioffe, Vanhoucke and Alemi, Inception-v4, Inception-ResNet and the Impact of Residual Connections on "
     "Learning, 2016, arXiv:1602.07261"),
    ("MobileNet:224", "tf",
     "Howard and others, MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications, 2017, "
     "arXiv:1704.04861"),
    ("MobileNetV2:224", "tf",
     "Sandler, Howard, Zhu, Zhmoginov and Chen, MobileNetV2: Inverted Residuals and Linear Bottlenecks, 2018, "
     "arXiv:1801.04381"),
    ("MobileNetV3Small:224 MobileNetV3Large:224", "none",
     "Howard and others, Searching for MobileNetV3, 2019, arXiv:1905.02244"),
    ("NASNetMobile:224 NASNetLarge:331", "tf",
     "Zoph, Vasudevan, Shlens and Le, Learning Transferable Architectures for Scalable Image Recognition, 2017, "
     "arXiv:1707.07012"),
    ("ResNet50:224 ResNet101:224 ResNet152:224", "caffe",
     "He, Zhang, Ren and Sun, Deep Residual Learning for Image Recognition, 2015, arXiv:1512.03385"),
    ("ResNet50V2:224 ResNet101V2:224 ResNet152V2:224", "tf",
     "He, Zhang, Ren and Sun, Identity Mappings in Deep Residual Networks, 2016, arXiv:1603.05027"),
    ("Xception:299", "tf",
     "Chollet, Xception: Deep Learning with Depthwise Separable Convolutions, 2016, arXiv:1610.02357"),
)  # fmt: skip
APPLICATIONS: dict[str, Application] = {
    function.lower(): Application(function, int(size), mode, citation)
    for functions, mode, citation in _FAMILIES
    for function, size in (function.split(":") for function in functions.split())
}
"""By the name that a config uses: that of the function, in small letters. VGG16 and VGG19 are among `BUILT_IN`."""
