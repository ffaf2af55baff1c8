"""A command opens a network once, from its check to its last page, and never holds two copies of it."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import pytest

from tests.runs import write_photos
from vizengine.cli import main
from vizengine.network import source

CONFIG = """\
site: {title: Test}
photos: photos
visualization: {size: 32, steps: 2, attempts: 1}
circuits:
  - name: small
    network: NETWORK
    unit: {layer: LAYER, index: 0-1}
    inputs: 2
"""
MODULE = """\
import keras

def make():
    image = keras.Input((None, None, 3))
    maps = keras.layers.Conv2D(4, 3, strides=4, activation="relu", name="first")(image)
    return keras.Model(image, keras.layers.Conv2D(4, 3, name="second")(maps))
"""
FUNCTION = "{model: 'opened_in_a_test:make', preprocess: {scale: 1}, trust: true}"


@pytest.mark.parametrize(
    ("network", "layer", "opens"),
    [
        # Nothing says what a function's model depends on, so each command calls it, once.
        (FUNCTION, "second", [1, 1, 1]),
        # Kernels are read from the model for each page, so a second run opens it too.
        ("{model: mobilenet, weights: random}", "conv1", [1, 1, 1]),
    ],
)
def test_a_command_opens_its_network_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: str, layer: str, opens: list[int]
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    (tmp_path / "opened_in_a_test.py").write_text(MODULE)
    write_photos(tmp_path)
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.replace("NETWORK", network).replace("LAYER", layer))
    original = source.open_keras
    graphs: list[weakref.ref[Any]] = []

    def counted(*arguments: Any) -> Any:
        gc.collect()
        assert not [graph for graph in graphs if graph() is not None], "another copy is held"
        graph = original(*arguments)
        graphs.append(weakref.ref(graph))
        return graph

    monkeypatch.setattr(source, "open_keras", counted)
    for options, expected in zip(([], [], ["--fresh"]), opens, strict=True):
        before = len(graphs)
        assert main([str(config), "-q", *options]) == 0
        assert len(graphs) - before == expected, options
