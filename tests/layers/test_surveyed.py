"""Which networks of a config a survey is made of, and what is said where none has the layer."""

from __future__ import annotations

from pathlib import Path

import pytest

from vizengine.config.load import load
from vizengine.config.schema import Config
from vizengine.layers.run import NoSuchLayer, surveyed

CONFIG = """\
site: {title: Test}
visualization: {size: 64}
circuits:
  - name: one
    network: {model: squeezenet1.1}
    unit: {layer: conv1, index: 3}
    visualization: {size: 96, film: true}
  - name: same
    network: {model: squeezenet1.1, why: Another reason.}
    unit: {layer: fire2/squeeze1x1, index: all}
  - name: vgg16
    network: {model: vgg16}
    unit: {layer: block1_conv1, index: 3}
  - name: vgg19
    network: {model: vgg19}
    unit: {layer: block1_conv1, index: 3}
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    return load(path)


def test_a_network_is_surveyed_once_with_the_first_circuits_settings(config: Config) -> None:
    (found,) = surveyed(config, "fire5/expand3x3")
    assert found.circuits == ("one", "same")
    (sweep,) = found.config.circuits
    assert sweep.name == found.name == "squeezenet1-1-fire5-expand3x3"
    assert (sweep.visualization.size, sweep.network.model) == (96, "squeezenet1.1")
    assert found.config.folder == config.folder
    (found,) = surveyed(config, "fire5/expand3x3", ["same"])
    assert found.circuits == ("same",) and found.config.circuits[0].visualization.size == 64


def test_all_networks_that_have_the_layer_are_surveyed(config: Config) -> None:
    assert [each.name for each in surveyed(config, "block3_conv3")] == ["vgg16-block3-conv3", "vgg19-block3-conv3"]
    assert [each.name for each in surveyed(config, "block3_conv3", ["one", "vgg19"])] == ["vgg19-block3-conv3"]
    # VGG16's blocks have three conv layers.
    assert [each.name for each in surveyed(config, "block3_conv4")] == ["vgg19-block3-conv4"]


def test_every_network_that_has_not_says_what_it_has(config: Config) -> None:
    with pytest.raises(NoSuchLayer) as caught:
        surveyed(config, "blok3_conv4")
    words = str(caught.value)
    assert words.count("has no layer blok3_conv4") == 3
    assert "VGG19 has no layer blok3_conv4; did you mean block3_conv4" in words
    with pytest.raises(NoSuchLayer, match=r"is no conv layer \(max_pool\); did you mean"):
        surveyed(config, "block3_pool", ["vgg19"])
    with pytest.raises(NoSuchLayer, match="expected a conv layer: conv1, fire2/squeeze1x1"):
        surveyed(config, "?", ["one"])
