"""Models of a user's own, subclassed and functional, grey and colour, from file and function: each has a page."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.runs import run

MODELS = """
import keras

layers = keras.layers


@keras.saving.register_keras_serializable("mine")
class Subclassed(keras.Model):
    def __init__(self, **keywords):
        super().__init__(**keywords)
        self.edges = layers.Conv2D(6, 3, 2, padding="same", activation="relu", name="edges")
        self.shapes = layers.Conv2D(4, 3, padding="same", name="shapes")
        self.classes = layers.Dense(3, activation="softmax", name="classes")

    def call(self, image):
        return self.classes(keras.ops.mean(keras.ops.relu(self.shapes(self.edges(image))), axis=(1, 2)))


def subclassed(channels):
    keras.utils.set_random_seed(channels)
    model = Subclassed()
    model(keras.ops.zeros((1, 48, 48, channels)))
    return model


def functional(channels):
    keras.utils.set_random_seed(channels)
    image = keras.Input((48, 48, channels))
    edges = layers.Conv2D(6, 3, 2, padding="same", activation="relu", name="edges")(image)
    inner = layers.Conv2D(6, 3, padding="same", name="inner")(edges)
    total = layers.ReLU(name="total_relu")(layers.Add(name="total")([edges, inner]))
    shapes = layers.Conv2D(4, 3, padding="same", name="shapes")(total)
    return keras.Model(image, layers.Dense(3, activation="softmax", name="classes")(
        layers.GlobalAveragePooling2D(name="whole")(shapes)))


def subclassed_grey():
    return subclassed(1)


def functional_colour():
    return functional(3)


def subclassed_colour():
    return keras.saving.load_model("subclassed.keras")


if __name__ == "__main__":
    functional(1).save("functional.keras")
    subclassed(3).save("subclassed.keras")
"""
# What the config names, whether that runs code, and what the model doesn't say itself.
CIRCUITS = {
    "function-subclassed-grey": '{model: "mine:subclassed_grey", trust: true, input: grey, preprocess: {scale: 1}}',
    "function-functional-colour": '{model: "mine:functional_colour", trust: true, preprocess: {scale: 1}}',
    "file-functional-grey": "{model: functional.keras, preprocess: {scale: 1}}",
    "file-subclassed-colour": '{model: "mine:subclassed_colour", trust: true, input: colour, preprocess: {scale: 1}}',
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    (folder / "mine.py").write_text(MODELS)
    subprocess.run([sys.executable, "mine.py"], cwd=folder, check=True, capture_output=True)
    (folder / "photos").mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (64, 72, 3), np.uint8)
    Image.fromarray(pixels).resize((144, 128)).save(folder / "photos" / "noise.png")
    sections = "".join(
        f"  - name: {name}\n    network: {network}\n    unit: {{layer: shapes, index: 1}}\n    inputs: 3\n"
        for name, network in CIRCUITS.items()
    )
    (folder / "config.yaml").write_text(
        "site: {title: Own}\nphotos: photos\nvisualization: {size: 32, steps: 2, attempts: 1}\ncircuits:\n" + sections
    )
    run(folder, "config.yaml", "-q", code=0)
    return folder / "site"


@pytest.mark.parametrize("name", CIRCUITS)
def test_a_model_of_ones_own_has_a_page(site: Path, name: str) -> None:
    report = json.loads((site / name / "circuit.json").read_text())
    functional = "functional" in name
    assert [row["name"] for row in report["network"]["chain"]][-1] == "shapes"
    assert len(report["inputs"]) == 6 and len(report["strongest"]) == 3
    for strong in report["strongest"]:
        assert len(strong["terms"]) == (2 if functional else 0)
        assert not functional or sum(term["share"]["value"] for term in strong["terms"]) == pytest.approx(100, abs=1e-6)
    assert "<h1>" in (site / name / "index.html").read_text()
