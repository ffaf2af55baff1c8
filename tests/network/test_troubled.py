"""Networks as people bring them: what can be read of them is read, and what can't be is said."""

from __future__ import annotations

from types import SimpleNamespace

import keras
import numpy as np
import pytest

from tests.network import troubled
from tools.audit import audit
from vizengine.measures.readings import Slices, readings
from vizengine.network.architecture import Architecture, Untraceable
from vizengine.network.graph import read_model
from vizengine.network.live import LiveNetwork
from vizengine.network.model import canvas_for
from vizengine.network.probes import Intervention, Probe, has_classifier


def _network(model: keras.Model, side: int = 48) -> LiveNetwork:
    graph = read_model(model)
    return LiveNetwork(Architecture("own", "Own", graph.layers, side, "rgb", (0.0,) * 3, "", ""), graph)


def _images(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).uniform(0, 1, (1, *shape, 3)).astype(np.float32)


@pytest.mark.parametrize(
    ("model", "layer"),
    [
        (lambda: troubled.unet(), "first"),
        (lambda: troubled.unet(48), "inner"),
        (lambda: troubled.added(), "stem"),
        (lambda: troubled.added(None), "down"),
    ],
)
def test_a_unit_before_an_upsampling_is_read_at_any_size(model, layer: str) -> None:
    """What the branch behind it meets doesn't matter to it; against the model cut there."""
    keras_model = model()
    network = _network(keras_model)
    architecture = network.architecture
    assert architecture.fitting(512, layer) == 512 and architecture.fitting(37) == 37
    images = _images(37, 50)
    values = Probe(network, layer).numpy(images)
    own = keras_model.get_layer(layer)
    feed = images
    for before in {"inner": ["first", "max_pooling2d"], "down": ["stem"]}.get(layer, []):
        feed = next(spec for spec in keras_model.layers if spec.name.startswith(before))(feed)
    expected = np.asarray(keras.ops.conv(feed, own.kernel, own.strides[0], own.padding)) + np.asarray(own.bias)
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-5)
    assert values.shape[1:3] == tuple(architecture.side(layer, side) for side in (37, 50))
    canvas = canvas_for(architecture, layer)
    field = architecture.receptive_field(layer)
    assert canvas.size == field.size and canvas.side <= field.size + field.stride
    assert audit(network, layer, 1).passed


def test_what_lies_behind_an_upsampling_is_left_out_and_said() -> None:
    for model, up in ((troubled.unet(), "up (Conv2DTranspose)"), (troubled.added(), "up (UpSampling2D)")):
        architecture = _network(model).architecture
        behind = [spec.name for spec in architecture.conv_layers if spec.name in architecture.resized_by]
        assert behind in (["behind", "last", "classes"], ["after"])
        for layer in behind:
            with pytest.raises(Untraceable, match="can't be looked at") as caught:
                architecture.source_channels(layer)
            assert up in str(caught.value)
    architecture = _network(troubled.unet()).architecture
    kernels = {
        spec.name: Slices(np.ones((3, 3, architecture.channels(spec.inputs[0]), spec.filters), np.float32))
        for spec in architecture.conv_layers
    }
    outputs = readings(architecture, SimpleNamespace(layer="first", unit=1), kernels.get)
    assert outputs.layers == ("inner",)
    assert [spec.layer for spec in outputs.unread] == ["behind"] and "up (Conv2DTranspose)" in outputs.unread[0].reason


def test_a_class_for_each_position_is_no_classifier() -> None:
    network = _network(troubled.segmentation())
    assert network.architecture.layers[-1].gives_softmax and not has_classifier(network)
    # A classifier without a dense layer, whose map has one position, is one.
    image = keras.Input((32, 32, 3))
    whole = keras.layers.GlobalAveragePooling2D(keepdims=True)(keras.layers.Conv2D(4, 3, name="first")(image))
    model = troubled.seeded(keras.Model(image, keras.layers.Conv2D(3, 1, activation="softmax", name="classes")(whole)))
    network = _network(model, 32)
    assert has_classifier(network)
    images = _images(32, 32)
    expected = np.asarray(model(images * 255))[:, 0, 0]
    np.testing.assert_allclose(network.classify(images), expected, rtol=1e-5)
    intervention = Intervention(network, "first")
    logits = np.asarray(intervention.activations(images)["logits"])
    np.testing.assert_allclose(np.exp(logits) / np.exp(logits).sum(), expected, rtol=1e-4)


def test_group_and_spectral_normalisations_are_read() -> None:
    """A unit before a group normalisation is its conv layer alone; an input that passed one is seen behind it."""
    model = troubled.normalised()
    network = _network(model, 32)
    architecture = network.architecture
    kinds = {spec.name: spec.kind for spec in architecture.layers}
    assert (kinds["plain_norm"], kinds["spectral"]) == ("group_norm", "conv")
    images = _images(32, 32)
    plain = Probe(network, "plain").numpy(images)
    own = keras.Model(model.input, model.get_layer("plain").output)
    np.testing.assert_allclose(plain, np.asarray(own(images * 255)), rtol=1e-4, atol=1e-4)
    # Nothing is folded in, since the normalisation measures each image anew.
    assert architecture.norm_after("plain") is None
    source = architecture.source_channels("following")[5]
    assert (source.layer, source.label, source.path) == ("plain_norm", "plain:5", ("plain_norm",))
    seen = Probe(network, "plain_norm", [5]).numpy(images)[..., 0]
    groups = plain.astype(np.float64).reshape(1, 32, 32, 2, 4)
    mean, variance = groups.mean(axis=(1, 2, 4), keepdims=True), groups.var(axis=(1, 2, 4), keepdims=True)
    norm = model.get_layer("plain_norm")
    scaled = ((groups - mean) / np.sqrt(variance + norm.epsilon)).reshape(1, 32, 32, 8)
    expected = scaled * np.asarray(norm.gamma) + np.asarray(norm.beta)
    np.testing.assert_allclose(seen, expected[..., 5], rtol=1e-3, atol=1e-4)
    kernel, bias = network.weights["spectral"]
    inner = model.get_layer("spectral").layer
    np.testing.assert_array_equal(kernel, np.asarray(inner.kernel))
    np.testing.assert_array_equal(bias, np.asarray(inner.bias))
    assert [spec.label for spec in architecture.source_channels("last")] == [f"spectral:{i}" for i in range(4)]
    for layer in ("plain", "following", "spectral", "last"):
        assert audit(network, layer, 1).passed, layer
