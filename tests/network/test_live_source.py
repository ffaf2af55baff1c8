"""Networks that a config names: loaded, refused with a reason, kept without TensorFlow."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from tests.network.own_models import SubclassedModel, functional_model, network_of, noise
from tests.places import REPOSITORY
from tools.audit import audit
from vizengine.cache import Cache
from vizengine.config.network import NetworkSection
from vizengine.errors import WeightsUnavailable
from vizengine.network.source import LiveSource, network_problems

_CODE = """
import h5py
import keras

open("ran", "w").close()


def model():
    layers = keras.layers
    return keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(4, 3, name="first"), layers.ReLU(),
                             layers.Conv2D(2, 3, name="second")])


def number():
    return 7


def broken():
    raise ValueError("no such thing")


def halved(images):
    return images / 2
"""


def section(**settings: object) -> NetworkSection:
    return NetworkSection.model_validate({"preprocess": {"scale": 255}, **settings})


def source(folder: Path, **settings: object) -> LiveSource:
    return LiveSource(section(**settings), folder, Cache(folder / "cache"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config's folder with a module of its own."""
    (tmp_path / "ownmodule.py").write_text(_CODE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "ownmodule", raising=False)
    return tmp_path


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_file_gives_the_network_that_was_saved(folder: Path, suffix: str) -> None:
    model = functional_model(1)
    network_of(model)
    model.save(folder / f"grey{suffix}")
    (folder / "labels.txt").write_text("one\ntwo\nthree\nfour\n")
    loaded = source(folder, model=f"grey{suffix}", labels="labels.txt", preprocess={"scale": 1, "mean": [0.5]})
    images = noise(48, 48)
    prepared = images @ np.array([0.299, 0.587, 0.114])[:, None].astype(np.float32) - 0.5
    expected = np.asarray(model(prepared, training=False))
    np.testing.assert_allclose(loaded.network.classify(images), expected, rtol=1e-4, atol=1e-6)
    assert loaded.network.labels == ("one", "two", "three", "four")
    assert loaded.missing_classifier == "" and loaded.identity.name == f"grey{suffix}"


def test_a_kept_structure_needs_no_tensorflow(folder: Path) -> None:
    functional_model().save(folder / "own.keras")
    assert source(folder, model="own.keras").architecture.channels("stem") == 8
    program = (
        "import sys\nfrom pathlib import Path\nfrom vizengine.cache import Cache\n"
        "from vizengine.config.network import NetworkSection\nfrom vizengine.network.source import LiveSource\n"
        "section = NetworkSection.model_validate({'model': 'own.keras', 'preprocess': {'scale': 255}})\n"
        "loaded = LiveSource(section, Path('.'), Cache(Path('cache')))\n"
        "assert loaded.architecture.channels('stem') == 8 and len(loaded.identity.sha256) == 64\n"
        "sys.exit(str({'tensorflow', 'keras'} & set(sys.modules)) if 'keras' in sys.modules else 0)"
    )
    environment = {"PYTHONPATH": str(REPOSITORY)}
    run = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, env=environment)
    assert run.returncode == 0, run.stderr


def test_a_function_runs_only_where_it_is_trusted(folder: Path) -> None:
    with pytest.raises(WeightsUnavailable, match="trust: true"):
        _ = source(folder, model="ownmodule:model").architecture
    assert not (folder / "ran").exists()
    loaded = source(folder, model="ownmodule:model", trust=True, preprocess={"function": "ownmodule:halved"})
    assert [spec.name for spec in loaded.architecture.conv_layers] == ["first", "second"]
    assert (folder / "ran").exists()
    images = np.ones((1, 8, 8, 3), np.float32)
    np.testing.assert_array_equal(np.asarray(loaded.network.prepare(images)), images / 2)
    assert "second" in loaded.missing_classifier


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("nowhere:model", "no module nowhere"),
        ("ownmodule:nothing", "has no function nothing"),
        ("ownmodule:number", "returned int"),
        ("ownmodule:broken", "ValueError: no such thing"),
    ],
)
def test_functions_that_give_no_model(folder: Path, reference: str, words: str) -> None:
    with pytest.raises(WeightsUnavailable, match=words):
        _ = source(folder, model=reference, trust=True).architecture


def test_a_class_of_its_own_needs_trust(folder: Path) -> None:
    model = SubclassedModel()
    model(np.zeros((1, 32, 32, 3), np.float32))
    model.save(folder / "own.keras")
    with pytest.raises(WeightsUnavailable, match="SubclassedModel"):
        _ = source(folder, model="own.keras", input="colour").architecture
    loaded = source(folder, model="own.keras", input="colour", trust=True)
    assert [spec.name for spec in loaded.architecture.conv_layers] == ["conv2d", "conv2d_1", "conv2d_2"]


def test_files_that_are_no_models(folder: Path) -> None:
    (folder / "text.keras").write_text("text")
    (folder / "text.h5").write_text("text")
    (folder / "saved").mkdir()
    functional_model().save_weights(folder / "own.weights.h5")
    for name, words in {
        "text.keras": "isn't a model that Keras saved",
        "text.h5": "isn't a model that Keras saved",
        "own.weights.h5": "isn't a model that Keras saved",
        "./saved": "no SavedModel",
        "missing.keras": "no model file",
    }.items():
        with pytest.raises(WeightsUnavailable, match=words):
            _ = source(folder, model=name).architecture


@pytest.mark.parametrize("subclassed", [False, True])
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "float64"])
def test_arithmetic_is_float32_or_a_reason_is_given(folder: Path, policy: str, subclassed: bool) -> None:
    """Weights that are float32 are computed with as they are; others aren't rounded in silence."""
    keras.config.set_dtype_policy(policy)
    try:
        model = SubclassedModel() if subclassed else functional_model()
        model(np.zeros((1, 48, 48, 3), np.float32))
        model.save(folder / "own.keras")
    finally:
        keras.config.set_dtype_policy("float32")
    settings = {"model": "own.keras", "input": "colour", "trust": True}
    # Keras opens a subclassed model by calling its class, whose layers are then float32.
    if not policy.startswith("mixed") and not subclassed:
        with pytest.raises(WeightsUnavailable, match=f"weights in {policy} .*set_dtype_policy"):
            _ = source(folder, **settings).architecture
        return
    network = source(folder, **settings).network
    plain = SubclassedModel() if subclassed else functional_model()
    prepared = network.prepare(noise(48, 48))
    plain(prepared)
    plain.set_weights(model.get_weights())
    last = network.architecture.layers[-1].name
    loaded = np.asarray(network.model_upto(last)(prepared, training=False))
    assert loaded.dtype == np.float32
    np.testing.assert_allclose(loaded, np.asarray(plain(prepared, training=False)), rtol=1e-4, atol=1e-6)
    assert audit(network, "conv2d_2" if subclassed else "last", 1).passed


def test_random_weights_depend_on_the_seed_alone(folder: Path) -> None:
    def kernel(seed: int) -> np.ndarray:
        network = source(folder, model="mobilenet", weights="random", seed=seed, preprocess=None)
        assert "not trained" in network.identity.origin and "Nobody" in network.architecture.weights_credit
        return network.kernel_and_bias("conv_dw_1")[0]

    first = kernel(0)
    keras.utils.set_random_seed(9)
    np.testing.assert_array_equal(kernel(0), first)
    assert np.abs(kernel(1) - first).max() > 0.1


def test_weights_from_a_file_and_from_nowhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = keras.applications.MobileNet(weights=None)
    model.save_weights(folder / "mobile.weights.h5")
    settings = {"model": "mobilenet", "preprocess": None}
    loaded = source(folder, weights="mobile.weights.h5", **settings)
    own = np.asarray(model.get_layer("conv1").kernel)
    norm = model.get_layer("conv1_bn")
    np.testing.assert_allclose(loaded.kernel_and_bias("conv1")[0], own / np.sqrt(1 + norm.epsilon), rtol=1e-5)
    with pytest.raises(WeightsUnavailable, match="can't be loaded into MobileNetV2"):
        _ = source(folder, model="mobilenetv2", weights="mobile.weights.h5", preprocess=None).network
    shutil.copy(folder / "mobile.weights.h5", folder / "part.weights.h5")
    with h5py.File(folder / "part.weights.h5", "a") as file:
        del file["layers/conv2d/vars"]
    with pytest.raises(WeightsUnavailable, match="can't be loaded into MobileNet"):
        _ = source(folder, weights="part.weights.h5", **settings).network
    with pytest.raises(WeightsUnavailable, match="no weights file"):
        _ = source(folder, weights="missing.weights.h5", **settings).network

    monkeypatch.setenv("KERAS_HOME", str(folder / "keras"))
    monkeypatch.setattr("keras.src.applications.mobilenet.BASE_WEIGHT_PATH", "http://127.0.0.1:9/")
    with pytest.raises(WeightsUnavailable, match=r"can't be had: mobilenet_1_0_224_tf\.h5: Connection.* refused"):
        _ = source(folder, weights="imagenet", **settings).identity
    # A check needs the layers alone.
    assert source(folder, weights="imagenet", **settings).structure.channels("conv1") == 32


@pytest.mark.parametrize(
    ("settings", "path", "words"),
    [
        ({"model": "a:b"}, ("trust",), "a:b is code"),
        ({"model": "own.keras", "preprocess": None}, ("preprocess",), "expected how an image"),
        ({"model": "resnet50", "preprocess": {"scale": 2}}, ("preprocess",), "resnet50 has its own"),
        ({"model": "vgg16", "weights": "random", "preprocess": None}, ("weights",), "no random weights"),
        ({"model": "resnet50", "weights": "embedded", "preprocess": None}, ("weights",), "no embedded weights"),
        ({"model": "own.h5", "weights": "imagenet"}, ("weights",), "publishes no weights of own.h5"),
        ({"model": "own.h5", "labels": "none.txt"}, ("labels",), "no file none.txt"),
        ({"model": "own.h5", "preprocess": {"function": "x"}}, ("preprocess", "function"), "`module:function`"),
    ],
)
def test_problems_of_a_section(tmp_path: Path, settings: dict[str, object], path: tuple[str, ...], words: str) -> None:
    problems = dict(network_problems(section(**settings), tmp_path))
    assert words in problems[path]
