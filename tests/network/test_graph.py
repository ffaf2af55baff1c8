"""Keras models read into graphs."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest

from tests.network.own_models import SubclassedModel, functional_model, network_of, noise
from tools.audit import opened
from vizengine.config.applications import APPLICATIONS
from vizengine.config.network import NetworkSection
from vizengine.network.architecture import Untraceable
from vizengine.network.graph import Unreadable, read_model
from vizengine.network.layers import Misfit, extents
from vizengine.network.model import Network
from vizengine.network.open import describe_keras
from vizengine.network.probes import Intervention, Probe, has_classifier


@pytest.mark.parametrize("channels", [1, 3])
def test_the_graph_computes_what_the_model_computes(channels: int) -> None:
    model = functional_model(channels)
    network = network_of(model)
    images = noise(48, 48)
    own = np.asarray(model(network.prepare(images), training=False))
    np.testing.assert_allclose(network.classify(images), own, rtol=1e-5)
    assert has_classifier(network)


def test_pre_activations_are_what_the_activation_gets_at_any_size() -> None:
    """With each layer's normalisation folded in, against the model's own layers."""
    model = functional_model()
    network = network_of(model)
    images = noise(61, 40)
    prepared = network.prepare(images)
    for spec in network.architecture.conv_layers:
        given = network.model_upto(network.architecture.pre_activation(spec.name))
        own = np.asarray(given(prepared, training=False))
        pre = Probe(network, spec.name).numpy(images)
        folded = keras.activations.get(spec.activation)(pre)
        np.testing.assert_allclose(np.asarray(folded), own, rtol=1e-4, atol=1e-4, err_msg=spec.name)
        few = Probe(network, spec.name, [3, 0]).numpy(images)
        np.testing.assert_allclose(few, pre[..., [3, 0]], rtol=1e-4, atol=1e-4, err_msg=spec.name)
        sides = [network.architecture.side(spec.name, side, axis) for axis, side in enumerate((61, 40))]
        assert pre.shape[1:3] == tuple(sides)


def test_sources() -> None:
    architecture = network_of(functional_model()).architecture
    labels = [source.label for source in architecture.source_channels("separable")]
    # Seen at the normalisation, made by the branches of the concatenation.
    assert labels == [f"tall:{i}" for i in range(6)] + [f"wide:{i}" for i in range(6)]
    assert {source.layer for source in architecture.source_channels("separable")} == {"norm"}
    assert {source.path for source in architecture.source_channels("separable")} == {("joined", "pooled", "norm")}
    assert [source.label for source in architecture.source_channels("stem")] == ["red", "green", "blue"]
    assert {source.layer for source in architecture.source_channels("grouped")} == {"stem"}
    # A unit of a group reads its group.
    assert [source.label for source in architecture.source_channels("grouped", 5)] == [f"stem:{i}" for i in range(4, 8)]
    assert [source.label for source in architecture.source_channels("deep", 7)] == ["total:3"]
    summed = architecture.source_channels("deep")[8]
    assert (summed.layer, summed.channel, summed.branches) == ("total", 8, ("separable:8", "wide:2"))
    assert {source.path for source in architecture.source_channels("last")} == {("gated", "small")}
    assert {source.layer for source in architecture.source_channels("last")} == {"deep"}
    assert "excite" not in [spec.name for spec in architecture.conv_layers]


def test_a_subclassed_model_is_read_under_names_that_do_not_depend_on_the_process() -> None:
    keras.layers.Conv2D(1, 1)
    model = SubclassedModel()
    network = network_of(model, (32, 32, 3))
    names = [spec.name for spec in network.architecture.conv_layers]
    assert names == ["conv2d", "conv2d_1", "conv2d_2"]
    images = noise(48, 48)
    own = np.asarray(model(network.prepare(images), training=False))
    expected = np.exp(own) / np.exp(own).sum()
    np.testing.assert_allclose(network.classify(images), expected, rtol=1e-4, atol=1e-6)
    labels = [source.label for source in network.architecture.source_channels("conv2d_2")]
    assert labels == [f"conv2d:{i}" for i in range(6)] + [f"conv2d_1:{i}" for i in range(8)]


def test_a_gap_in_the_way_is_named() -> None:
    image = keras.Input((16, 16, 3))
    first = keras.layers.Conv2D(4, 3, name="first")(image)
    moved = keras.layers.Reshape((7, 14, 8), name="moved")(first)
    model = keras.Model(image, keras.layers.Conv2D(4, 3, name="behind")(moved))
    with pytest.raises(Untraceable, match=r"behind can't be traced: moved \(Reshape\)"):
        network_of(model).architecture.source_channels("behind")


def test_a_layer_that_computes_another_thing_than_its_class_is_unknown() -> None:
    class Squared(keras.layers.Conv2D):
        def call(self, inputs):
            return super().call(inputs) ** 2

    image = keras.Input((16, 16, 3))
    squared = Squared(4, 3, name="squared")(image)
    model = keras.Model(image, keras.layers.Conv2D(4, 3, name="behind")(squared))
    assert network_of(model).architecture.layer("squared").kind == "other"
    with pytest.raises(Untraceable, match=r"squared \(Squared\) lies before it"):
        network_of(model).architecture.source_channels("behind")


def test_what_cannot_be_read() -> None:
    class Opaque(keras.Model):
        def call(self, image):
            import tensorflow as tf

            return tf.nn.relu(image)

    # Keras' own words end where an example would follow.
    with pytest.raises(Unreadable, match=r"`keras.ops`\)\.\); expected a model made of Keras layers and `keras.ops`"):
        read_model(Opaque(), (16, 16, 3))
    with pytest.raises(Unreadable, match="doesn't say what shape"):
        read_model(SubclassedModel())
    two = keras.Model(inputs := [keras.Input((8, 8, 3)), keras.Input((8, 8, 3))], keras.layers.Add()(inputs))
    with pytest.raises(Unreadable, match="expected one image"):
        read_model(two)
    with pytest.raises(Unreadable, match="5 channels"):
        read_model(keras.Sequential([keras.Input((8, 8, 5)), keras.layers.Conv2D(1, 1)]))


def test_zeroing_a_unit_behind_a_normalisation() -> None:
    """The activation behind the normalisation is what is silenced."""
    network = network_of(functional_model())
    images = noise(48, 48)
    intervention = Intervention(network, "stem")
    assert intervention.layer == "stem_relu"
    activations = intervention.activations(images)

    def silenced(values: np.ndarray) -> np.ndarray:
        values[..., 2] = 0
        return values

    changed = intervention.changed_logits(activations, silenced)
    operation = network.nodes["stem_norm"].operation
    for variable in (operation.gamma, operation.beta):
        values = np.array(variable)
        values[2] = 0
        variable.assign(values)
    expected = np.log(network.classify(images))
    np.testing.assert_allclose(changed - changed.mean(), expected - expected.mean(), rtol=1e-4, atol=1e-5)


def test_an_image_that_branches_cannot_share_is_cropped() -> None:
    network = opened("nasnetmobile")
    with pytest.raises(Misfit):
        extents(network.architecture.layers, 301, 0)
    fitted = network.architecture.fitting(301)
    assert 290 <= fitted < 301 and network.architecture.fitting(224) == 224
    layer = network.architecture.conv_layers[60].name
    pre = Probe(network, layer, [0]).numpy(noise(301, 224))
    assert pre.shape[1:3] == (network.architecture.side(layer, 301), network.architecture.side(layer, 224, 1))


def test_every_application_of_keras_can_be_named() -> None:
    functions = {name for name in dir(keras.applications) if name[0].isupper()}
    assert {entry.function for entry in APPLICATIONS.values()} == functions - {"VGG16", "VGG19"}


@pytest.mark.parametrize("name", ["resnet50", "mobilenetv2", "densenet121", "efficientnetb0"])
def test_preparation_equals_that_of_keras(name: str) -> None:
    import importlib

    modules = {"resnet50": "resnet", "mobilenetv2": "mobilenet_v2", "densenet121": "densenet"}
    module = importlib.import_module(f"keras.applications.{modules.get(name, 'efficientnet')}")
    images = noise(8, 8)
    section = NetworkSection(model=name)
    network = Network(describe_keras(section, replace(read_model(functional_model()), input_shape=(8, 8, 3)), ""), {})
    prepared = np.asarray(network.prepare(images))
    np.testing.assert_allclose(prepared, module.preprocess_input(images.copy() * 255), rtol=1e-5, atol=1e-4)
