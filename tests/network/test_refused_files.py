"""Files of models and weights that bring code, unpack to terabytes or lead elsewhere are refused, and none runs."""

from __future__ import annotations

import io
import json
import os
import pickle
import resource
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from vizengine.errors import WeightsUnavailable
from vizengine.network import catalogue
from vizengine.network.files import UnreadableWeights, read_layers

_LAYER = "model_weights/conv1"


class _Call:
    """Pickles to a call."""

    def __init__(self, call: Callable[..., Any], *arguments: Any) -> None:
        self.call = call, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


def _claiming(target: Path | io.BytesIO, rows: int) -> None:
    """Weights of which nothing is stored but the claim to be so many rows of a million numbers."""
    with h5py.File(target, "w") as file:
        group = file.create_group(_LAYER)
        group.attrs["weight_names"] = [b"kernel", b"bias"]
        group.create_dataset("kernel", shape=(rows, 1_000_000), dtype="f4", chunks=(1000, 1000), compression="gzip")
        group.create_dataset("bias", data=np.zeros(64, np.float32))


def _elsewhere(path: Path, link: Callable[[h5py.Group, Path], None]) -> None:
    """Weights that lie in another file."""
    other = path.with_name("other.h5")
    with h5py.File(other, "w") as file:
        file["secret"] = np.zeros((3, 3, 3, 64), np.float32)
    with h5py.File(path, "w") as file:
        group = file.create_group(_LAYER)
        group.attrs["weight_names"] = [b"kernel", b"bias"]
        group.create_dataset("bias", data=np.zeros(64, np.float32))
        link(group, other)


def _linked(group: h5py.Group, other: Path) -> None:
    group["kernel"] = h5py.ExternalLink(other, "secret")


def _external(group: h5py.Group, other: Path) -> None:
    group.create_dataset("kernel", (3, 3, 3, 64), "f4", external=[(str(other), 0, h5py.h5f.UNLIMITED)])


def _virtual(group: h5py.Group, other: Path) -> None:
    layout = h5py.VirtualLayout((3, 3, 3, 64), "f4")
    layout[...] = h5py.VirtualSource(other, "secret", (3, 3, 3, 64))
    group.create_virtual_dataset("kernel", layout)


def _zipped(path: Path, weights: bytes, model: object) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", json.dumps(model))
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.1", "date_saved": "2026-01-01@00:00:00"}))
        archive.writestr("model.weights.h5", weights)


def _zipped_bomb(path: Path) -> None:
    """A model whose weights are zeros, packed to a thousandth."""
    _zipped(path, bytes(200_000_000), {"class_name": "Functional", "config": {}})


def _zipped_claim(path: Path) -> None:
    weights = io.BytesIO()
    _claiming(weights, 100_000)
    _zipped(path, weights.getvalue(), {"class_name": "Functional", "config": {}})


def _described(path: Path, module: str, name: str, config: dict[str, Any]) -> None:
    """A model file with one layer of this description, as Keras would write it."""
    layer = {"module": module, "class_name": name, "config": {"name": "bad", **config}, "registered_name": None}
    shape = {"batch_shape": [None, 16, 16, 3], "dtype": "float32", "name": "image"}
    first = {"module": "keras.layers", "class_name": "InputLayer", "config": shape, "registered_name": None}
    whole = {"name": "bad", "layers": [first, layer]}
    model = {"module": "keras", "class_name": "Sequential", "config": whole, "registered_name": None}
    weights = io.BytesIO()
    with h5py.File(path if path.suffix == ".h5" else weights, "w") as file:
        file.attrs["model_config"] = json.dumps(model)
        file.create_group("model_weights")
    if path.suffix != ".h5":
        _zipped(path, weights.getvalue(), model)


def _function(module: str, name: str) -> dict[str, Any]:
    return {"activation": {"module": module, "class_name": "function", "config": name}}


_LAMBDA = {"function": {"class_name": "__lambda__", "config": {"code": "4wEAAAA=", "defaults": None, "closure": None}}}
_PICKLE = "gASVGgAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjANscyCUhZRSlC4="
# Layers of a model, with what they do if they are read in good faith.
LAYERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a lambda": ("keras.layers", "Lambda", _LAMBDA),
    "a function of the system's": ("keras.layers", "Activation", _function("os", "system")),
    "a class of the system's": ("os", "system", {"command": "touch ran"}),
    "Keras' own key to unsafe files": (
        "keras.layers",
        "Activation",
        _function("keras.config", "enable_unsafe_deserialization"),
    ),
    "a graph beside the file": ("keras.layers", "TFSMLayer", {"filepath": "saved", "call_endpoint": "serve"}),
    "a pickle": ("keras.layers", "TorchModuleWrapper", {"module": _PICKLE}),
}
_ARRAY = b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n(K\x01\x8a\x06"
PICKLES: dict[bytes, str] = {
    pickle.dumps(_Call(os.system, "touch ran"), protocol=2): "only NumPy arrays",
    pickle.dumps({"conv1": [_Call(eval, "1")]}, protocol=2): "only NumPy arrays",
    pickle.dumps(_Call(open, "ran", "w"), protocol=2): "only NumPy arrays",
    # Of terabytes, and of nothing.
    _ARRAY + b"\x00" * 5 + b"\x10" + b"tU\x01b\x87R.": "can't be read",
    b"\x80\x02]" + b"a" * 9: "can't be read",
}
WEIGHTS: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "terabytes": ("bad.h5", lambda path: _claiming(path, 1_000_000), "would unpack"),
    "16 GB": ("bad.h5", lambda path: _claiming(path, 4_000), "would unpack"),
    "terabytes in a zip": ("bad.keras", _zipped_claim, "would unpack"),
    "zeros in a zip": ("bad.keras", _zipped_bomb, "would unpack"),
    "a link": ("bad.h5", lambda path: _elsewhere(path, _linked), "another file"),
    "external storage": ("bad.h5", lambda path: _elsewhere(path, _external), "another file"),
    "a virtual dataset": ("bad.h5", lambda path: _elsewhere(path, _virtual), "another file"),
}


@pytest.fixture(autouse=True)
def nothing_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No code of a file runs, and none takes the machine's memory."""
    from vizengine.network.open import open_file  # noqa: F401  TensorFlow itself takes hundreds of megabytes

    monkeypatch.chdir(tmp_path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert not (tmp_path / "ran").exists()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_000_000, "kilobytes"


def _refuse_weights(path: Path, words: str) -> None:
    with pytest.raises(UnreadableWeights) as caught:
        read_layers(path, catalogue.catalogue_entry("squeezenet1.1").architecture.layers)
    # Where the whole file is refused, the words come with what names it.
    assert words in f"can't be read: {caught.value}"


def _refuse_model(path: Path, words: str) -> None:
    from vizengine.network.open import open_file

    with pytest.raises(WeightsUnavailable, match=words):
        open_file(path, path.parent, trust=False)


@pytest.mark.parametrize("case", WEIGHTS)
def test_weights_of_impossible_size_or_in_another_file(case: str, tmp_path: Path) -> None:
    name, write, words = WEIGHTS[case]
    write(tmp_path / name)
    _refuse_weights(tmp_path / name, words)


def test_pickles_that_call(tmp_path: Path) -> None:
    for content, words in PICKLES.items():
        (tmp_path / "bad.pkl").write_bytes(content)
        _refuse_weights(tmp_path / "bad.pkl", words)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("case", LAYERS)
def test_layers_that_bring_code(case: str, suffix: str, tmp_path: Path) -> None:
    _described(tmp_path / f"bad{suffix}", *LAYERS[case])
    _refuse_model(tmp_path / f"bad{suffix}", "trust: true")


@pytest.mark.parametrize("write", [_zipped_bomb, _zipped_claim])
def test_models_of_impossible_size(write: Callable[[Path], None], tmp_path: Path) -> None:
    write(tmp_path / "bad.keras")
    _refuse_model(tmp_path / "bad.keras", "would unpack")
