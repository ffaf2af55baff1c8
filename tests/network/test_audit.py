"""The checks of `docs/networks.md`: its table, a sample of it anew, real weights, and models of the tests' own."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import keras
import pytest

from tests.network.own_models import SubclassedModel, functional_model, network_of
from tests.places import REPOSITORY
from tools.audit import UNIT, audit, by_network, opened, row
from vizengine.config.applications import APPLICATIONS
from vizengine.network.graph import Reference, read_model
from vizengine.network.live import LiveNetwork
from vizengine.network.model import Network

PAGE = REPOSITORY / "docs" / "networks.md"
QUICK = ("densenet121", "efficientnetb0", "efficientnetv2b0", "inceptionv3", "mobilenet", "mobilenetv2",
         "mobilenetv3small", "mobilenetv3large", "nasnetmobile", "resnet50", "resnet50v2", "xception")  # fmt: skip


@pytest.mark.parametrize(
    "layer", ["stem", "oblong", "tall", "grouped", "wide", "separable", "deep", "last"]
)  # fmt: skip
def test_own_model(layer: str) -> None:
    checks = audit(network_of(functional_model(side=None)), layer, 1)
    assert checks.passed, checks


@pytest.mark.parametrize("channels", [1, 3])
def test_subclassed_model(channels: int) -> None:
    checks = audit(network_of(SubclassedModel(), (None, None, channels)), "conv2d_2", 1)
    assert checks.passed, checks


def test_the_table_has_every_network() -> None:
    """Three layers each, by seeded random weights, and a reason where something isn't supported."""
    table = by_network(PAGE.read_text(encoding="utf-8"))
    for name in APPLICATIONS:
        assert len(table[name]) == 3, name
        assert all(re.search(r"\| (holds|not supported: .{20,}) \|$", row) for row in table[name]), name


def _sample(count: int) -> list[str]:
    """Rows drawn from the table, of networks that an ordinary machine opens in seconds."""
    table = by_network(PAGE.read_text(encoding="utf-8"))
    rows = [row for name in QUICK for row in table[name]]
    return random.Random(6).sample(rows, count)


@pytest.mark.parametrize("written", _sample(3))
def test_the_table_says_what_is_measured(written: str) -> None:
    """All of a row but the size of its errors, which depends on the machine."""
    name, layer = re.match(r"\| (\w+) \| `(\S+)` \|", written).groups()
    checks = audit(opened(name), layer, UNIT)
    assert checks.passed, checks
    assert _without_errors(row(name, checks)) == _without_errors(written)


def _without_errors(written: str) -> str:
    return re.sub(r"\d+e[-+]\d+", "", written)


def _with_layers_of(network: Network, model: keras.Model) -> LiveNetwork:
    """A built-in network's own data over the layers of a Keras model that has its weights."""
    names = {spec.keras_name: spec.name for spec in network.architecture.layers}

    def renamed(leaf: object) -> object:
        return Reference(names[leaf.name]) if isinstance(leaf, Reference) else leaf

    graph = read_model(model)
    nodes = [
        replace(node, name=names[node.name], arguments=keras.tree.map_structure(renamed, node.arguments))
        for node in graph.nodes
    ]
    return LiveNetwork(network.architecture, replace(graph, nodes=tuple(nodes)))


@pytest.mark.parametrize(
    ("layer", "unit"),
    # Before a concatenation, behind one, behind one and a pool, across two.
    [("fire4/expand3x3", 23), ("fire3/squeeze1x1", 5), ("fire4/squeeze1x1", 7), ("fire9/expand1x1", 100)],
)
def test_squeezenets_real_weights(squeezenet: Network, layer: str, unit: int) -> None:
    checks = audit(_with_layers_of(squeezenet, squeezenet.model_upto(layer)), layer, unit)
    assert checks.passed, checks
    assert len(checks.sites) == (1 if "expand" in layer else 2)


def test_vgg19s_real_weights_across_the_pool(vgg19: Network) -> None:
    """Against Keras' own VGG19."""
    model = keras.applications.VGG19(weights=None, include_top=False)
    for name, arrays in vgg19.weights.items():
        model.get_layer(name).set_weights(list(arrays))
    upto = keras.Model(model.inputs, model.get_layer("block3_conv1").output)
    checks = audit(_with_layers_of(vgg19, upto), "block3_conv1", 50)
    assert checks.passed, checks
    assert checks.sites == ("block2_conv2",) and checks.earlier == "block1_conv2"
