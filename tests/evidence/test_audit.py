"""The checks of `docs/networks.md` on a sample of it, and on a model of the tests' own."""

from __future__ import annotations

import numpy as np
import pytest

from tests.networks.own_models import SubclassedModel, functional_model, network_of
from tests.networks.test_graph import application
from vizengine.evidence.audit import audit


@pytest.mark.parametrize(
    "layer", ["stem", "oblong", "tall", "grouped", "wide", "separable", "deep", "last"]
)  # fmt: skip
def test_own_model(layer: str) -> None:
    found = audit(network_of(functional_model(side=None)), layer, 1)
    assert found.passed, found


@pytest.mark.parametrize("channels", [1, 3])
def test_subclassed_model(channels: int) -> None:
    found = audit(network_of(SubclassedModel(), (None, None, channels)), "conv2d_2", 1)
    assert found.passed, found


@pytest.mark.parametrize(
    ("name", "layer"),
    [("mobilenetv2", "block_3_depthwise"), ("densenet121", "conv2_block3_1_conv"), ("inceptionv3", "conv2d_12")],
)
def test_applications(name: str, layer: str) -> None:
    found = audit(application(name), layer, 2)
    assert found.passed, found


def test_the_checks_can_fail() -> None:
    """A kernel, a bias, a stride that aren't the model's."""
    from dataclasses import replace

    network = network_of(functional_model(side=None))
    kernel, bias = network.weights["last"]
    network.weights._folded["last"] = (kernel + np.float32(0.01), bias)
    found = audit(network, "last", 1)
    assert found.contributions > 1e-4 and found.expanded > 1e-4 and not found.passed
    architecture = network.architecture
    layers = tuple(
        replace(spec, margins=((1, 3), (0, 0))) if spec.name == "margin" else spec for spec in architecture.layers
    )
    network.architecture = replace(architecture, layers=layers)
    assert not audit(network, "tall", 1).field_as_measured
