"""Shapes, receptive fields and sources against Keras and autodiff."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from tests.tiny import tiny_architecture
from vizengine.network import catalogue as zoo
from vizengine.network.architecture import expected_layers, no_such_layer, readable_layers
from vizengine.network.layers import LayerSpec
from vizengine.network.model import Network


@pytest.mark.parametrize("model", ["vgg16", "vgg19"])
def test_vgg_has_the_layers_and_parameters_of_keras(model: str) -> None:
    import keras

    theirs = {"vgg16": keras.applications.VGG16, "vgg19": keras.applications.VGG19}[model](
        weights=None, include_top=False, input_shape=(224, 224, 3)
    )
    architecture = zoo.catalogue_entry(model).architecture
    convs = [layer for layer in theirs.layers if isinstance(layer, keras.layers.Conv2D)]
    assert [layer.name for layer in convs] == [layer.name for layer in architecture.conv_layers]
    for layer in convs:
        assert architecture.parameters(layer.name) == layer.count_params()
        assert architecture.side(layer.name, 224) == layer.output.shape[1]
    published = {"vgg16": 138_357_544, "vgg19": 143_667_240}
    assert architecture.total_parameters == published[model]


@pytest.mark.parametrize("model", ["vgg16", "vgg19"])
def test_published_files_are_those_of_keras(model: str) -> None:
    import inspect

    from keras.src.applications import vgg16, vgg19

    module = {"vgg16": vgg16, "vgg19": vgg19}[model]
    files = zoo.catalogue_entry(model).published
    assert all(file.digest in inspect.getsource(module) for file in files)
    assert [file.address for file in files] == [module.WEIGHTS_PATH, module.WEIGHTS_PATH_NO_TOP]


def test_squeezenet_has_its_published_size(squeezenet: Network) -> None:
    architecture = squeezenet.architecture
    assert architecture.total_parameters == 1_235_496
    for layer in architecture.conv_layers:
        kernel, bias = squeezenet.weights[layer.name]
        assert kernel.size + bias.size == architecture.parameters(layer.name)
    # 14 with pooling that rounds up, 13 as here, and as the published network has it.
    assert architecture.side("fire9/concat", 227) == 13


@pytest.mark.parametrize("layer", ["first", "right", "pool", "last"])
def test_receptive_field_is_the_support_of_the_gradient(tiny_network: Network, layer: str) -> None:
    """Activations as absolute values of weights times positive input: no gradient is cut or cancelled."""
    architecture, size = tiny_network.architecture, 64
    positive = {name: (np.abs(kernel) + 0.01, np.abs(bias)) for name, (kernel, bias) in tiny_network.weights.items()}
    image = tf.Variable(np.zeros((1, size, size, 3), np.float32))
    model = Network(architecture, positive).model_upto(layer)
    touched = np.zeros((size, size), bool)
    position = architecture.side(layer, size) // 2
    for seed in range(12):
        # A max-pool passes the gradient of one place; over several images it passes that of all.
        image.assign(np.random.default_rng(seed).uniform(0.5, 1, image.shape).astype(np.float32))
        with tf.GradientTape() as tape:
            value = tf.reduce_sum(model(image * 255.0)[0, position, position])
        touched |= np.abs(tape.gradient(value, image).numpy()[0]).max(-1) > 0
    first, end = architecture.receptive_field(layer, size).window(position)
    rows, columns = np.nonzero(touched.any(1))[0], np.nonzero(touched.any(0))[0]
    assert (rows[0], rows[-1] + 1) == (first, end)
    assert (columns[0], columns[-1] + 1) == (first, end)


def test_sources_are_traced_through_pooling_and_concatenation() -> None:
    sources = tiny_architecture().source_channels("last")
    assert [source.label for source in sources] == [f"left:{i}" for i in range(4)] + [f"right:{i}" for i in range(5)]
    assert {source.path for source in sources} == {("joined", "pool")}
    assert [source.label for source in tiny_architecture().source_channels("first")] == ["red", "green", "blue"]
    colours = zoo.catalogue_entry("vgg19").architecture.source_channels("block1_conv1")
    assert [source.label for source in colours] == ["blue", "green", "red"]


def test_sources_are_the_channels_that_the_kernel_reads(tiny_network: Network) -> None:
    """Silence one source channel: only the kernel's slice of that index loses its input."""
    images = np.random.default_rng(1).uniform(0, 1, (1, 40, 40, 3)).astype(np.float32)
    whole = np.asarray(tiny_network.model_upto("pool")(tiny_network.prepare(tf.constant(images))))
    for index, source in enumerate(tiny_network.architecture.source_channels("last")):
        kernel, bias = tiny_network.weights[source.layer]
        silent_kernel, silent_bias = kernel.copy(), bias.copy()
        silent_kernel[..., source.channel], silent_bias[source.channel] = 0, 0
        silenced = Network(
            tiny_network.architecture, {**tiny_network.weights, source.layer: (silent_kernel, silent_bias)}
        ).model_upto("pool")(tiny_network.prepare(tf.constant(images)))
        changed = np.abs(np.asarray(silenced) - whole).max(axis=(0, 1, 2)) > 0
        assert set(np.nonzero(changed)[0]) <= {index}
        assert np.all(np.asarray(silenced)[..., index] == 0)


def test_only_layers_whose_units_can_be_shown_are_expected() -> None:
    tiny = tiny_architecture()
    convs = ["first", "left", "right", "last", "end"]
    behind = LayerSpec("up", "other", ("end",), operation="UpSampling2D"), LayerSpec("after", "conv", ("up",), 2, 1)
    longer = replace(tiny, layers=(*tiny.layers, *behind))
    assert readable_layers(longer) == convs
    assert expected_layers(longer) == f"a conv layer: {', '.join(convs)}"
    assert no_such_layer("up", longer) == "up of Tiny is no conv layer (UpSampling2D)"
    assert no_such_layer("pool", tiny) == "pool of Tiny is no conv layer (max_pool)"
    assert no_such_layer("pol", tiny) == "Tiny has no layer pol"
    bare = replace(tiny, layers=(tiny.layers[0], LayerSpec("flat", "flatten", ("input",))))
    assert expected_layers(bare) == "a network with conv layers, and this has none"
