"""Where weights are found, in which formats, and what is said where they can't be had."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from vizengine.cache import Cache
from vizengine.errors import WeightsUnavailable
from vizengine.network import catalogue as zoo
from vizengine.network.catalogue import ZooEntry
from vizengine.network.files import WEIGHTS_FOLDER_VARIABLE, read_layers
from vizengine.network.weights import locate

NEEDED = zoo.catalogue_entry("vgg19").architecture.upto("block1_conv2")
NOWHERE = "http://127.0.0.1:9/"


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def vgg19_entry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ZooEntry:
    """VGG19 whose published files lie at an address on this machine where nobody answers, and an empty Keras cache."""
    monkeypatch.delenv(WEIGHTS_FOLDER_VARIABLE, raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    entry = zoo.catalogue_entry("vgg19")
    full, headless = (replace(file, address=NOWHERE) for file in entry.published)
    return replace(entry, full=full, headless=headless)


def _model(channels: int = 64) -> keras.Model:
    image = keras.Input((16, 16, 3))
    first = keras.layers.Conv2D(channels, 3, name="block1_conv1")(image)
    return keras.Model(image, keras.layers.Conv2D(64, 3, name="block1_conv2")(first))


def _old_layout(path: Path, model: keras.Model) -> None:
    """The layout of the files that Keras published in 2016, weights named `…_W_1:0` and `…_b_1:0`."""
    with h5py.File(path, "w") as file:
        for layer in model.layers[1:]:
            group = file.create_group(layer.name)
            names = [f"{layer.name}_W_1:0".encode(), f"{layer.name}_b_1:0".encode()]
            group.attrs["weight_names"] = names
            for name, array in zip(names, layer.get_weights(), strict=True):
                group[name.decode()] = array


@pytest.mark.parametrize("ending", [".weights.h5", ".h5", ".keras", "-old.h5"])
def test_every_format_is_read_by_layer_name(tmp_path: Path, cache: Cache, ending: str) -> None:
    model = _model()
    path = tmp_path / f"vgg19{ending}"
    if ending == ".weights.h5":
        model.save_weights(path)
    elif ending == "-old.h5":
        _old_layout(path, model)
    else:
        model.save(path)
    entry = zoo.catalogue_entry("vgg19")
    file = locate(entry, path.name, None, tmp_path, NEEDED, cache)
    assert file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    layers = read_layers(file.path, entry.architecture.layers)
    assert set(layers) == {"block1_conv1", "block1_conv2"}
    for name, arrays in layers.items():
        for array, expected in zip(arrays, model.get_layer(name).get_weights(), strict=True):
            np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize(
    ("content", "layer", "words"),
    [
        (64, "block2_conv2", "no weights for the layers block2_conv1, block2_conv2"),
        (32, "block1_conv2", r"layer block1_conv1 with kernel \(3, 3, 3, 32\)"),
        (b"", "block1_conv2", r"vgg19\.weights\.h5 can't be read"),
        (b"not a weights file", "block1_conv2", r"vgg19\.weights\.h5 can't be read"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 40, "block1_conv2", r"vgg19\.weights\.h5 can't be read"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(
    tmp_path: Path, cache: Cache, content: int | bytes, layer: str, words: str
) -> None:
    """A layer is missing, has another shape, or the file is damaged."""
    path = tmp_path / "vgg19.weights.h5"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        _model(content).save_weights(path)
    entry = zoo.catalogue_entry("vgg19")
    with pytest.raises(WeightsUnavailable, match=words):
        locate(entry, path.name, None, tmp_path, entry.architecture.upto(layer), cache)


def test_folders_are_searched_in_order(
    tmp_path: Path, cache: Cache, vgg19_entry: ZooEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("config", "variable", "keras/models"):
        (tmp_path / folder).mkdir(parents=True)
        _model().save_weights(tmp_path / folder / "my_vgg19.weights.h5")
    monkeypatch.setenv(WEIGHTS_FOLDER_VARIABLE, str(tmp_path / "variable"))
    for folder in ("config", "variable", "keras/models"):
        file = locate(vgg19_entry, "imagenet", "config", tmp_path, NEEDED, cache)
        assert file.path.parent == tmp_path / folder
        assert "origin is unchecked" in file.origin
        shutil.rmtree(tmp_path / folder)
    with pytest.raises(WeightsUnavailable) as caught:
        locate(vgg19_entry, "imagenet", "config", tmp_path, NEEDED, cache)
    message = str(caught.value)
    assert "the download failed" in message and "VIZENGINE_WEIGHTS" in message and "_notop.h5" in message
    assert not list((tmp_path / "keras").rglob("*.h5"))


def test_files_of_another_network_or_with_other_bytes_are_not_taken(
    tmp_path: Path, cache: Cache, vgg19_entry: ZooEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, headless = vgg19_entry.published
    monkeypatch.setenv(WEIGHTS_FOLDER_VARIABLE, str(tmp_path))
    _model().save_weights(tmp_path / "vgg16.weights.h5")
    with pytest.raises(WeightsUnavailable, match="has no weights file of vgg19"):
        locate(vgg19_entry, None, None, tmp_path, NEEDED, cache)
    _model().save(tmp_path / headless.name)
    with pytest.raises(WeightsUnavailable, match="is not the file that Keras publishes"):
        locate(vgg19_entry, None, None, tmp_path, NEEDED, cache)
    # Named outright, it is.
    assert locate(vgg19_entry, headless.name, None, tmp_path, NEEDED, cache).origin == "file named in the config"


def test_embedded_weights_are_the_published_ones(cache: Cache) -> None:
    entry = zoo.catalogue_entry("squeezenet1.1")
    file = locate(entry, None, None, Path(), entry.architecture.layers, cache)
    assert entry.embedded is not None and file.sha256 == entry.embedded.sha256
    wrong = replace(entry, embedded=replace(entry.embedded, sha256="0" * 64))
    with pytest.raises(WeightsUnavailable, match="expected 0000"):
        locate(wrong, None, None, Path(), entry.architecture.layers, cache)
