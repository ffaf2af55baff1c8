"""Which of Keras' files is wanted, which is used, and that the full one brings the check that the network works."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from keras.src.applications import mobilenet_v3
from keras.src.legacy.saving import legacy_h5_format

import vizengine
from tests.network.weights_server import WeightsServer, serving
from vizengine.cache import Cache
from vizengine.config.network import NetworkSection
from vizengine.errors import WeightsUnavailable
from vizengine.network import catalogue as zoo
from vizengine.network import weights as weights_files
from vizengine.network.architecture import Architecture
from vizengine.network.source import LiveSource

NEEDED = zoo.catalogue_entry("vgg19").architecture.upto("block2_conv1")
CONFIG = """\
site: {{title: Test}}
visualization: {{size: 32, steps: 4, attempts: 1}}
circuits:
  - name: vgg
    network: {{model: vgg19{more}}}
    unit: {{layer: block2_conv1, index: 2}}
"""


@dataclass
class Published:
    """VGG19 with four channels a layer, whose two files a server on this machine publishes."""

    entry: zoo.ZooEntry
    full: WeightsServer
    headless: WeightsServer
    keras_cache: Path
    named: Path

    def locate(self, folder: Path, classifier: bool = False) -> weights_files.WeightsFile:
        needed = self.entry.architecture.upto("block2_conv1")
        return weights_files.locate(self.entry, None, None, folder, needed, Cache(folder / "cache"), classifier)

    def put(self, folder: Path, which: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / getattr(self.entry, which).name).write_bytes(getattr(self, which).body)


def _small(architecture: Architecture) -> Architecture:
    widths = {"conv": 4, "dense": 8}
    layers = tuple(
        replace(spec, filters=1000 if spec.name == "predictions" else widths.get(spec.kind, spec.filters))
        for spec in architecture.layers
    )
    return replace(architecture, layers=layers, input_size=32)


def _weights(architecture: Architecture, path: Path) -> bytes:
    """A file in the layout of 2016 that holds all layers of an architecture."""
    generator = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        for spec in architecture.layers:
            if spec.kind in ("conv", "dense"):
                shape = architecture.kernel_shape(spec.name)
                group = file.create_group(spec.name)
                group.attrs["weight_names"] = [f"{spec.name}_W_1:0".encode(), f"{spec.name}_b_1:0".encode()]
                group[f"{spec.name}_W_1:0"] = generator.normal(size=shape, scale=0.3).astype(np.float32)
                group[f"{spec.name}_b_1:0"] = np.zeros(shape[-1], np.float32)
    return path.read_bytes()


@pytest.fixture
def vgg19(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Published]:
    """Nothing lies anywhere yet; `named` is the folder that VIZENGINE_WEIGHTS names."""
    real = zoo.catalogue_entry("vgg19")
    small = _small(real.architecture)
    convolutions = replace(small, layers=tuple(spec for spec in small.layers if spec.kind not in ("flatten", "dense")))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("VIZENGINE_WEIGHTS", str(tmp_path / "named"))
    with ExitStack() as stack:
        bodies = [_weights(architecture, tmp_path / "file.h5") for architecture in (small, convolutions)]
        full, headless = (stack.enter_context(serving(body)) for body in bodies)
        files = [
            replace(file, address=server.address + file.name, digest=hashlib.md5(server.body).hexdigest())
            for file, server in zip(real.published, (full, headless), strict=True)
        ]
        entry = replace(real, architecture=small, full=files[0], headless=files[1])
        monkeypatch.setitem(zoo._ENTRIES, "vgg19", lambda: entry)
        yield Published(entry, full, headless, tmp_path / "keras" / "models", tmp_path / "named")


@pytest.mark.parametrize(
    ("cached", "named", "classifier", "used", "downloaded"),
    [
        ("", "", False, "headless", "headless"),
        ("", "", True, "full", "full"),
        ("headless", "headless", True, "full", "full"),
        ("full", "headless", False, "full", ""),
        ("headless", "full", False, "full", ""),
        ("full", "", True, "full", ""),
    ],
)
def test_the_setting_says_which_file_is_wanted_and_a_full_one_that_is_there_is_preferred(
    vgg19: Published, tmp_path: Path, cached: str, named: str, classifier: bool, used: str, downloaded: str
) -> None:
    for folder, which in ((vgg19.keras_cache, cached), (vgg19.named, named)):
        if which:
            vgg19.put(folder, which)
    file = vgg19.locate(tmp_path, classifier)
    assert file.sha256 == hashlib.sha256(getattr(vgg19, used).body).hexdigest()
    assert (len(vgg19.full.asked), len(vgg19.headless.asked)) == (downloaded == "full", downloaded == "headless")


def test_a_full_file_that_is_not_the_published_one_does_not_stand_in_the_way(vgg19: Published, tmp_path: Path) -> None:
    vgg19.put(vgg19.named, "headless")
    vgg19.put(vgg19.keras_cache, "full")
    with (vgg19.keras_cache / vgg19.entry.published[0].name).open("ab") as file:
        file.write(b"more")
    assert vgg19.locate(tmp_path).path.parent == vgg19.named
    # Asked for, it is downloaded in its place.
    assert vgg19.locate(tmp_path, classifier=True).path.read_bytes() == vgg19.full.body


def test_without_a_connection_the_full_file_its_size_and_the_ways_to_mend_it_are_named(
    vgg19: Published, tmp_path: Path
) -> None:
    vgg19.put(vgg19.named, "headless")
    nowhere = replace(vgg19.entry, full=replace(vgg19.entry.published[0], address="http://127.0.0.1:9/"))
    with pytest.raises(WeightsUnavailable) as caught:
        weights_files.locate(nowhere, None, None, tmp_path, NEEDED, Cache(tmp_path / "cache"), True)
    message = str(caught.value)
    assert "VGG19 with its classifier" in message and "no weights for the layers fc1, fc2, predictions" in message
    assert "vgg19_weights_tf_dim_ordering_tf_kernels.h5 (575 MB" in message and "the download failed" in message
    for way in ("network.weights_folder", "VIZENGINE_WEIGHTS", "be online", "leave `classifier` out"):
        assert way in message
    # A check tells of it beforehand.
    absent = weights_files.missing(vgg19.entry, None, None, tmp_path, classifier=True)
    assert absent is not None and "with its classifier" in absent.reason and "575 MB" in absent.mend
    assert weights_files.missing(vgg19.entry, None, None, tmp_path) is None


def test_with_the_classifier_a_page_checks_the_network_and_its_notice_said_how(
    vgg19: Published, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The download of the full file breaks off and goes on in the next run."""
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.format(more=""))
    (without,) = vizengine.analyze(config)
    assert not without.classification.photos and without.evidence.downstream is None
    assert "classifier: true" in without.classification.missing and "575 MB" in without.classification.missing
    assert without.classification.missing in unescape(without.page())
    config.write_text(CONFIG.format(more=", classifier: true"))
    vgg19.full.break_after = 20_000
    with pytest.raises(WeightsUnavailable, match="the next run goes on from there"):
        vizengine.analyze(config)
    vgg19.full.break_after = None
    caplog.set_level(logging.INFO, "vizengine")
    (whole,) = vizengine.analyze(config)
    assert re.search(r"vgg19_weights_\w+\.h5: downloading it from .* MB are left, about .* s", caplog.text)
    assert len(vgg19.full.asked) == 2 and vgg19.full.asked[1].startswith("bytes=")
    # Results of the one file aren't taken for those of the other.
    assert whole.network.weights_sha256 != without.network.weights_sha256 and whole.evidence.downstream is not None
    assert len(whole.classification.photos) == 10 and not whole.classification.missing
    assert whole.classification.photos[0].guesses[0].label in unescape(whole.page())
    assert without.classification.missing not in unescape(whole.page())


def test_a_network_without_classes_is_told_that_it_has_none(tmp_path: Path) -> None:
    image = keras.Input((32, 32, 3))
    keras.Model(image, keras.layers.Conv2D(4, 3, name="only")(image)).save(tmp_path / "own.keras")
    config = tmp_path / "config.yaml"
    network = "model: own.keras, preprocess: {scale: 1}, classifier: true"
    config.write_text(
        f"site: {{title: Test}}\ncircuits:\n  - name: one\n    network: {{{network}}}\n"
        "    unit: {layer: only, index: 1}\n"
    )
    with pytest.raises(vizengine.ConfigError, match=r"config\.yaml:4: .*ends with only, which gives no class prob"):
        vizengine.analyze(config)


def test_files_of_all_other_networks_are_found_and_downloaded_in_the_same_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """MobileNetV3Small: from a server, broken off and gone on with; then from the folder that the config names."""
    model = keras.applications.MobileNetV3Small(weights=None)
    name = "weights_mobilenet_v3_small_224_1.0_float.h5"
    with h5py.File(tmp_path / name, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)
    body = (tmp_path / name).read_bytes()
    hashes = {"small_224_1.0_float": (hashlib.md5(body).hexdigest(), "")}
    monkeypatch.setattr(mobilenet_v3, "WEIGHTS_HASHES", hashes)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("VIZENGINE_WEIGHTS", raising=False)
    caplog.set_level(logging.INFO, "vizengine")

    def kernel(**settings: str) -> np.ndarray:
        section = NetworkSection.model_validate({"model": "mobilenetv3small", **settings})
        return LiveSource(section, tmp_path, Cache(tmp_path / "cache")).kernel_and_bias("conv")[0]

    with serving(body) as server:
        monkeypatch.setattr(mobilenet_v3, "BASE_WEIGHT_PATH", server.address)
        server.break_after = 2_000_000
        with pytest.raises(WeightsUnavailable, match=rf"{re.escape(name)}: .*2\.0 MB that came are kept"):
            kernel()
        server.break_after = None
        first = kernel()
        assert len(server.asked) == 2 and server.asked[1].startswith("bytes=")
        assert re.search(rf"{re.escape(name)}: downloading it from 127.0.0.1: 11 MB, about 1\.\d s", caplog.text)
    assert first.any()
    (tmp_path / "keras" / "models" / name).unlink()
    np.testing.assert_array_equal(kernel(weights_folder="."), first)
