"""What is said of a layer that can't be shown: what it is, and which can."""

from __future__ import annotations

from dataclasses import replace

from tests.tiny import tiny_architecture
from vizengine.network.architecture import Architecture, expected_layers, no_such_layer, readable_layers
from vizengine.network.layers import LayerSpec

CONVS = ["first", "left", "right", "last", "end"]


def _with(*layers: LayerSpec) -> Architecture:
    tiny = tiny_architecture()
    return replace(tiny, layers=(*tiny.layers, *layers))


def test_only_layers_whose_units_can_be_shown_are_expected() -> None:
    beyond = LayerSpec("up", "other", ("end",), operation="UpSampling2D"), LayerSpec("after", "conv", ("up",), 2, 1)
    assert readable_layers(_with(*beyond)) == CONVS
    assert expected_layers(_with(*beyond)) == f"a conv layer: {', '.join(CONVS)}"
    assert no_such_layer("up", _with(*beyond)) == "up of Tiny is no conv layer (UpSampling2D)"
    assert no_such_layer("pool", tiny_architecture()) == "pool of Tiny is no conv layer (max_pool)"
    assert no_such_layer("pol", tiny_architecture()) == "Tiny has no layer pol"


def test_a_network_without_conv_layers_says_so() -> None:
    tiny = tiny_architecture()
    bare = replace(tiny, layers=(tiny.layers[0], LayerSpec("flat", "flatten", ("input",))))
    assert expected_layers(bare) == "a network with conv layers, and this has none"
